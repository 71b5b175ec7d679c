"""What the references of a survey say of each other's zero levels."""

import numpy as np
from made import make_fit, make_image

from anchoring.solving.offsets import solve_external
from anchoring.solving.zeros import disagreements, reference_rows

ERRORS = {"slope_err": 0.0, "covariance": 0.0, "slope_sys": 0.0, "covariance_sys": 0.0, "intercept_sys": 0.0}
SLOPES = {"irac1": 0.9, "w1": 1.0, "irac2": 1.3, "w2": 1.7}


def solved(target, zeros, error=0.001):
    """An image whose references are too bright by `zeros`: y = m (x - z) + c has the intercept c - m z."""
    fits = [
        make_fit(label, slope=SLOPES[label], intercept=-0.3 - SLOPES[label] * zero, intercept_err=error, **ERRORS)
        for label, zero in zeros.items()
    ]
    return solve_external(make_image(*fits, target=target))


def test_a_reference_that_is_too_bright_is_so_by_the_others():
    zeros = {"irac1": 0.1, "w1": 0.0, "irac2": 0.0, "w2": 0.0}
    found = {one.reference: one for one in disagreements([solved("a", zeros)])}
    np.testing.assert_allclose(found["irac1"].zero, 0.1, rtol=1e-9)
    assert found["irac1"].flagged
    # Each of the others has it as a third of what it is compared with.
    np.testing.assert_allclose(found["w1"].zero, -0.03, rtol=0.01)


def test_the_table_recovers_how_zeros_scatter(rng):
    images = [
        solved(f"t{i}", {label: rng.normal(0.02 * (label == "w2"), 0.01) for label in SLOPES}) for i in range(200)
    ]
    rows = {row["reference"]: row for row in reference_rows(images)}
    assert [row["n_targets"] for row in rows.values()] == [200] * 4
    assert 0.015 < rows["w2"]["mean"] < 0.030
    # Its own scatter, and that of the mean of three others.
    for label, slope in SLOPES.items():
        others = np.array([other / slope for name, other in SLOPES.items() if name != label])
        expected = 0.01 * np.sqrt(1 + np.sum(others**2) / 9)
        np.testing.assert_allclose([rows[label]["scatter"], rows[label]["std"]], expected, rtol=0.3)


def test_what_cannot_be_compared_is_in_no_row():
    alone = solve_external(make_image(make_fit("irac4", slope=1.0, intercept=0.1, intercept_err=0.1, **ERRORS)))
    failed = make_fit("w3", status="failed", reason="no pixels")
    assert reference_rows([alone, make_image(failed, status="failed"), make_image()]) == []
