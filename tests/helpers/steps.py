"""The steps of the workflow on files, without Snakemake: convolve an image, and fit it on a reference."""

from pathlib import Path

import bin_pair
import convolve_image
import fit_images
import reproject_image
from anchoring.fitting.pairs import Settings


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
    bin_pair.main(reprojected, str(reference), bins, pixels, thumbnails, label, None)
    pair = {"bins": bins, "pixels": pixels, "reference": label, "label": label}
    return fit_images.fit_of(pair, {"image": str(image), "band": band}, Settings())
