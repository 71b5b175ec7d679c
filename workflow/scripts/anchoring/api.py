"""The library in few names: what a notebook needs from files to an offset, without Snakemake.

from anchoring import api
"""

from .errors import AnchoringError
from .files.anchored import write_anchored
from .files.hdus import Image
from .files.kernels import read_kernel
from .files.masks import masked_pixels
from .files.mosaics import read_image
from .files.psfs import read_psf
from .files.references import read_reference
from .fitting.drift import Drift, drift_of
from .fitting.fit_pair import Fit, fit_pair
from .fitting.settings import Settings
from .images.convolution import convolve_image, kernel_fwhm, resample_kernel
from .images.headers import celestial_wcs, pixel_scale
from .images.kernel_making import MadeKernel, make_kernel
from .images.psf import PSF, GaussianPSF
from .images.reprojection import reproject_onto
from .measuring.binning import FaintRange, GalaxyRange, fixed_range
from .measuring.measure import measure_pair
from .measuring.measurement import Measurement
from .measuring.noise import Noise
from .showing.fit_figure import plot_fit
from .solving.adjustment import Adjustment, Observations, adjust
from .solving.fits import fit_external
from .solving.offsets import external_offset, internal_offset
from .solving.records import FitRecord, ImageRecord, read

__all__ = [
    "PSF",
    "Adjustment",
    "AnchoringError",
    "Drift",
    "FaintRange",
    "Fit",
    "FitRecord",
    "GalaxyRange",
    "GaussianPSF",
    "Image",
    "ImageRecord",
    "MadeKernel",
    "Measurement",
    "Noise",
    "Observations",
    "Settings",
    "adjust",
    "celestial_wcs",
    "convolve_image",
    "drift_of",
    "external_offset",
    "fit_external",
    "fit_pair",
    "fixed_range",
    "internal_offset",
    "kernel_fwhm",
    "make_kernel",
    "masked_pixels",
    "measure_pair",
    "pixel_scale",
    "plot_fit",
    "read",
    "read_image",
    "read_kernel",
    "read_psf",
    "read_reference",
    "reproject_onto",
    "resample_kernel",
    "write_anchored",
]
