"""One image of several that overlap."""

import math
import warnings

import numpy as np
import scipy  # which loads its parts when they are used

from ..errors import AnchoringError

SAMPLES = 256  # along a side of the grid, at which images are looked at for their overlaps


def require_overlap(images, wcs, shape, names):
    """AnchoringError unless all images are joined by overlaps, over which their levels can be matched.

    Parameters
    ----------
    images, wcs, shape
        As of `coadd`.
    names : list of str
        Of the images, for the message.
    """
    step = max(math.ceil(max(shape) / SAMPLES), 1)
    y, x = np.mgrid[0 : shape[0] : step, 0 : shape[1] : step]
    seen = np.array([_seen(image, own, wcs.pixel_to_world(x, y)) for image, own in images], dtype=np.float32)
    number, groups = scipy.sparse.csgraph.connected_components(seen @ seen.T > 0)
    if number > 1:
        first, *_, last = (
            ", ".join(n for n, group in zip(names, groups, strict=True) if group == g) for g in range(number)
        )
        raise AnchoringError(
            f"{last} does not overlap {first} around the mosaics; expected images that overlap, since their levels "
            "are matched there: add those between them to 'from', or leave out what is not needed"
        )


def _seen(image, own, places):
    """At which places an image is observed: (n,) bool array."""
    x, y = (np.rint(np.nan_to_num(v, nan=-1)).astype(int).ravel() for v in own.world_to_pixel(places))
    inside = (x >= 0) & (x < image.shape[1]) & (y >= 0) & (y < image.shape[0])
    inside[inside] = np.isfinite(image[y[inside], x[inside]])
    return inside


def coadd(images, wcs, shape):
    """The mean of images of one sky on a new grid, after their levels were matched where they overlap.

    With `reproject.mosaicking.reproject_and_coadd` and bicubic interpolation, which keeps the width of stars that are
    sampled as in WISE images to 1 %, where bilinear interpolation widens them by 5 %. The level of all is free: it is
    measured afterwards.

    Parameters
    ----------
    images : list of ((ny, nx) array, astropy.wcs.WCS)
        NaN where unobserved.
    wcs : astropy.wcs.WCS, shape : (ny, nx)
        Of the result.

    Returns
    -------
    (ny, nx) float32 array, NaN where no image has a pixel
    """
    from reproject.mosaicking import reproject_and_coadd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of means of nothing
        mean, footprint = reproject_and_coadd(
            images,
            wcs,
            shape_out=shape,
            reproject_function=_bicubic,
            match_background=len(images) > 1,
            blank_pixel_value=np.nan,
        )
    mean[footprint == 0] = np.nan
    return mean.astype(np.float32)


def coadd_errors(errors, wcs, shape):
    """The standard deviation of `coadd` from those of its images: of n, sqrt(mean of squares / n).

    Interpolation, which makes the noise of a pixel smaller and correlates it with its neighbours', is left out.
    """
    from reproject import reproject_interp
    from reproject.mosaicking import reproject_and_coadd

    squares = [(np.square(error), own) for error, own in errors]
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of means of nothing
        mean, number = reproject_and_coadd(
            squares, wcs, shape_out=shape, reproject_function=reproject_interp, blank_pixel_value=np.nan
        )
        return np.sqrt(mean / number).astype(np.float32)


def _bicubic(image, output_projection, *, shape_out, **_):
    """As `reproject.reproject_interp` with order "bicubic", of an image with holes.

    A spline through a NaN would be NaN everywhere: holes are filled with the nearest pixel, and made again where
    bilinear interpolation has them.
    """
    from reproject import reproject_interp

    data, wcs = image
    grid = {"output_projection": output_projection, "shape_out": shape_out}
    good = np.isfinite(data)
    if good.all():
        return reproject_interp((data, wcs), order="bicubic", **grid)
    nearest = scipy.ndimage.distance_transform_edt(~good, return_distances=False, return_indices=True)
    out, footprint = reproject_interp((data[tuple(nearest)], wcs), order="bicubic", **grid)
    seen = reproject_interp((np.where(good, 1, np.nan), wcs), order="bilinear", return_footprint=False, **grid)
    out[np.isnan(seen)] = np.nan
    return out, footprint
