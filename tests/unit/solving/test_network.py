"""From pairs to the records of a network, and to those of its images."""

import math

import numpy as np
from made import make_fit, make_image
from numpy.testing import assert_allclose

from anchoring.fitting.fit_pair import Replicated
from anchoring.solving import network_records
from anchoring.solving.network import adjusted, network
from anchoring.solving.offsets import solve_external, solve_internal

OFFSETS = {"F300M": 0.3, "F335M": -0.2, "F360M": 0.5}
BRIGHTNESS = {"F300M": 0.9, "F335M": 0.85, "F360M": 0.8, "irac1": 1.0, "irac2": 0.7, "w1": 0.9, "w2": 0.5}
LABELS = ("irac1", "irac2", "w1", "w2")
ERRORS = {"slope_err": 0.0, "covariance": 0.0, "slope_sys": 0.0, "covariance_sys": 0.0, "intercept_sys": 0.0,
          "intercept_err": 0.01, "n_pixels": 9}  # fmt: skip


def line(band, on, zeros):
    slope = BRIGHTNESS[band] / BRIGHTNESS[on]
    return slope, -OFFSETS[band] - slope * (-OFFSETS[on] if on in OFFSETS else zeros.get(on, 0.0))


def made(zeros, rng, noise=0.002, known=0.02):
    """Images as the tree solves them, all pairs and their fits, and the network."""
    pairs = [(band, on) for band in OFFSETS for on in LABELS]
    pairs += [("F335M", "F300M"), ("F360M", "F300M"), ("F335M", "F360M")]
    described, fits = [], []
    for band, on in pairs:
        slope, intercept = line(band, on, zeros)
        blocks = rng.normal(0, noise * math.sqrt(20), 20)
        replicates = np.stack([np.full(20, slope), intercept + (blocks.sum() - blocks) / 19])
        fits.append(Replicated(slope, intercept + blocks.mean(), replicates, np.zeros((0, 2)), 1.0))
        kind = "internal" if on in OFFSETS else "external"
        described.append({"band": band, "name": "a", "reference": "a" if kind == "internal" else on, "label": on,
                          "kind": kind, "other": "a" if kind == "internal" else None})  # fmt: skip
    tree = [solve_external(make_image(*[tree_fit("F300M", on, zeros) for on in LABELS], band="F300M"))]
    for band in ("F335M", "F360M"):
        internal = tree_fit(band, "F300M", zeros, kind="internal", reference="a")
        tree.append(solve_internal(make_image(internal, band=band), {("F300M", "a"): tree[0]}))
    return tree, described, fits, network(tree, described, fits, zero_errors=dict.fromkeys(LABELS, known))


def tree_fit(band, on, zeros, **more):
    slope, intercept = line(band, on, zeros)
    return make_fit(on, slope=slope, intercept=intercept, **{**ERRORS, **more})


def test_a_network_is_written_and_read_as_it_was(rng, tmp_path):
    *_, found = made({}, rng)
    network_records.write(tmp_path / "a.json", found)
    again = network_records.read(tmp_path / "a.json")
    assert again == found
    assert [image.band for image in again.images] == list(OFFSETS)
    assert_allclose([image.offset for image in again.images], list(OFFSETS.values()), atol=0.03)
    assert len(again.covariances) == 6
    variances = {c.band_1: c.covariance for c in again.covariances if c.band_1 == c.band_2}
    for image in again.images:
        assert_allclose(variances[image.band], image.offset_err**2 + image.offset_sys**2)
        assert 0 < image.zero_err <= image.offset_sys
    assert all(0.5 < c.correlation <= 1 + 1e-9 for c in again.covariances)  # the zeros of references are common


def test_a_suspect_reference_flags_what_hangs_on_it(rng):
    tree, *_, found = made({"irac1": 0.2}, rng)
    assert found.suspect == "irac1"
    assert_allclose(found.references[0].zero, 0.2, atol=0.03)
    images = adjusted(tree, found, {})
    # The tree's own offsets stay as they are, and are flagged.
    assert [(i.offset, i.reference) for i in images] == [(i.offset, i.reference) for i in tree]
    assert all("reference_suspect" in image.flags for image in images)
    flagged = [fit.label for fit in images[0].fits if fit.kind == "external" and "reference_suspect" in fit.flags]
    assert flagged == ["irac1"]
    assert [image.fits[-1].kind for image in images] == ["adjustment"] * 3
    right, *_, found = made({}, rng)
    assert all(not image.flags for image in adjusted(right, found, {}))


def test_the_adjustment_fixes_the_offsets_if_it_is_the_solution(rng):
    tree, described, fits, _ = made({}, rng)
    found = network(tree, described, fits, solution="adjustment", zero_errors=dict.fromkeys(LABELS, 0.02))
    images = adjusted(tree, found, {(band, "a"): {"crc"} for band in OFFSETS})
    for image, of_network in zip(images, found.images, strict=True):
        assert (image.reference, image.source, image.chosen_fit.kind) == ("adjustment", "crc", "adjustment")
        assert (image.offset, image.offset_err, image.offset_sys) == (
            of_network.offset, of_network.offset_err, of_network.offset_sys,
        )  # fmt: skip
    drawn = adjusted(tree, found, {(band, "a"): {"crc"} for band in OFFSETS}, ["kernel_from_model"])
    assert all("kernel_from_model" in image.flags for image in drawn)
    changed = adjusted(tree, found, {("F335M", "a"): {"crc", "other"}})[1]
    assert changed.offset == tree[1].offset
    assert "not_adjusted" in changed.flags
    assert "changed between its fits" in changed.fits[-1].reason


def test_without_an_answer_the_offset_of_the_tree_stays_and_says_so(rng):
    tree, described, fits, _ = made({}, rng)
    lost = ["F335M" in (pair["band"], pair["label"]) for pair in described]
    fits = ["no pixels" if is_lost else fit for fit, is_lost in zip(fits, lost, strict=True)]
    found = network(tree, described, fits, solution="adjustment", zero_errors=dict.fromkeys(LABELS, 0.02))
    assert "no pair connects it" in found.images[1].reason
    image = adjusted(tree, found, {})[1]
    assert (image.status, image.offset, image.reference) == ("anchored", tree[1].offset, "F300M")
    assert "not_adjusted" in image.flags
    nothing = network(tree, described, ["no pixels"] * len(fits), zero_errors=dict.fromkeys(LABELS, 0.02))
    assert all(image.reason for image in nothing.images)
    assert not nothing.suspect


def test_errors_of_zeros_that_are_not_known_name_nothing(rng):
    *_, found = made({"irac1": 0.2}, rng, known=None)
    assert found.suspect is None
    assert found.disagree
