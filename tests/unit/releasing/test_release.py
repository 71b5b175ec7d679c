"""A release: what goes into it, what is refused, and what its files state."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from made import make_fit, make_image

from anchoring.errors import AnchoringError
from anchoring.releasing import keywords, release

SETTINGS = {
    "id": "Survey", "version": "v1.0", "title": "A survey of galaxies", "lead": "Jane Doe",
    "doi": "10.17909/abcd-1234", "license": "CC BY 4.0", "license_url": "https://example.org/by", "reference": None,
    "program": 2107, "observatory": "jwst", "product": "i2d", "files": "copy", "allow_flags": [],
}  # fmt: skip
MOSAIC = "ngc0628/hlsp_survey_jwst_miri_ngc0628_f770w_v1.0_i2d.fits"


def anchored(**changes):
    return make_image(make_fit(flags=changes.pop("flags", ())), **{"status": "anchored", "chosen": 0, **changes})


@pytest.fixture
def results(tmp_path):
    """Results of one image, as arguments of `files_of`."""
    sci = fits.ImageHDU(np.arange(6, dtype=np.float32).reshape(2, 3), name="SCI")
    sci.header["ANCHOFF"] = 0.25
    primary = fits.PrimaryHDU()
    primary.header["INSTRUME"], primary.header["FILTER"] = "MIRI", "F770W"
    primary.header["HLSPNAME"] = "another title that is so long that its value goes on in a second card of the header"
    fits.HDUList([primary, sci]).writeto(tmp_path / "a_i2d_anchor.fits", checksum=True)
    for name in ("a_fit.pdf", "a_before_after.png", "tab.fits", "tab.ecsv", "summary.csv"):
        (tmp_path / name).write_text(name)
    products = {"mosaic": "a_i2d_anchor.fits", "preview": "a_before_after.png", "fit": "a_fit.pdf"}
    return {
        "settings": SETTINGS,
        "records": [anchored(), make_image(status="failed", reason="no line", image="b.fits", name="b", band="F1000W")],
        "images": {"a.fits": {kind: str(tmp_path / name) for kind, name in products.items()}},
        "tables": {"ngc0628": [str(tmp_path / "tab.fits"), str(tmp_path / "tab.ecsv")]},
        "summary": [str(tmp_path / "summary.csv")],
    }


def released(results, folder, **changes):
    settings = {**SETTINGS, **changes}
    files = release.files_of(**{**results, "settings": settings})
    folder.mkdir()
    release.write_release(folder, files, settings, results["records"])
    return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_is_released_and_how_it_is_called(results, tmp_path):
    assert list(released(results, tmp_path / "release")) == [
        "hlsp_survey_jwst_miri_multi_multi_v1.0_cat.csv",
        "hlsp_survey_readme.md",
        "hlsp_survey_v1.0_list.csv",
        "ngc0628/hlsp_survey_jwst_miri_ngc0628_f770w_v1.0_fit.pdf",
        MOSAIC,
        "ngc0628/hlsp_survey_jwst_miri_ngc0628_f770w_v1.0_preview.png",
        "ngc0628/hlsp_survey_jwst_miri_ngc0628_multi_v1.0_cat.ecsv",
        "ngc0628/hlsp_survey_jwst_miri_ngc0628_multi_v1.0_cat.fits",
    ]


def test_the_manifest_has_the_checksum_of_every_file(results, tmp_path):
    files = released(results, tmp_path / "release")
    with open(files.pop("hlsp_survey_v1.0_list.csv"), newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    files.pop("hlsp_survey_readme.md")
    assert rows.keys() == files.keys()
    for name, row in rows.items():
        content = files[name].read_bytes()
        assert (row["sha256"], row["bytes"]) == (hashlib.sha256(content).hexdigest(), str(len(content)))
    assert (rows[MOSAIC]["made_from"], rows[MOSAIC]["filter"]) == ("a.fits", "F770W")


def test_a_copied_mosaic_has_the_keywords_and_all_else_as_it_was(results, tmp_path):
    source = Path(results["images"]["a.fits"]["mosaic"])
    path = released(results, tmp_path / "release")[MOSAIC]
    with fits.open(path, checksum=True) as hdus, fits.open(source) as before:  # a wrong CHECKSUM is a warning
        header = hdus[0].header
        expected = {"HLSPID": "SURVEY", "HLSPNAME": "A survey of galaxies", "HLSPLEAD": "Jane Doe",
                    "HLSPTARG": "ngc0628", "HLSPVER": "v1.0", "DOI": "10.17909/abcd-1234", "LICENSE": "CC BY 4.0",
                    "LICENURL": "https://example.org/by", "OBSERVAT": "JWST", "TELESCOP": "JWST", "INSTRUME": "MIRI",
                    "FILTER": "F770W", "PROPOSID": 2107}  # fmt: skip
        assert {keyword: header[keyword] for keyword in expected} == expected
        assert "REFERENC" not in header
        assert "CONTINUE" not in header
        start = before["SCI"].fileinfo()["hdrLoc"]
        assert path.read_bytes()[hdus["SCI"].fileinfo()["hdrLoc"] :] == source.read_bytes()[start:]


def test_links_are_the_results_themselves_and_need_no_keywords(results, tmp_path):
    without = dict.fromkeys(("title", "lead", "doi"))
    files = released(results, tmp_path / "release", files="link", **without)
    assert files[MOSAIC].samefile(results["images"]["a.fits"]["mosaic"])
    assert "without the keywords" in files["hlsp_survey_readme.md"].read_text()
    with pytest.raises(
        AnchoringError, match="title, lead, doi of the release not given; expected them under 'release'"
    ):
        release.files_of(**{**results, "settings": {**SETTINGS, **without}})


def test_nothing_is_released_without_settings(results):
    with pytest.raises(AnchoringError, match="id, version, title, lead, doi of the release"):
        release.files_of(**{**results, "settings": {"files": "copy"}})


def test_the_readme_says_what_is_not_in_it_and_what_is_missing(results, tmp_path):
    text = released(results, tmp_path / "release")["hlsp_survey_readme.md"].read_text()
    assert "- ngc0628 F1000W b: no line" in text
    assert f"XPOSURE, RADESYS, RA_TARG, DEC_TARG, BUNIT: `{MOSAIC}`" in text
    assert "## Flags" not in text


def test_what_is_flagged_is_refused_unless_it_is_allowed(results, tmp_path):
    results["records"] = [anchored(flags=["few_bins", "gradient"]), anchored(name="c", image="c.fits", band="F300M")]
    results["images"]["c.fits"] = {}
    message = r"1 of 2 images are flagged; expected none in a release: .*\n  ngc0628 F770W a: gradient$"
    with pytest.raises(AnchoringError, match=message):
        release.files_of(**{**results, "settings": {**SETTINGS, "allow_flags": ["few_bins"]}})
    for allowed in (["few_bins", "gradient"], ["all"]):
        assert release.files_of(**{**results, "settings": {**SETTINGS, "allow_flags": allowed}})
    with pytest.raises(AnchoringError, match="allow_flags of 'release' has gradients, which is no flag"):
        release.files_of(**{**results, "settings": {**SETTINGS, "allow_flags": ["gradients"]}})
    text = released(results, tmp_path / "release", allow_flags=["all"])["hlsp_survey_readme.md"].read_text()
    assert "- ngc0628 F770W a: few_bins, gradient" in text
    assert "- `few_bins`: fewer than 5 bins" in text


def test_two_files_of_one_name_are_refused(results):
    results["records"].append(anchored(image="second.fits", name="second"))
    results["images"]["second.fits"] = {"mosaic": "second_i2d_anchor.fits"}
    with pytest.raises(AnchoringError, match=f"a_i2d_anchor.fits and second_i2d_anchor.fits would both be {MOSAIC}"):
        release.files_of(**results)


def test_a_target_that_cannot_be_in_a_name_is_refused(results):
    results["records"][0] = anchored(target="ngc~0628")
    with pytest.raises(AnchoringError, match="the target 'ngc~0628' cannot be in an archive name"):
        release.files_of(**results)


def test_other_names_of_a_keyword_count():
    names = [names[-1] for names in keywords.OF_THE_OBSERVATION]
    headers = [fits.Header(dict.fromkeys(names[:5], 1)), fits.Header(dict.fromkeys(names[5:], 1))]
    assert keywords.missing(headers) == []
    assert keywords.missing(headers[:1]) == [names[0] for names in keywords.OF_THE_OBSERVATION[5:]]
