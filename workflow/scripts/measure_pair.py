"""Measure an image against its reference: medians in bins, samples and noise for the fit, and data of its figures."""

import logging
from dataclasses import replace

import numpy as np

from anchoring.errors import reason_of
from anchoring.files import intermediates, masks, references
from anchoring.fitting.settings import Settings
from anchoring.images import headers, units
from anchoring.images.galaxies import deprojected_radius
from anchoring.labels import split_label
from anchoring.measuring import measure, noise, thumbnails
from anchoring.measuring.binning import GalaxyRange, fixed_range
from anchoring.measuring.measurement import write_measurement
from anchoring.script import run
from anchoring.solving import records

OPTIONS = {"settings": {}, "intensity_range": None, "noise": None}


def main(
    image,
    reference,
    bins,
    pixels,
    view,
    label,
    galaxy,
    options=OPTIONS,
    kind="external",
    mask=None,
    error=None,
    anchor=None,
):
    x = y = np.empty((0, 0))
    shown = thumbnails.empty_thumbnails()
    try:
        # As they lie in their files: to read memory for the first time costs more than to turn its bytes a few times.
        comparison = intermediates.read_product(image, mapped=True)
        other = (
            references.read_reference(reference)
            if kind == "external"
            else intermediates.read_any(reference, with_error=True, mapped=True)
        )
        intermediates.require_one_grid(comparison, other, image, reference)
        x, y = other.data, comparison.data
        scale = headers.pixel_scale(comparison.header, reference)
        shown = thumbnails.make_thumbnails(x, y, np.isfinite(x) & np.isfinite(y), scale)
        settings, wcs = Settings(**options["settings"]), headers.celestial_wcs(comparison.header, image)
        unit = units.brightness_unit(other.header, reference)
        beam = max(comparison.fwhm, other.fwhm) / scale
        from_map = error is not None and options["noise"] is None
        measured = measure.measure_pair(
            x,
            y,
            beam=beam,
            intensity_range=range_of(options["intensity_range"], galaxy, label, settings.estimator, wcs, x.shape),
            zero=zero_of(kind, anchor, reference),
            mask=None if mask is None else masks.masked_pixels(mask, comparison.header, x.shape),
            least_coverage=settings.least_coverage("binned"),
            stated=noise.stated_noise(options["noise"], other.header, unit.factor),
            uncertainty=references.read_uncertainty(error, x.shape, other.header) if from_map else other.error,
            # The noise of a reference passed through what smoothed it since it was observed, not through its beam: a
            # kernel to the common resolution. That of an external one (`_at` in its label) is not known: a little
            # narrower than the beam.
            smoothed=other.fwhm / scale if kind == "internal" else beam if split_label(label)[1] else 0.0,
            wcs=wcs,
            names=f"{image} and {reference}",
        )
        logging.info("%d pixels in %d bins", measured.n_pixels, np.count_nonzero(measured.bins.count))
        logging.info("unit of the reference: %s", unit)
        logging.info("noise of the reference %.4g MJy/sr (%s)", *measured.noise)
        sources = {"image_source": comparison.source, "reference_source": other.source, "reference_unit": str(unit)}
        zero_err = noise.zero_error(other.header, reference) if kind == "external" else None
        kernel_flags = tuple(sorted({*comparison.kernel_flags, *other.kernel_flags}))
        measured = replace(measured, **sources, zero_err=zero_err, kernel_flags=kernel_flags)
    except Exception as error:
        measured = measure.refused(reason_of(error, f"{image} on {reference}"), x, y)
    write_measurement(measured, bins, pixels)
    thumbnails.write_thumbnails(view, shown)


def range_of(intensity_range, galaxy, label, estimator, wcs, shape):
    """The range of a pair: as configured, inside its galaxy (a row of galaxy_table), or usual for its reference."""
    if intensity_range is not None or galaxy is None:
        return intensity_range or fixed_range(label, estimator)
    radius = deprojected_radius(wcs, shape, **{key: galaxy[key] for key in ("ra", "dec", "posang", "inclination")})
    largest = galaxy["reff_factor"] * galaxy["size_reff"]
    return GalaxyRange(radius, largest, galaxy["percentile_range"], galaxy["range_from"], galaxy["nbins"])


def zero_of(kind, anchor, reference):
    """Where the reference has no light, MJy/sr: at 0 on an external one, unknown on an image without an offset."""
    if anchor is None:
        return 0.0 if kind == "external" else None
    solved = next(record for record in records.read([anchor["path"]]) if record.name == anchor["name"])
    if solved.status != "anchored":
        logging.info("%s has no offset (%s): the range is that on it as observed", reference, solved.reason)
        return None
    return -solved.offset


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.input.image,
        reference=snakemake.input.reference,
        bins=snakemake.output.bins,
        pixels=snakemake.output.pixels,
        view=snakemake.output.view,
        label=snakemake.params.label,
        galaxy=snakemake.params.galaxy,
        options=snakemake.params.options,
        kind=snakemake.params.kind,
        mask=snakemake.input.get("mask") or None,
        error=snakemake.input.get("error") or None,
        anchor=snakemake.params.anchor,
    )
