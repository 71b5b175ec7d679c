"""What `check` says is what the run would say, found without reading pixels."""

import math
import re
import shutil
import tracemalloc

import numpy as np
import pytest
from astropy.io import fits
from runs import Project, set_cards
from steps import convolve, fit_pair

from anchoring import inspection
from anchoring.images import convolution
from anchoring.planning import cost
from anchoring.planning.plan import inspected, make_plan
from simulation.skies import IDEAL

SCALE, KERNEL_SCALES, REFERENCE_SCALE = 0.1, {"gauss4": 0.34, "f2100w": 0.05}, 0.3


def header(shape, scale, *, dec=15.0):
    card = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 24.0, "CRVAL2": dec, "CUNIT1": "deg", "CUNIT2": "deg",
            "CRPIX1": (shape[1] + 1) / 2, "CRPIX2": (shape[0] + 1) / 2, "CDELT1": -scale / 3600, "CDELT2": scale / 3600,
            "BUNIT": "MJy/sr"}  # fmt: skip
    return fits.Header(card)


class Tree:
    """One target with F770W and F2100W, one reference and the kernels: as small as can be, and sound."""

    def __init__(self, folder):
        self.folder = folder
        self.config = {
            "in_dir": str(folder), "ref_dir": str(folder / "ref"), "kernel_dir": str(folder / "kernels"),
            "out_dir": str(folder / "out"), "in_step_ext": "i2d_align", "out_step_ext": "i2d_anchor",
            "in_subdir": "lv3",
            "instruments": {"miri": {"ref_band": "F770W", "external_bands": ["irac4_atgauss4", "w3_atgauss15"]}},
            "internal_conv_band": "F2100W", "galaxy_table": None,
        }  # fmt: skip
        y, x = np.indices((40, 50))
        self.sky = (0.2 + 2 * np.exp(-np.hypot(y - 20, x - 25) / 10)).astype("f4")
        for band in ("F770W", "F2100W"):
            self.image(band).parent.mkdir(parents=True)
            planes = [(name, self.sky, header(self.sky.shape, SCALE)) for name in ("SCI", "ERR")]
            hdus = [fits.ImageHDU(data, head, name=name) for name, data, head in planes]
            fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(self.image(band))
        self.reference.parent.mkdir()
        fits.PrimaryHDU(self.sky[::2, ::2], header((20, 25), REFERENCE_SCALE)).writeto(self.reference)
        (folder / "kernels").mkdir()
        for name, scale in KERNEL_SCALES.items():
            y, x = np.indices((31, 31)) - 15
            kernel = fits.PrimaryHDU(np.exp(-(y**2 + x**2) / 50.0), fits.Header({"PIXELSCL": scale}))
            kernel.writeto(self.kernel(f"f770w_to_{name}"))

    def image(self, band):
        return self.folder / "ngc0001" / band / "lv3" / f"ngc0001_miri_lv3_{band.lower()}_i2d_align.fits"

    @property
    def reference(self):
        return self.folder / "ref/ngc0001_irac4_atgauss4.fits"

    def kernel(self, name="f770w_to_gauss4"):
        return self.folder / "kernels" / f"{name}.fits"

    def inspect(self):
        """(band: record) of what is found."""
        return {record.band: record for record in inspection.inspect(inspected(make_plan(self.config)))}

    def run(self):
        """The reason for which the run refuses F770W on its reference."""
        image = convolve(self.image("F770W"), self.kernel(), self.folder)
        return fit_pair(image, self.reference, "irac4_atgauss4", "F770W", self.folder).reason


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def test_a_band_with_a_reference_of_its_own_is_listed_with_all_its_paths(tree):
    shutil.copy(tree.reference, tree.folder / "ref/ngc0001_own_atgauss4.fits")
    shutil.copy(tree.kernel(), tree.kernel("f2100w_to_gauss4"))
    own = {"F770W": ["irac4_atgauss4", "w3_atgauss15"], "F2100W": ["own_atgauss4"]}
    tree.config["instruments"] = {"miri": {"ref_band": "F770W", "external_bands": own}}
    found = tree.inspect()["F2100W"]
    assert [(fit.label, fit.status) for fit in found.fits] == [("F770W", "fitted"), ("own_atgauss4", "fitted")]
    assert (found.status, found.reference) == ("anchored", "F770W")
    listed = inspection.listing([found])
    assert "-> ngc0001_miri_lv3_f770w at f2100w" in listed
    assert "ok own_atgauss4" in listed
    assert "The zero level of own_atgauss4 is taken as exact" in listed
    by_error = inspection.listing([found], "smallest_error")
    assert "->" not in by_error
    assert "the one with the smallest error will be used" in by_error
    set_cards(tree.folder / "ref/ngc0001_own_atgauss4.fits", 0, {"REFZERR": 0.03})
    assert "taken as exact" not in inspection.listing([tree.inspect()["F2100W"]])
    set_cards(tree.folder / "ref/ngc0001_own_atgauss4.fits", 0, {"REFZERR": "big"})
    assert "REFZERR = 'big'" in tree.inspect()["F2100W"].fits[1].reason
    shutil.rmtree(tree.folder / "ngc0001/F770W")
    set_cards(tree.folder / "ref/ngc0001_own_atgauss4.fits", 0, {"REFZERR": None})
    assert tree.inspect()["F2100W"].reference == "own_atgauss4"


def changed(hdu, **cards):
    def change(tree):
        path = {"image": tree.image("F770W"), "reference": tree.reference, "kernel": tree.kernel()}[hdu]
        set_cards(path, "SCI" if hdu == "image" else 0, cards)

    return change


def test_a_sound_tree_is_ready_and_says_what_is_in_it(tree):
    assert tree.run() == ""
    found = tree.inspect()
    assert {record.status for record in found.values()} == {"anchored"}
    assert [(fit.status, fit.reason) for fit in found["F770W"].fits] == [
        ("fitted", ""), ("skipped", f"no reference image {tree.folder}/ref/ngc0001_w3_atgauss15.fits"),
    ]  # fmt: skip
    words = inspection.listing(list(found.values()))
    assert 'F770W, ngc0001_miri_lv3_f770w_i2d_align.fits, 50 x 40 pixels of 0.1", MJy/sr, with ERR' in words
    of_file = f"from {tree.folder}/ref/ngc0001_irac4_atgauss4.fits"
    kernel = "kernel f770w_to_gauss4.fits of 31 x 31 pixels"
    assert f'-> irac4_atgauss4, 25 x 20 pixels of 0.3", MJy/sr, {of_file}, {kernel}' in words
    assert "!! w3_atgauss15, no reference image" in words
    assert "-> ngc0001_miri_lv3_f770w at f2100w, " in words
    assert inspection.verdict(list(found.values())) == "2 of 2 images ready to be anchored."


def test_a_file_without_a_unit_is_said_to_be_taken_as_it_is(tree):
    changed("reference", BUNIT=None)(tree)
    assert "no BUNIT: taken as MJy/sr" in inspection.listing(list(tree.inspect().values()))


def test_a_kernel_that_is_a_little_wide_is_reported(tree):
    changed("kernel", PIXELSCL=0.34 * 1.15)(tree)
    found = tree.inspect()["F770W"]
    assert found.status == "anchored"
    words = r"which convolves a band of 0\.269 arcsec \(FWHM\) to 4\.6\d?; expected 4 by its name"
    assert re.search(words, inspection.listing([found]))


def test_what_tells_the_noise_and_what_is_masked_is_looked_at(tree):
    tree.config |= {"reference_noise": {"irac4": "SKYSIG"}, "mask_dir": str(tree.folder / "masks")}
    (tree.folder / "masks").mkdir()
    fits.PrimaryHDU(np.zeros((20, 25), "f4"), header((20, 25), REFERENCE_SCALE)).writeto(
        tree.folder / "masks/ngc0001.fits"
    )
    assert "SKYSIG = None; expected its noise" in tree.inspect()["F770W"].fits[0].reason
    changed("reference", SKYSIG=0.01)(tree)
    found = tree.inspect()
    assert {record.status for record in found.values()} == {"anchored"}
    words = inspection.listing(list(found.values()))
    assert words.count("mask ngc0001.fits") == 2
    assert "noise SKYSIG" in words
    tree.config["reference_noise"] = {}
    tree.reference.with_name("ngc0001_irac4_atgauss4_err.fits").write_bytes(tree.reference.read_bytes())
    assert "noise from ngc0001_irac4_atgauss4_err.fits" in inspection.listing(list(tree.inspect().values()))


def test_no_pixel_is_read(tree):
    path = tree.image("F770W")
    shape, size = (16_000, 16_000), 2 * 4 * 16_000**2
    hdus = [fits.PrimaryHDU().header]
    for name in ("SCI", "ERR"):
        head = fits.ImageHDU(np.zeros((1, 1), "f4"), header(shape, SCALE), name=name).header
        head["NAXIS1"], head["NAXIS2"] = shape
        hdus.append(head)
    with open(path, "wb") as file:  # 2 GB that take no room: the holes of a sparse file
        for head in hdus:
            file.write(head.tostring().encode())
            file.truncate(file.tell() + (size // 2 + 2879) // 2880 * 2880 * (head is not hdus[0]))
            file.seek(0, 2)
    tracemalloc.start()
    record = tree.inspect()["F770W"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert record.status == "anchored"
    assert '16000 x 16000 pixels of 0.1"' in record.notes
    assert peak < 50e6


def test_steps_that_fits_share_are_paid_once(tree):
    found = list(tree.inspect().values())
    steps = {}
    for record in found:
        for fit in record.fits:
            steps |= fit.steps
    verbs = [name[0] for name in steps]
    # F770W to 4" and to F2100W; F2100W as it is
    assert {verb: verbs.count(verb) for verb in verbs} == dict.fromkeys(
        ("convolve", "reproject", "bin", "fit", "plot", "anchor"), 2
    )
    total = cost.together(steps.values())
    assert f"{total.seconds:.0f} s of CPU time in all" in inspection.listing(found)
    assert total.memory == max(step.memory for step in steps.values())


@pytest.mark.parametrize(("n", "side"), [(700, 301), (900, 61)])
def test_memory_expected_of_a_convolution_is_what_it_takes(rng, n, side):
    image = rng.normal(size=(n, n)).astype("f4")
    kernel = np.ones((side, side)) / side**2
    tracemalloc.start()
    convolution.convolve_image(image, kernel, np.abs(image), threads=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.4 < (cost.of_convolution((n, n), side, threads=1).memory - cost.PROCESS) / peak < 2.5


def test_time_expected_of_a_convolution_goes_with_the_pixels():
    costs = [cost.of_convolution((n, n), 501).seconds for n in (4_000, 8_000)]
    assert 3.5 < costs[1] / costs[0] < 4.5
    assert math.isclose(cost.of_convolution((4_000, 4_000), 501, with_error=False).seconds, costs[0] * 4 / 6)


# --- the rule -------------------------------------------------------------------------------------------------------


def test_check_lists_all_and_makes_nothing(tmp_path):
    project = Project(
        tmp_path, targets=["ngc0628"], sky=IDEAL, bands=("F770W", "F2100W"), references=["irac4_atgauss4"]
    )
    done = project.run("check")
    results = project.folder / "results"
    assert sorted(str(p.relative_to(results)) for p in results.rglob("*") if p.is_file()) == [
        "check.txt",
        "logs/check.log",
    ]
    assert done.stdout.strip() == (results / "check.txt").read_text().strip()
    assert done.stdout.count("->") == 3  # legend and two images
    assert "2 of 2 images ready to be anchored." in done.stdout

    (project.folder / "data/ref/ngc0628_irac4_atgauss4.fits").unlink()
    project.configure(allow_unanchored=True)
    assert "0 of 2 images ready to be anchored." in project.run("check").stdout
