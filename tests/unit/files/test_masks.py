"""Stars in the mosaic alone, masked on its own pixels, leave the offset as it is without them."""

import shutil

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose, assert_array_equal
from runs import Project

from anchoring.files import masks, mosaics
from anchoring.images import headers
from simulation.skies import IDEAL

BANDS = ("F770W", "F1130W")
CONFIG = {"instruments": {"miri": {"external_bands": ["irac4_atgauss4"], "internal_conv_band": "gauss4"}}}
RADIUS = 1.2  # arcsec


def header(shape, scale, angle=0.0, centre=(24.0, 15.0)):
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    cards = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": centre[0], "CRVAL2": centre[1]}
    cards |= {"CRPIX1": shape[1] / 2 + 0.5, "CRPIX2": shape[0] / 2 + 0.5}
    cards |= {"CD1_1": -scale / 3600 * cos, "CD1_2": -scale / 3600 * sin}
    return fits.Header(cards | {"CD2_1": -scale / 3600 * sin, "CD2_2": scale / 3600 * cos})


def written(folder, mask, head):
    fits.PrimaryHDU(mask, head).writeto(folder / "mask.fits", overwrite=True)
    return str(folder / "mask.fits")


# ---- on which pixels


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4"])
def test_a_mask_on_the_own_pixels_of_an_image_stays_as_it_is(tmp_path, rng, dtype):
    shape = (300, 217)
    mask = rng.random(shape) < 0.2
    head = header(shape, 0.11, 33.0)
    rows = masks.masked_rows(written(tmp_path, mask.astype(dtype), head), head, shape)
    assert_array_equal(rows(0, 300), mask)
    assert_array_equal(np.concatenate([rows(row, min(row + 70, 300)) for row in range(0, 300, 70)]), mask)


def test_a_mask_on_another_grid_leaves_out_the_same_sky(tmp_path):
    """A disk of 20" on a coarse, turned grid, 5" to the north of the image's centre."""
    shape, wide = (300, 280), (90, 80)
    head, grid = header(wide, 0.75, 40.0), header(shape, 0.2)
    wcs, other = headers.celestial_wcs(head), headers.celestial_wcs(grid)
    disk = []
    for where, size in ((wcs, wide), (other, shape)):
        y, x = np.indices(size)
        sky = where.pixel_to_world(x, y)
        centre = sky[0, 0].__class__(24.0, 15.0 + 5 / 3600, unit="deg")
        disk.append(sky.separation(centre).arcsec)
    found = masks.masked_rows(written(tmp_path, (disk[0] < 20).astype("u1"), head), grid, shape)(0, 300)
    assert found[disk[1] < 20 - 0.75].all()
    assert not found[disk[1] > 20 + 0.75].any()


def test_beyond_a_mask_pixels_are_kept(tmp_path):
    shape = (50, 60)
    path = written(tmp_path, np.ones((20, 20), "u1"), header((20, 20), 0.2))
    found = masks.masked_rows(path, header(shape, 0.2), shape)(0, 50)
    assert found.sum() == 400
    assert found[15:35, 20:40].all()
    away = masks.masked_rows(path, header(shape, 0.2, centre=(200.0, -30.0)), shape)
    assert not away(0, 50).any()


def test_a_masked_mosaic_is_unobserved_there_in_data_and_error(tmp_path, rng):
    shape = (60, 50)
    mask = rng.random(shape) < 0.3
    planes = [fits.ImageHDU(np.ones(shape, "f4"), header(shape, 0.1), name=name) for name in ("SCI", "ERR")]
    fits.HDUList([fits.PrimaryHDU(), *planes]).writeto(tmp_path / "image.fits")
    mosaic = mosaics.map_image(tmp_path / "image.fits")
    mosaic.mask(masks.masked_rows(written(tmp_path, mask.astype("u1"), mosaic.header), mosaic.header, shape))
    for plane in mosaic.rows(10, 40):
        assert_array_equal(np.isnan(plane), mask[10:40])


# ---- through the workflow


def add_stars(path, rng, seed_mask):
    """Bright stars on a mosaic; the mask of them on its own pixels."""
    with fits.open(path, mode="update") as hdus:
        data, head = hdus["SCI"].data, hdus["SCI"].header
        scale = abs(head["CDELT1"]) * 3600
        y, x = np.indices(data.shape)
        mask = np.zeros(data.shape, "u1")
        for row, column in rng.uniform(0.1, 0.9, (40, 2)) * data.shape:
            r = np.hypot(y - row, x - column) * scale
            data[(data != 0) & (r < RADIUS)] += 200
            mask[r < RADIUS] = 1
        fits.PrimaryHDU(mask, head.copy()).writeto(seed_mask, overwrite=True)
        return mask == 1


def test_masked_stars_do_not_move_the_offset(tmp_path, rng):
    """One galaxy as three targets: without stars, with stars that are masked in both, and with stars and no mask."""
    tree = {"targets": ("clean",), "bands": BANDS, "references": ("irac4_atgauss4",), "sky": IDEAL}
    project = Project(tmp_path, config={"mask_dir": "data/masks", **CONFIG}, **tree)
    data, masks_of = project.folder / "data", project.folder / "data/masks"
    masks_of.mkdir()
    truth = {row["band"]: row["offset"] for row in project.truth}
    clean, stars = {band: project.image("clean", band) for band in BANDS}, {}
    for target in ("starry", "unmasked"):
        shutil.copy(data / "ref/clean_irac4_atgauss4.fits", data / f"ref/{target}_irac4_atgauss4.fits")
        for band, path in clean.items():
            copy = data / target / band / "lv3" / path.name.replace("clean", target)
            copy.parent.mkdir(parents=True)
            shutil.copy(path, copy)
    for band in BANDS:
        mask = masks_of / f"starry_{band}.fits"
        stars[band] = add_stars(project.image("starry", band), rng, mask)
        shutil.copy(mask, masks_of / f"clean_{band}.fits")
        add_stars(project.image("unmasked", band), rng, tmp_path / "unused.fits")
    anchored = project.anchored("starry", "F770W")
    project.run("results/anchor_summary.csv", str(anchored.relative_to(project.folder)))
    found = {target: {} for target in ("clean", "starry", "unmasked")}
    for (target, band, _), row in project.summary().items():
        found[target][band] = float(row["offset"] or "nan")
    assert found["starry"] == pytest.approx(found["clean"], abs=1e-6)
    assert found["starry"] == pytest.approx(truth, abs=0.01)
    assert all(not abs(found["unmasked"][band] - truth[band]) < 0.01 for band in BANDS)
    # A mask concerns the fit: all that is observed is anchored.
    before, after = (fits.getdata(path, "SCI") for path in (project.image("starry", "F770W"), anchored))
    masked = stars["F770W"] & np.isfinite(before) & (before != 0)
    assert masked.any()
    assert_allclose((after - before)[masked], found["starry"]["F770W"], atol=1e-4)
    # The masks are inputs of the convolution: an edited or a removed one reruns it.
    with fits.open(masks_of / "starry_F770W.fits", mode="update") as hdus:
        hdus[0].data[70:75] = 1
    (masks_of / "clean_F1130W.fits").unlink()
    assert project.planned_jobs("results/anchor_summary.csv")["convolve_image"] == 2


def test_a_pixel_of_the_reference_is_left_out_by_the_majority_of_the_masks_pixels(tmp_path, rng):
    """A fine mask of stripes and noise on a grid five times as coarse: counted, not taken at the pixels' centres."""
    coarse, ratio = (24, 20), 5
    mask = rng.random((coarse[0] * ratio, coarse[1] * ratio)) < 0.35
    mask[::ratio] = mask[2::ratio] = True  # the rows of all centres
    path = written(tmp_path, mask.astype("u1"), header(mask.shape, 0.2))
    share = mask.reshape(coarse[0], ratio, coarse[1], ratio).mean(axis=(1, 3))
    assert_array_equal(masks.masked_pixels(path, header(coarse, 0.2 * ratio), coarse), share > 0.5)
    assert 0.2 < (share > 0.5).mean() < 0.98
