"""The steps of the workflow without Snakemake: convolve an image, and fit it on a reference."""

from pathlib import Path

import convolve_image
import measure_pair
import reproject_image
from anchoring.fitting.settings import Settings
from anchoring.measuring.measurement import read_measurement
from anchoring.solving.fits import fit_record


def convolve(image, kernel, folder, band=None):
    """Convolve an image by a kernel into a folder; the path of the result."""
    path = Path(folder, f"{Path(image).stem}_by_{Path(kernel).stem}.fits")
    convolve_image.main(str(image), str(kernel), str(path), 1, band)
    return path


def fit_pair(image, reference, label, band, folder):
    """The record of the fit of a convolved image of a band on a reference, with the default settings."""
    names = ("reprojected.fits", "bins.json", "pixels.npz", "thumbnails.npz")
    reprojected, bins, pixels, thumbnails = (str(Path(folder, name)) for name in names)
    reproject_image.main(str(image), str(reference), reprojected, "interp")
    measure_pair.main(reprojected, str(reference), bins, pixels, thumbnails, label, None)
    pair = {
        **dict.fromkeys(("reference", "ref_filter", "label"), label),
        "kind": "external",
        "resolution": "",
        "problem": "",
    }
    return fit_record(pair, read_measurement(bins, pixels), Settings(), band)
