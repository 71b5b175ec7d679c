"""From fits to offsets: what has to be added to an image so that its zero is the reference's zero."""

import math

# A record is one image with the fits it has (a list of mappings in order of preference, each with reference, label,
# kind, resolution, status, reason and, if its status is "fitted", slope, intercept and what else describes the fit).


def external_offset(intercept):
    """Offset, MJy/sr, of an image fitted as y = slope * x + intercept on a reference x whose zero is right."""
    return -intercept


def internal_offset(slope, intercept, reference_offset):
    """Offset, MJy/sr, of an image fitted on a reference band as it was before its own `reference_offset` was added.

    y = slope * x + intercept and the right zero of x is at x + reference_offset = 0, so that
    offset_y = -intercept + slope * reference_offset.
    """
    return -intercept + slope * reference_offset


def internal_offset_error(fit, reference):
    """Error, MJy/sr, of `internal_offset`.

    With m, b the slope and intercept and o the reference band's offset, whose error is independent of theirs::

        var = var(b) + o^2 var(m) + m^2 var(o) - 2 o cov(b, m)

    Parameters
    ----------
    fit : mapping
        slope, slope_err, intercept_err and covariance.
    reference : mapping
        offset and offset_err of the reference band.
    """
    o, m = reference["offset"], fit["slope"]
    variance = (
        fit["intercept_err"] ** 2
        + (o * fit["slope_err"]) ** 2
        + (m * reference["offset_err"]) ** 2
        - 2 * o * fit["covariance"]
    )
    # Round-off can leave a variance of 0 a hair below it.
    return math.sqrt(variance) if not variance < 0 else 0.0


def solve_external(image):
    """The offset of a ref_band image: from the first of its fits, in order of preference, that is usable.

    Parameters
    ----------
    image : mapping
        A record with its `fits`.

    Returns
    -------
    The record with status (anchored, skipped or failed), offset and offset_err (MJy/sr or None), chosen (index in
    fits or None), reference and reason added.
    """
    for index, fit in enumerate(image["fits"]):
        if fit["status"] == "fitted":
            return _anchored(image, index, external_offset(fit["intercept"]), fit["intercept_err"])
    return _not_anchored(image)


def solve_internal(image, references):
    """The offset of any other image, from its fit on an anchored ref_band image: the one with most pixels in common.

    Parameters
    ----------
    image : mapping
        A record with its `fits`.
    references : mapping
        Solved record of every ref_band image, by name.

    Returns
    -------
    As `solve_external`; a fit on a ref_band image that is not anchored fails with that reason.
    """
    fits = [_on_anchored(fit, references.get(fit["reference"])) for fit in image["fits"]]
    image = {**image, "fits": fits}
    usable = [index for index, fit in enumerate(fits) if fit["status"] == "fitted"]
    if not usable:
        return _not_anchored(image)
    index = max(usable, key=lambda i: fits[i]["n_pixels"])
    fit = fits[index]
    reference = references[fit["reference"]]
    offset = internal_offset(fit["slope"], fit["intercept"], reference["offset"])
    return _anchored(image, index, offset, internal_offset_error(fit, reference))


def _on_anchored(fit, reference):
    if fit["status"] != "fitted" or (reference and reference["status"] == "anchored"):
        return fit
    reason = f"its reference band is not anchored ({reference['reason']})" if reference else "its reference is unknown"
    return {**fit, "status": reference["status"] if reference else "failed", "reason": reason}


def _anchored(image, index, offset, error):
    solved = {"status": "anchored", "offset": offset, "offset_err": error, "chosen": index}
    return {**image, **solved, "reference": image["fits"][index]["label"], "reason": ""}


def _not_anchored(image):
    """Failed if anything was tried, else skipped."""
    fits = image["fits"]
    status = "failed" if any(fit["status"] == "failed" for fit in fits) else "skipped"
    reason = "; ".join(dict.fromkeys(f"{fit['label']}: {fit['reason']}" for fit in fits))
    return {
        **image,
        "status": status,
        "offset": None,
        "offset_err": None,
        "chosen": None,
        "reference": "",
        "reason": reason,
    }
