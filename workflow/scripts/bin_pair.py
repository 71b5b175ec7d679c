"""Bin an image against its reference: medians for the fit, and what its errors and its figure need of the pixels."""

import logging

import numpy as np

from anchoring.errors import AnchoringError, reason_of
from anchoring.files import intermediates, masks, references
from anchoring.files.atomic import atomic_write, write_json
from anchoring.fitting.alignment import grid_axes
from anchoring.fitting.pairs import Settings
from anchoring.images import coverage, headers, units
from anchoring.measuring import binning, noise, samples, thumbnails
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
    pictured, limits = (np.empty(0), np.empty(0)), None
    listed, seen = {}, thumbnails.empty_view()
    try:
        # As they lie in their files: to read memory for the first time costs more than to turn its bytes a few times.
        comparison = intermediates.read_product(image, mapped=True)
        other = (
            references.read_reference(reference)
            if kind == "external"
            else intermediates.read_any(reference, with_error=True, mapped=True)
        )
        x_image, y_image = other.data, comparison.data
        intermediates.require_one_grid(comparison, other, image, reference)
        observed = np.isfinite(x_image) & np.isfinite(y_image)
        if not observed.any():
            raise AnchoringError(f"{image} and {reference} have no observed pixel in common")
        scale = headers.pixel_scale(comparison.header, reference)
        seen = thumbnails.make_view(x_image, y_image, observed, scale)
        beam = max(comparison.fwhm, other.fwhm) / scale
        _require_a_beam(observed, beam, image, reference)
        covered = coverage.beam_coverage(observed, beam)
        settings = Settings(**options["settings"])
        both = observed if mask is None else observed & ~masks.masked_pixels(mask, comparison.header, observed.shape)
        binned = both & (covered >= settings.least_coverage("binned"))
        if not binned.any():
            raise AnchoringError(
                f"all pixels that {image} and {reference} have in common are masked or within erode_fwhm of an edge; "
                "expected some: use a smaller erode_fwhm or another mask"
            )
        _require_a_beam(binned, beam, image, reference)
        pictured = x_image, y_image, binned
        shift = 0.0 if anchor is None else _offset_of(anchor, reference)
        limits, edges = _range_and_edges(
            comparison.header, x_image, y_image, binned, label, galaxy, options["intensity_range"], shift, settings
        )
        medians = binning.bin_medians(x_image, y_image, edges, binned)
        listed = samples.sample_pair(x_image, y_image, both, covered, beam=beam)
        # The noise of a reference passed through what smoothed it since it was observed, not through its beam: a kernel
        # to the common resolution. That of an external reference (`_at` in its label) is not known: a little narrower.
        smoothed = other.fwhm / scale if kind == "internal" else beam if "_at" in label else 0.0
        unit = units.brightness_unit(other.header, reference)
        sigma = _noise(other, y_image, listed, error, options["noise"], smoothed, unit.factor)
        logging.info("%d pixels in common, %d bins with data", np.count_nonzero(binned), (medians.count > 0).sum())
        logging.info("unit of the reference: %s", unit)
        logging.info("noise of the reference %.4g MJy/sr (%s)", *sigma)
        axes = grid_axes(headers.celestial_wcs(comparison.header, image), listed)
        result = {
            "refused": "",
            "image_source": comparison.source,
            "reference_source": other.source,
            "reference_unit": str(unit),
            "range": limits,
            "edges": edges.tolist(),
            "span": coverage.value_range(x_image, binned),
            "n_pixels": int(medians.count.sum()),
            "zero": _zero(kind, anchor, shift),
            "axes": axes.tolist(),
            "sigma_x": sigma.sigma,
            "noise": sigma.source,
            **{name: values.tolist() for name, values in medians._asdict().items()},
        }
        listed = listed._asdict()
    except Exception as error:
        result, listed = {"refused": reason_of(error, f"{image} on {reference}")}, {}
    counts, x_edges, y_edges = binning.pixel_density(*pictured, limits=limits)
    write_json(bins, result)
    with atomic_write(pixels) as temporary:
        np.savez(temporary, density=counts, x_edges=x_edges, y_edges=y_edges, **listed)
    with atomic_write(view) as temporary:
        np.savez(temporary, **seen._asdict())


def _require_a_beam(pixels, beam, image, reference):
    """That pixels in common cover a beam: what is smaller is all edge, and one measurement at most."""
    n, least = np.count_nonzero(pixels), coverage.beam_area(beam)
    if n < least:
        raise AnchoringError(
            f"{image} and {reference} have {n} pixels in common, less than the {least:.0f} of one beam; expected a "
            "larger overlap"
        )


def _zero(kind, anchor, shift):
    """Where the reference has no light: at 0 on an external one, unknown (None) on a ref_band with no offset yet."""
    return 0.0 if kind == "external" else None if anchor is None else -shift


def _offset_of(solved, reference):
    """The offset of the ref_band image `reference`, from the solved records."""
    record = next(r for r in records.read([solved["path"]]) if r["name"] == solved["name"])
    if record["status"] != "anchored":
        raise AnchoringError(
            f"its reference band is not anchored ({record['reason']}); expected an offset of {reference}: "
            "range_on: anchored needs it"
        )
    return record["offset"]


def _noise(reference, y_image, listed, error, configured, smoothed, factor):
    """Noise of the reference's samples, with that of its pixels smoothed by a FWHM in pixels."""
    side = listed.side
    if error is not None and configured is None:
        uncertainty = references.read_uncertainty(error, reference.data.shape, reference.header)
    else:
        uncertainty = reference.error
    if uncertainty is not None:
        uncertainty = np.sqrt(samples.squares(np.square(uncertainty, dtype=float), side, np.mean))
    return noise.reference_noise(
        samples.squares(reference.data, side, np.mean),
        samples.squares(~np.isfinite(y_image), side, np.all),
        beam=listed.beam,
        configured=configured,
        uncertainty=uncertainty,
        header=reference.header,
        averaged=noise.noise_of_mean(side, smoothed),
        factor=factor,
    )


def _range_and_edges(header, x_image, y_image, both, label, galaxy, intensity_range, shift, settings):
    """The range of a pair and the edges of its bins.

    It is fixed by its reference, or from percentiles inside the galaxy; a fixed one is of the reference as it is
    after `shift` is added.
    """
    if galaxy is None or intensity_range is not None:
        low, high = intensity_range or binning.fixed_range(label, settings.estimator)
        limits = low - shift, high - shift
        # The number of bins must not depend on the last digit of the shift.
        return limits, binning.fixed_width_edges(low, high) - shift
    from anchoring.images.galaxies import deprojected_radius

    place = {key: galaxy[key] for key in ("ra", "dec", "posang", "inclination")}
    radius = deprojected_radius(headers.celestial_wcs(header), both.shape, **place)
    values = x_image if galaxy["range_from"] == "reference" else y_image
    limits = binning.dynamic_range(
        values[both], radius[both], galaxy["reff_factor"] * galaxy["size_reff"], galaxy["percentile_range"]
    )
    if galaxy["range_from"] == "comparison":
        return limits, binning.fixed_width_edges(*limits)
    return limits, binning.equal_edges(*limits, galaxy["nbins"])


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
