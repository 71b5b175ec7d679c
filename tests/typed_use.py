"""A program with types that uses `anchoring.api`: mypy checks it in `make lint`, nothing runs it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from anchoring import api

Floats = NDArray[np.floating]


def offset_of(mosaic_path: Path, reference_path: str, kernel_path: Path, mask_path: Path) -> float:
    mosaic, reference = api.read_image(mosaic_path, band="F770W"), api.read_reference(reference_path)
    assert_type(mosaic, api.Image)
    assert_type(mosaic.error, Floats | None)
    scale = assert_type(api.pixel_scale(mosaic.header), float)
    pixels, kernel_scale = api.read_kernel(kernel_path)
    kernel = assert_type(api.resample_kernel(pixels, kernel_scale, scale), NDArray[np.float64])
    convolved, error = api.convolve_image(mosaic.data, kernel, mosaic.error, threads=2)
    assert_type(error, Floats | None)
    wcs, grid = api.celestial_wcs(mosaic.header), api.celestial_wcs(reference.header)
    image = assert_type(api.reproject_onto(convolved, wcs, grid, reference.data.shape, method="exact"), Floats)
    measured = api.measure_pair(
        reference.data,
        image,
        beam=api.kernel_fwhm(kernel) * scale,
        intensity_range=api.fixed_range("irac4_atgauss4", "binned"),
        mask=api.masked_pixels(mask_path, reference.header, reference.data.shape),
        stated=api.Noise(0.01, "config"),
        wcs=grid,
    )
    assert_type(measured, api.Measurement)
    assert_type(api.fixed_range("w1_atgauss7p5", "errors_in_variables"), tuple[float, float] | api.FaintRange)
    assert_type(measured.limits, tuple[float, float] | None)
    settings = api.Settings("errors_in_variables", bin_weights="count")
    drift = assert_type(api.drift_of("F770W", "irac4_atgauss4"), api.Drift)
    fit = assert_type(api.fit_pair(measured, settings, drift=drift), api.Fit)
    assert_type(fit.statistical, NDArray[np.float64])
    assert_type(fit.flags, tuple[str, ...])
    offset = assert_type(api.external_offset(fit.intercept), float)
    known: dict[str, Any] = {"reference": "irac4_atgauss4", "resolution": "gauss4", "version": "1"}
    api.write_anchored(mosaic_path, "anchored.fits", offset=offset, slope=fit.slope, offset_err=None, **known)
    record = assert_type(api.fit_external(measured, "F770W", "irac4_atgauss4", settings), api.FitRecord)
    api.plot_fit(measured, record, "F770W", target="ngc0628").savefig("fit.png")
    return assert_type(api.internal_offset(fit.slope, fit.intercept, offset), float)


def kernel_from(psf_path: Path) -> api.MadeKernel:
    psf: api.PSF | api.GaussianPSF = api.read_psf(psf_path)
    return assert_type(api.make_kernel(psf, api.GaussianPSF(4.0), circularise=True), api.MadeKernel)


def flagged(paths: Sequence[Path]) -> list[str]:
    try:
        records = assert_type(api.read(paths), list[api.ImageRecord])
    except api.AnchoringError:
        return []
    fits = [record.chosen_fit for record in records]
    assert_type(fits[0], api.FitRecord | None)
    return [word for fit in fits if fit for word in fit.flags]


def errors_of(observed: api.Observations, n_images: int, galaxy: api.GalaxyRange) -> NDArray[np.float64]:
    assert_type(galaxy.percentiles, tuple[float, float])
    adjusted = assert_type(api.adjust(observed, n_images, [0.01, 0.02]), api.Adjustment)
    return np.sqrt(np.diag(adjusted.covariance))
