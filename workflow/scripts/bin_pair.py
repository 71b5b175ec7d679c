"""Bin an image against its reference: medians for the fit, and what its errors and its figure need of the pixels."""

import json
import logging

import numpy as np

from anchoring import binning, images, uncertainty, views
from anchoring.errors import AnchoringError
from anchoring.files import whole_file
from anchoring.stage import run


def main(image, reference, bins, pixels, view, label, galaxy):
    counts, x_edges, y_edges = binning.pixel_density(np.empty(0), np.empty(0))
    blocks, seen = {}, views.empty_view()
    try:
        comparison, other = images.read_product(image), images.read_any(reference)
        x_image, y_image = other.data, comparison.data
        both = np.isfinite(x_image) & np.isfinite(y_image)
        if not both.any():
            raise AnchoringError(f"{image} and {reference} have no observed pixel in common")
        scale = images.pixel_scale(comparison.header, image)
        seen = views.make_view(x_image, y_image, both, scale)
        x, y = x_image[both].astype(float), y_image[both].astype(float)
        counts, x_edges, y_edges = binning.pixel_density(x, y)
        limits, edges = _range_and_edges(comparison.header, x_image, y_image, both, label, galaxy)
        counts, x_edges, y_edges = binning.pixel_density(x, y, limits)
        medians = binning.bin_medians(x, y, edges)
        beam = max(comparison.fwhm, other.fwhm) / scale
        blocks = uncertainty.block_sums(x, y, both, edges, medians, beam=beam)._asdict()
        logging.info("%d pixels in common, %d bins with data", x.size, (medians.count > 0).sum())
        result = {
            "refused": "",
            "range": limits,
            "span": [x.min(), x.max()],
            "n_pixels": int(medians.count.sum()),
            **{name: values.tolist() for name, values in medians._asdict().items()},
        }
    except AnchoringError as refusal:
        logging.error("%s", refusal)
        result = {"refused": str(refusal)}
    with whole_file(bins) as temporary:
        temporary.write_text(json.dumps(result, indent=1))
    with whole_file(pixels) as temporary:
        np.savez_compressed(temporary, density=counts, x_edges=x_edges, y_edges=y_edges, **blocks)
    with whole_file(view) as temporary:
        np.savez_compressed(temporary, **seen._asdict())


def _range_and_edges(header, x_image, y_image, both, label, galaxy):
    """The range of a pair, fixed by its reference or from percentiles inside the galaxy, and the edges of its bins."""
    if galaxy is None:
        limits = binning.fixed_range(label)
        return limits, binning.fixed_width_edges(*limits)
    from anchoring.galaxies import deprojected_radius

    place = {key: galaxy[key] for key in ("ra", "dec", "posang", "inclination")}
    radius = deprojected_radius(images.celestial_wcs(header), both.shape, **place)
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
    )
