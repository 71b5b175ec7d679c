"""What is written as JSON is JSON for any reader, and numbers that are not known come back as such."""

import json
import math

import numpy as np
import pytest
from astropy.io import fits
from fuzz import small_tree

import convolve_image
import measure_pair
import reproject_image
import solve_offsets
from anchoring.errors import RunOver
from anchoring.files.atomic import RUN, atomic_folder, or_nan, process_name, read_json, write_json


def strictly(path):
    """The content of a JSON file, read by a reader that knows no NaN."""

    def refuse(token):
        raise AssertionError(f"{token} is no JSON")

    return json.loads(path.read_text(), parse_constant=refuse)


def test_numbers_that_are_not_known_are_null_at_any_depth(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": [1.5, math.nan, (np.float64("inf"), "NaN")], "b": {"c": -math.inf, "d": None}, "e": True})
    expected = {"a": [1.5, None, [None, "NaN"]], "b": {"c": None, "d": None}, "e": True}
    assert strictly(path) == read_json(path) == expected
    assert math.isnan(or_nan(read_json(path)["b"]["c"]))
    assert or_nan(read_json(path)["a"][0]) == 1.5


@pytest.mark.parametrize("estimator", ["binned", "errors_in_variables"])
def test_records_of_a_field_too_small_for_errors_are_json(tmp_path, estimator):
    """A few beams hold a line but too few blocks to tell its error, and too little sky to tell the noise."""
    tree = small_tree(tmp_path)
    with fits.open(tree.image, mode="update") as hdus:
        hdus["SCI"].data[:, :25] = hdus["SCI"].data[:, -25:] = np.nan
    convolved, reprojected, pixels, view = (str(tmp_path / n) for n in ("c.fits", "r.fits", "p.npz", "v.npz"))
    convolve_image.main(str(tree.image), str(tree.kernel), convolved, 1, "F770W")
    reproject_image.main(convolved, str(tree.reference), reprojected, "interp")
    bins, solved = tmp_path / "b.json", tmp_path / "s.json"
    options = {**measure_pair.OPTIONS, "settings": {"estimator": estimator}, "intensity_range": (0.25, 3.0)}
    measure_pair.main(reprojected, str(tree.reference), str(bins), pixels, view, "irac4_atgauss4", None, options)
    pair = {"bins": str(bins), "pixels": pixels, "reference": "irac4", "ref_filter": "irac4", "label": "irac4"}
    pair |= {"kind": "external", "resolution": "gauss4", "problem": "", "range_follows": False}
    image = {
        "image": str(tree.image),
        "name": "a",
        "band": "F770W",
        "target": "t",
        "instrument": "miri",
        "pairs": [pair],
    }
    solve_offsets.main([image], solved, options["settings"])
    measured, (record,) = strictly(bins), strictly(solved)
    assert measured["sigma_x"] is None
    assert None in measured["median"]
    assert record["status"] == "anchored"
    assert record["offset_err"] is None
    # An internal image whose reference has no error gets an offset, and no error.
    write_json(bins, {**measured, "reference_source": measured["image_source"]})
    internal = {**image, "pairs": [{**pair, "kind": "internal", "reference": "a", "label": "F770W"}]}
    solve_offsets.main([internal], tmp_path / "i.json", options["settings"], external=str(solved))
    (record,) = strictly(tmp_path / "i.json")
    assert record["status"] == "anchored", record["reason"]
    assert record["offset_err"] is None


def test_a_folder_is_there_when_it_is_complete(tmp_path, monkeypatch):
    path = tmp_path / "results/v1"
    with atomic_folder(path) as folder:
        (folder / "a").write_text("a")
        assert not path.exists()
    assert [file.name for file in path.iterdir()] == ["a"]
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "results/v2") as folder:
        raise RuntimeError
    monkeypatch.setenv(RUN, f"{2**22 + 1}-{process_name().partition('-')[2]}")  # no such process
    with pytest.raises(RunOver), atomic_folder(tmp_path / "results/v2") as folder:
        (folder / "a").write_text("a")
    assert [file.name for file in path.parent.iterdir()] == ["v1"]
