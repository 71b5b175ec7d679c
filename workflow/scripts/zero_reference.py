"""Subtract the sky of a calibrated archive image, and state its error."""

import logging

import numpy as np

from anchoring.bands import width_of
from anchoring.errors import AnchoringError, reason_of
from anchoring.files import intermediates, made_references, masks
from anchoring.images import galaxies, headers
from anchoring.measuring import sky as skies
from anchoring.script import run
from anchoring.showing import layout, sky_figure

LEAST_BEAM = 2.0  # pixels
AROUND = 1.1  # radii of the mosaics that count as galaxy without a galaxy_table
ROWS = 256  # at a time


def main(image, output, figure, sky, psf, sky_radius, title, galaxy=None, mask=None):
    """`galaxy` is the row of the target in the galaxy_table, or None; `psf` names the PSF of the image."""
    try:
        calibrated = made_references.read_step(image)
        if calibrated.data is None:
            raise AnchoringError(f"{image} has no pixel around the mosaics; expected an image of them: correct 'from'")
        found = measured(calibrated, image, sky, psf, sky_radius, galaxy, mask)
        state(calibrated.header, sky, found)
        sky_figure.draw(figure, found, calibrated.header, title)
        subtract(calibrated.data, found)
        made_references.write_step(output, calibrated)
    except Exception as error:
        reason = f"{title}: {reason_of(error, image)}"
        layout.save_refusal(figure, title, reason)
        intermediates.write_refusal(output, reason)


def measured(image, path, sky, psf, sky_radius, galaxy, mask):
    """The `skies.Sky` of an image outside of the galaxy and the mask; None for sky "none"."""
    if sky == "none":
        return None
    wcs, scale = headers.celestial_wcs(image.header, path), headers.pixel_scale(image.header, path)
    field = made_references.stated_field(image.header)
    place = galaxy or {"ra": field.ra, "dec": field.dec, "posang": 0.0, "inclination": 0.0}
    radius = sky_radius * galaxy["size_reff"] if galaxy else AROUND * field.radius
    place = {key: place[key] for key in ("ra", "dec", "posang", "inclination")}
    masked = masks.masked_pixels(mask, image.header, image.data.shape) if mask else None

    def excluded(step):
        shape = tuple(n // step for n in image.data.shape)
        squares = wcs.slice((slice(None, None, step),) * 2) if step > 1 else wcs
        out = galaxies.deprojected_radius(squares, shape, **place) <= radius
        if masked is not None:
            out |= skies.averaged(masked, step) > 0
        return out

    centre = [float(v) for v in wcs.all_world2pix(*in_frame(wcs, place), 0)]
    width = width_of(psf)
    beam = max((width[1] if width else 0) / scale, LEAST_BEAM)
    try:
        return skies.measure_sky(image.data, excluded, beam=beam, centre=centre, plane=sky == "plane")
    except AnchoringError as error:
        raise AnchoringError(f"{path}: {error}") from error


def in_frame(wcs, place):
    """Longitude and latitude of the galaxy in the frame of a WCS, degrees."""
    return np.degrees(galaxies.in_frame_of(wcs, place["ra"], place["dec"], 0.0)[:2])


def state(header, sky, found):
    """Add to a header what was subtracted, with its error."""
    header["REFSKYM"] = (sky, "sky that was subtracted")
    if found is None:
        return
    header["REFSKY"] = (float(f"{found.level:.7g}"), "[MJy/sr] sky at the galaxy that was subtracted")
    header["REFZERR"] = (float(f"{found.error:.4g}"), "[MJy/sr] error of the zero level, jackknife")
    header["REFSKYN"] = (int(found.used.sum()) * found.step**2, "sky pixels")
    header["REFSKYF"] = (float(f"{found.share:.4g}"), "share of sky pixels")
    for axis, slope in zip("XY", found.gradient, strict=True):
        header[f"REFGRD{axis}"] = (float(f"{slope:.5g}"), "[MJy/sr] per pixel, of the plane")
    if found.flags:
        header["REFFLAG"] = " ".join([*header.get("REFFLAG", "").split(), *found.flags])
        logging.warning("flags: %s", ", ".join(found.flags))
    logging.info("sky %.6g +- %.2g MJy/sr from %.3g of the field", found.level, found.error, found.share)


def subtract(data, found):
    """Subtract the sky, in place, some rows at a time."""
    if found is None:
        return
    for start in range(0, len(data), ROWS):
        rows = data[start : start + ROWS]
        rows -= found.plane(start, start + len(rows), data.shape[1]).astype(np.float32)


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.input.image,
        output=snakemake.output.image,
        figure=snakemake.output.figure,
        sky=snakemake.params.sky,
        psf=snakemake.params.psf,
        sky_radius=snakemake.params.sky_radius,
        title=snakemake.params.title,
        galaxy=snakemake.params.galaxy,
        mask=snakemake.input.get("mask") or None,
    )
