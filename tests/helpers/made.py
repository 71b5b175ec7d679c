"""Records of fits and images as the library makes them, with what a test does not care about filled in."""

from anchoring.solving.records import FitRecord, ImageRecord


def make_fit(label="irac4_atgauss4", **known):
    """A fit on an external reference, fitted unless `known` says otherwise."""
    usual = {"reference": label, "ref_filter": f"ngc0628_{label}", "kind": "external", "resolution": "gauss4"}
    return FitRecord(**{**usual, "label": label, "status": "fitted", **known})


def make_image(*fits, **known):
    """An image with its fits."""
    usual = {"target": "ngc0628", "band": "F770W", "image": "a.fits", "name": "a", "instrument": "miri"}
    return ImageRecord(**{**usual, "fits": fits, **known})
