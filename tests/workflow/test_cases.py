"""Real images, from cases/: the workflow finds what is known of them, and docs/cases.md says what it finds."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from astropy.io import fits
from runs import ROOT

from cases import cut, show

PRODUCT = "oribar/F770W/lv3/jw01288015001_26101_00003_mirimage_i2d"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The folder with the results of each estimator, without figures; the second run takes the images of the first."""
    folder, out = tmp_path_factory.mktemp("cases"), "cases/results"
    shutil.copytree(ROOT / "cases", folder / "cases", ignore=shutil.ignore_patterns("results"))
    tables = [f"{out}/{target}/{target}_anchor_tab.csv" for target in ("ngc309", "ngc5236", "oribar")]
    command = ["snakemake", *tables, f"{out}/{PRODUCT}_anchor.fits", "--snakefile", ROOT / "Snakefile", "--cores", "2"]
    for estimator in show.ESTIMATORS:
        options = ["--configfile", "cases/config.yaml", "--config", f"estimator={estimator}"]
        done = subprocess.run(
            list(map(str, command + options)), cwd=folder, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr[-5000:]
        shutil.copytree(folder / out, folder / estimator)
    return folder


@pytest.fixture(params=show.ESTIMATORS)
def offsets(results, request):
    """{(image, reference): offset, its error} of an estimator."""
    rows = {show.name_of(row): row for row in show.fits_of(results / request.param)}
    numbers = {key: [float(row[name]) for name in ("offset", "offset_err", "offset_sys")] for key, row in rows.items()}
    return {key: (offset, np.hypot(*errors)) for key, (offset, *errors) in numbers.items()}


def sigmas(one, other):
    return abs(one[0] - other[0]) / np.hypot(one[1], other[1])


def test_the_sky_of_m83_is_the_same_by_mips_24_and_by_a_spectral_cube(offsets):
    mips, cube = offsets["ngc5236 IRAC4", "mips24"], offsets["ngc5236 IRAC4", "irs_atgauss6"]
    assert sigmas(mips, cube) < 1.5
    assert abs(mips[0] + 21.7) < 1.0  # the cube's median
    assert mips[1] < 0.3


def test_both_paths_to_irac3_agree(offsets):
    assert sigmas(offsets["ngc5236 IRAC3", "IRAC4"], offsets["ngc5236 IRAC3", "mips24"]) < 1.0


def test_the_sky_of_ngc_309_is_that_of_its_header(offsets):
    truth, _ = show.known(ROOT / "cases/data")["ngc309 K"]
    offset, error = offsets["ngc309 K", "w1_atgauss10"]
    assert abs(offset - truth) < 2 * np.hypot(error, 0.01)  # to which rings of the image agree with its header
    assert error < 0.3


def test_a_product_of_the_pipeline_gets_its_offset_and_nothing_else(results, offsets):
    assert abs(offsets["oribar F770W", "madeup_atf770w"][0] - 12.5) < 5e-4
    with (
        fits.open(ROOT / f"cases/data/{PRODUCT}.fits") as before,
        fits.open(results / f"binned/{PRODUCT}_anchor.fits") as after,
    ):
        assert [hdu.name for hdu in before] == [hdu.name for hdu in after]
        observed = before["SCI"].data != 0
        np.testing.assert_allclose((after["SCI"].data - before["SCI"].data)[observed], 12.5, atol=2e-3)
        assert (after["SCI"].data[~observed] == 0).all()
        for hdu in before[2:-1]:
            assert hdu.data.tobytes() == after[hdu.name].data.tobytes()
        assert set(before["SCI"].header) <= set(after["SCI"].header)


def test_the_page_says_what_is_found(results):
    page = (ROOT / "docs/cases.md").read_text().split(show.BEGIN)[1].split(show.END)[0]
    found = show.table(results, ROOT / "cases/data")
    number = re.compile("[+−][0-9.]+")
    assert number.sub("", page).split("±")[0] == number.sub("", found).split("±")[0]
    for written, again in zip(number.findall(page), number.findall(found), strict=True):
        assert float(written.replace("−", "-")) == pytest.approx(float(again.replace("−", "-")), abs=0.02)


def test_originals_that_are_missing_are_named(tmp_path):
    (tmp_path / cut.CUBE).touch()
    with pytest.raises(FileNotFoundError, match=r"ngc5236_irac4\.fits, .*mips24\.fits; expected the originals"):
        cut.cut_all(tmp_path, tmp_path / "data")
    assert not (tmp_path / "data").exists()
