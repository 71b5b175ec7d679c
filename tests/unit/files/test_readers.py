"""What is taken from the files that users bring, and what is not believed."""

import errno
import gzip
import mmap
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS as AstropyWCS
from astropy.wcs.utils import proj_plane_pixel_area
from numpy.testing import assert_array_equal

from anchoring.errors import AnchoringError
from anchoring.files import hdus as hdus_module
from anchoring.files import intermediates, mosaics, references
from anchoring.files.anchored import write_anchored
from anchoring.images import headers

WCS = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 24.0, "CRVAL2": 15.0, "CRPIX1": 5.5, "CRPIX2": 5.5,
       "CDELT1": -1e-4, "CDELT2": 1e-4}  # fmt: skip
SIP = {"A_ORDER": 2, "A_2_0": 1e-3, "B_ORDER": 2, "B_1_1": -1e-3}


@pytest.fixture
def write(tmp_path):
    """Writes a mosaic and gives its path."""

    def mosaic(data=None, primary=None, **cards):
        data = np.ones((10, 10), "f4") if data is None else data
        hdus = [fits.PrimaryHDU(header=fits.Header(primary or {})), fits.ImageHDU(data, fits.Header(cards), name="SCI")]
        fits.HDUList(hdus).writeto(tmp_path / "image.fits", overwrite=True)
        return str(tmp_path / "image.fits")

    return mosaic


def world(header):
    wcs = headers.celestial_wcs(header)
    return np.array(wcs.all_pix2world([[0, 0], [9, 3]], 0))


def test_sip_counts_where_ctype_says_so_and_is_left_over_elsewhere():
    plain, left_over = fits.Header(WCS), fits.Header({**WCS, **SIP})
    stated = fits.Header({**WCS, **SIP, "CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"})
    assert_array_equal(world(left_over), world(plain))
    shift = (world(stated) - world(plain))[0] * [-np.cos(np.radians(15)), 1] / 1e-4
    # A = 1e-3 u^2, B = -1e-3 u v at u = v = -4.5
    assert np.allclose(shift, [1e-3 * 4.5**2, -1e-3 * 4.5**2], atol=1e-5)


@pytest.mark.parametrize(
    "unit", ["MJy/sr", "MJY/SR", "mjy/sr", "MJy / sr", "MJy sr-1", "MJy sr^-1", "MJy.sr-1", "", None]
)
def test_one_unit_in_many_spellings(write, unit):
    mosaics.read_image(write(BUNIT=unit) if unit is not None else write())


@pytest.mark.parametrize("unit", ["mJy/sr", "Jy/sr", "Jy/pixel", "DN", "MJy", "MJy/arcsec2", "electron/s"])
def test_other_units_are_refused(write, unit):
    with pytest.raises(AnchoringError, match=r"image\.fits has BUNIT .*expected MJy/sr: convert"):
        mosaics.read_image(write(BUNIT=unit))


@pytest.mark.parametrize(
    ("band", "cards"),
    [
        ("F770W", {"FILTER": "F770W"}),
        ("f770w", {"FILTER": "F770W"}),
        ("F405N", {"FILTER": "F444W", "PUPIL": "F405N"}),
        ("F200W", {"FILTER": "CLEAR", "PUPIL": "F200W"}),  # NIRISS
        ("F150W2", {"FILTER": "F150W2", "PUPIL": "CLEAR"}),
        ("F770W", {}),
        ("IRAC4", {"FILTER": "F770W"}),
        ("F770W", {"FILTER": "4"}),
        (None, {"FILTER": "F770W"}),
    ],
)
def test_folders_that_agree_with_the_header(write, band, cards):
    mosaics.read_image(write(primary=cards), band=band)


@pytest.mark.parametrize(
    ("band", "cards"),
    [
        ("F770W", {"FILTER": "F1000W"}),
        ("F150W", {"FILTER": "F150W2", "PUPIL": "CLEAR"}),
        ("F360M", {"FILTER": "F444W", "PUPIL": "F405N"}),
    ],
)
def test_folders_that_do_not(write, band, cards):
    with pytest.raises(AnchoringError, match=f"folder of {band}"):
        mosaics.read_image(write(primary=cards), band=band)


def test_what_no_telescope_sees_is_refused_and_such_an_error_is_unknown(write):
    data = np.ones((10, 10), "f4")
    data[3, 3] = -1e12
    with pytest.raises(AnchoringError, match="-1e\\+12 MJy/sr"):
        mosaics.read_image(write(data))
    with fits.open(write(), mode="append") as hdus:
        hdus.append(fits.ImageHDU(-data, name="ERR"))
    error = mosaics.read_image(hdus.filename()).error
    assert np.isnan(error[3, 3])
    assert np.isfinite(error).sum() == 99


def test_a_reference_is_not_observed_where_it_is_0(tmp_path):
    data = np.arange(100.0, dtype="f4").reshape(10, 10)
    fits.PrimaryHDU(data).writeto(tmp_path / "reference.fits")
    read = references.read_reference(str(tmp_path / "reference.fits")).data
    assert np.isnan(read[0, 0])
    assert_array_equal(read.ravel()[1:], data.ravel()[1:])


@pytest.mark.parametrize(
    "cards",
    [
        {"CDELT1": -1e-4, "CDELT2": 1e-4},
        {"CDELT1": 2.0, "CDELT2": 2.0, "PC1_1": -3e-5, "PC1_2": 4e-5, "PC2_1": 4e-5, "PC2_2": 3e-5},
        {"CD1_1": -6e-5, "CD1_2": 8e-5, "CD2_1": 8e-5, "CD2_2": 6e-5},
    ],
)
def test_pixel_scales(cards):
    assert np.isclose(headers.pixel_scale(fits.Header(cards)), 0.36)


@pytest.mark.parametrize(
    "cards",
    [
        {"CDELT1": -1e-4},
        {"CDELT1": -1e-4, "CDELT2": 1.2e-4},
        {"CD1_1": -6e-5, "CD1_2": 8e-5, "CD2_1": 8e-5, "CD2_2": -6e-5},
    ],
)
def test_pixels_that_are_not_square(cards):
    with pytest.raises(AnchoringError, match=r"not square|less than|positive"):
        headers.require_square(fits.Header(cards), "an image")


@pytest.mark.parametrize("value", ["'x'", True, None])
def test_a_scale_that_is_no_number(value):
    with pytest.raises(AnchoringError, match="CDELT1"):
        headers.pixel_scale(fits.Header({"CDELT1": value, "CDELT2": 1e-4}), "an image")


# ---- one pixel scale, that of the WCS


def turned(scale, angle, flip=-1):
    """A CD matrix, degrees, of a scale in arcsec."""
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return scale / 3600 * np.array([[flip * cos, -sin], [flip * sin, cos]])


def matrix(name, values):
    return {f"{name}{i + 1}_{j + 1}": float(values[i][j]) for i in (0, 1) for j in (0, 1)}


PLACE = {key: WCS[key] for key in ("CTYPE1", "CTYPE2", "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2")}
CD = turned(0.11, 33)
PC = {**matrix("PC", turned(3600, 33)), "CDELT1": 0.11 / 3600, "CDELT2": 0.11 / 3600}
ARCSEC = {"CUNIT1": "arcsec", "CUNIT2": "arcsec", "CRVAL1": 24.0 * 3600, "CRVAL2": 15.0 * 3600}
FORMS = {
    "CD": matrix("CD", CD),
    "PC": PC,
    "CD and PC that agree": {**matrix("CD", CD), **PC},
    "CD and PC rounded": {**matrix("CD", np.round(CD, 9)), **PC},
    "CD and CDELT of 1": {**matrix("CD", CD), "CDELT1": 1.0, "CDELT2": 1.0},
    "CD, CDELT and CROTA2": {**matrix("CD", CD), "CDELT1": -0.11 / 3600, "CDELT2": 0.11 / 3600, "CROTA2": 33.0},
    "CROTA2": {"CDELT1": -0.11 / 3600, "CDELT2": 0.11 / 3600, "CROTA2": 33.0},
    "not square": {"CDELT1": -0.1 / 3600, "CDELT2": 0.13 / 3600},
    "not square, turned": {"CDELT1": -0.1 / 3600, "CDELT2": 0.13 / 3600, "CROTA2": 33.0},
    "arcsec": {**ARCSEC, "CDELT1": -0.11, "CDELT2": 0.11},
    "ARCSEC": {**ARCSEC, "CUNIT1": "ARCSEC ", "CUNIT2": "arcseconds", "CDELT1": -0.11, "CDELT2": 0.11},
    "CD in arcmin": {"CUNIT1": "arcmin", "CUNIT2": "arcmin", "CRVAL1": 1440.0, "CRVAL2": 900.0}
    | matrix("CD", 60 * CD),
    "radians": {"CUNIT1": "rad", "CUNIT2": "rad", "CRVAL1": np.radians(24.0), "CRVAL2": np.radians(15.0)}
    | matrix("CD", np.radians(CD)),
    "PC001001": {"CDELT1": -0.11 / 3600, "CDELT2": 0.11 / 3600}
    | {f"PC00{i}00{j}": float(v) for (i, j), v in np.ndenumerate(turned(3600, 33, 1)) for i, j in [(i + 1, j + 1)]},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_scale_is_that_of_the_wcs_of_astropy(form):
    header = headers.plane_header(fits.Header({**PLACE, **FORMS[form]}))
    wcs = headers.celestial_wcs(header)
    truth = np.sqrt(proj_plane_pixel_area(wcs)) * 3600
    assert np.isclose(headers.pixel_scale(header), truth, rtol=1e-5)
    # By the sky itself: what a pixel to the right and one up are apart.
    sky = wcs.pixel_to_world([5, 6, 5], [5, 5, 6])
    sides = sky[0].separation(sky[1:]).arcsec
    assert np.isclose(np.sqrt(np.prod(sides)), truth, rtol=1e-3)
    assert abs(sky[0].ra.deg - 24) + abs(sky[0].dec.deg - 15) < 0.01
    if "square" in form:
        with pytest.raises(AnchoringError, match="not square"):
            headers.require_square(header)
    else:
        headers.require_square(header)
        assert np.isclose(truth, 0.11, rtol=1e-5)


@pytest.mark.parametrize(
    ("cards", "values"),
    [
        ({**PC, **matrix("CD", turned(0.2, 33))}, ('0.2"', '0.11"')),
        ({**PC, **matrix("CD", turned(0.11, 43))}, ("at 33", "at 43")),
        ({**PC, **matrix("CD", turned(0.11, 33, 1))}, ('0.11"',)),
        ({**matrix("CD", CD), "CDELT1": -0.05 / 3600, "CDELT2": 0.05 / 3600}, ('0.11"', '0.05"')),
        ({**matrix("CD", CD), "CDELT1": -0.11 / 3600, "CDELT2": 0.11 / 3600, "CROTA2": 90.0}, ("at 33", "at 90")),
        ({**matrix("CD", CD), **matrix("PC", np.eye(2))}, ('0.11"', '3600"')),
    ],
)
def test_descriptions_that_contradict_each_other_are_refused_with_both(cards, values):
    header = fits.Header({**PLACE, **cards})
    for function in (headers.pixel_scale, headers.celestial_wcs, headers.require_square):
        with pytest.raises(AnchoringError, match=r"ngc\.fits .*contradict each other") as refusal:
            function(header, "ngc.fits")
        assert all(value in str(refusal.value).replace("-", "") for value in values)


def test_a_unit_of_axes_that_is_no_angle_is_refused_by_name():
    with pytest.raises(AnchoringError, match="CUNIT1 = 'm'; expected deg"):
        headers.pixel_scale(fits.Header({**WCS, "CUNIT1": "m"}))


# ---- where on the sky

B1950 = {"CRVAL1": 23.0, "CRVAL2": 14.5}
SPELLINGS = {
    "ICRS": {}, "icrs ": {}, "ICRF": {}, "J2000": {}, "j2000.0": {}, "fk5": {}, "FK5  ": {"EQUINOX": "J2000"},
    "FK5": {"EPOCH": 2000.0}, "B1950": B1950, "fk4": {**B1950, "EQUINOX": 1950.0},
}  # fmt: skip


@pytest.mark.parametrize("radesys", SPELLINGS)
@pytest.mark.parametrize("keyword", ["RADESYS", "RADECSYS"])
def test_frames_in_the_spellings_in_use(radesys, keyword):
    header = fits.Header({**WCS, keyword: radesys, **SPELLINGS[radesys]})
    (x, y) = (4.5, 4.5)
    found = headers.celestial_wcs(header).pixel_to_world(x, y).icrs
    name = radesys.strip().upper()
    frame = "icrs" if name.startswith("IC") else "fk4" if name in ("FK4", "B1950") else "fk5"
    truth = SkyCoord(header["CRVAL1"], header["CRVAL2"], unit="deg", frame=frame).icrs
    assert found.separation(truth).arcsec < 2  # half a pixel is 0.18


@pytest.mark.parametrize("radesys", ["GAPPT", "FK6", "J1991.25", "unknown"])
def test_other_frames_are_refused_by_name(radesys):
    with pytest.raises(
        AnchoringError, match=rf"image\.fits has RADESYS '{radesys.upper()}'; expected ICRS, FK5 or FK4"
    ):
        headers.celestial_wcs(fits.Header({**WCS, "RADESYS": radesys}), "image.fits")


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        ({"RADESYS": "J2000", "EQUINOX": 1950.0}, "EQUINOX 1950"),
        ({"EQUINOX": "now"}, "EQUINOX 'now'"),
        ({"CTYPE1": "ELON-TAN", "CTYPE2": "ELAT-TAN"}, "expected RA and DEC, or GLON and GLAT"),
        ({"CTYPE1": "SLON-TAN", "CTYPE2": "SLAT-TAN"}, "expected RA and DEC, or GLON and GLAT"),
        ({"CTYPE1": "XLON-TAN", "CTYPE2": "XLAT-TAN"}, "expected RA and DEC, or GLON and GLAT"),
    ],
)
def test_what_astropy_cannot_place_on_the_sky_is_refused_when_the_wcs_is_made(cards, words):
    with pytest.raises(AnchoringError, match=words):
        headers.celestial_wcs(fits.Header({**WCS, **cards}), "image.fits")


RIGHT = {
    **{name: {"CTYPE1": f"RA---{name}", "CTYPE2": f"DEC--{name}"} for name in ("TAN", "SIN", "STG", "ZEA", "ARC")},
    "CAR": {"CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR", "CRVAL2": 0.0, "CRPIX2": 5.5 - 15.0e4},
    "Galactic": {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN", "RADESYS": "GALACTIC"},
    "swapped": {"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN", "CRVAL1": 15.0, "CRVAL2": 24.0},
    "flipped": {"CDELT1": 1e-4},
    "SIP": {**SIP, "CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"},
    "old PC": {"PC001001": 0.6, "PC001002": -0.8, "PC002001": 0.8, "PC002002": 0.6},
}


@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
@pytest.mark.parametrize("name", RIGHT)
def test_right_headers_are_what_astropy_takes_them_for(write, name):
    data = np.arange(1.0, 101, dtype="f4").reshape(10, 10)
    path = write(data, **{**WCS, **RIGHT[name]})
    read = mosaics.read_image(path)
    assert_array_equal(read.data, data)
    found = headers.celestial_wcs(read.header)
    with fits.open(path) as hdus:
        plain = hdus["SCI"].header.copy()
    plain.remove("RADESYS", ignore_missing=True)
    truth = AstropyWCS(plain)
    assert np.isclose(headers.pixel_scale(read.header), 0.36)
    ours, theirs = (wcs.pixel_to_world([0, 9, 3], [0, 2, 8]) for wcs in (found, truth))
    assert np.all(ours.separation(theirs).arcsec < 1e-6)


# ---- axes of length 1


AXES = {
    "one plane": ((1, 10, 10), {}),
    "FREQ": ((1, 10, 10), {"CTYPE3": "FREQ", "CRVAL3": 1e14, "CRPIX3": 1.0, "CDELT3": 1.0, "CUNIT3": "Hz"}),
    "STOKES": ((1, 1, 10, 10), {"CTYPE3": "STOKES", "CRVAL3": 1.0, "CRPIX3": 1.0, "CDELT3": 1.0,
                                "CTYPE4": "FREQ", "CRVAL4": 1e14, "CRPIX4": 1.0, "CDELT4": 1e6, "PC4_4": 1.0}),
    "of the WCS alone": ((10, 10), {"WCSAXES": 3, "CTYPE3": "FREQ", "CRVAL3": 1e14, "CRPIX3": 1.0, "CDELT3": 1.0}),
}  # fmt: skip


@pytest.mark.parametrize("name", AXES)
def test_axes_of_length_1_are_none(write, tmp_path, name):
    shape, cards = AXES[name]
    data = np.arange(1.0, 101, dtype="f4").reshape(10, 10)
    plain = mosaics.read_image(write(data, **WCS))
    path = write(data.reshape(shape), **WCS, **cards)
    with fits.open(path, mode="append") as hdus:
        hdus.append(fits.ImageHDU((data / 10).reshape(shape), name="ERR"))
    read, seen = mosaics.read_image(path), mosaics.read_image_header(path)
    assert_array_equal(read.data, data)
    assert np.allclose(read.error, data / 10)
    assert (seen.shape, seen.has_error) == ((10, 10), True)
    assert_array_equal(world(read.header), world(plain.header))
    assert read.header["NAXIS"] == 2
    # The anchored file keeps them.
    write_anchored(path, tmp_path / "anchored.fits", offset=0.5, reference="r", slope=1, resolution="g", version="1")
    with fits.open(tmp_path / "anchored.fits") as hdus:
        assert hdus["SCI"].shape == shape
        assert_array_equal(hdus["SCI"].data, data.reshape(shape) + np.float32(0.5))
    # So do references, and what is reprojected onto them is of their plane.
    fits.PrimaryHDU(data.reshape(shape), fits.Header({**WCS, **cards})).writeto(tmp_path / "reference.fits")
    reference = references.read_reference(str(tmp_path / "reference.fits"))
    assert_array_equal(reference.data, data)
    header, grid = intermediates.read_grid(tmp_path / "reference.fits")
    assert grid == (10, 10)
    intermediates.write_product(tmp_path / "product.fits", data, header)
    intermediates.require_one_grid(
        intermediates.read_product(tmp_path / "product.fits"), reference, "image", "reference"
    )


def test_axes_of_length_1_may_come_first(write):
    data = np.arange(1.0, 101, dtype="f4").reshape(10, 10, 1)
    cards = {f"{key[:-1]}{int(key[-1]) + 1}": value for key, value in WCS.items()}
    read = mosaics.read_image(write(data, CTYPE1="FREQ", CRVAL1=1e14, CRPIX1=1.0, CDELT1=1.0, **cards))
    assert_array_equal(read.data, data[..., 0])
    assert_array_equal(world(read.header), world(fits.Header(WCS)))


# ---- numbers of any kind


@pytest.mark.parametrize("dtype", ["i2", "i4", "u2", "u4", "u1"])
@pytest.mark.parametrize("kind", [fits.ImageHDU, fits.CompImageHDU])
def test_an_error_of_any_numbers_is_read(write, rng, dtype, kind):
    error = rng.integers(1, 100, (10, 10)).astype(dtype)
    data = np.ones((10, 10), "f4")
    data[:2] = 0
    with fits.open(write(data), mode="append") as hdus:
        hdus.append(kind(error, name="ERR"))
    read = mosaics.read_image(hdus.filename()).error
    assert np.isnan(read[:2]).all()
    assert np.allclose(read[2:], error[2:])


def test_a_scaled_error_with_blanks_is_read(write):
    with fits.open(write(), mode="append") as hdus:
        hdus.append(fits.ImageHDU(np.arange(100, dtype="i2").reshape(10, 10), name="ERR"))
    with fits.open(hdus.filename(), mode="update", do_not_scale_image_data=True) as hdus:
        hdus["ERR"].header.update(BSCALE=0.01, BZERO=2.0, BLANK=7)
    read = mosaics.read_image(hdus.filename()).error
    assert np.isnan(read[0, 7])
    assert np.allclose(np.delete(read, 7), np.delete(2 + 0.01 * np.arange(100), 7))


@pytest.fixture(params=["mapped", "not mapped"])
def mapping(request, monkeypatch):
    """File systems that can map files into memory, and those that cannot."""
    if request.param == "not mapped":

        class Failing(mmap.mmap):
            def __new__(cls, *_, **__):
                raise OSError(errno.ENODEV, "No such device")

        monkeypatch.setattr(mmap, "mmap", Failing)


def test_scaled_references_and_masks_are_read_from_any_file_system(tmp_path, mapping):
    reference = fits.PrimaryHDU(np.arange(100, dtype="i2").reshape(10, 10), fits.Header(WCS))
    reference.writeto(tmp_path / "reference.fits")
    with fits.open(tmp_path / "reference.fits", mode="update", do_not_scale_image_data=True) as hdus:
        hdus[0].header.update(BSCALE=0.5, BZERO=1.0, BLANK=3)
    read = references.read_reference(str(tmp_path / "reference.fits"))
    assert np.isnan(read.data[0, 3])
    assert np.allclose(read.data[1:], 1 + 0.5 * np.arange(10, 100).reshape(9, 10))
    assert references.read_reference_header(str(tmp_path / "reference.fits")).shape == (10, 10)
    mask = np.eye(10, dtype="u2")
    fits.PrimaryHDU(mask, fits.Header(WCS)).writeto(tmp_path / "mask.fits")
    assert_array_equal(references.read_mask(str(tmp_path / "mask.fits"))[0], mask)


def test_a_mosaic_is_read_and_written_on_any_file_system(write, tmp_path, mapping):
    data = np.arange(100, dtype="f4").reshape(10, 10)
    with fits.open(write(data), mode="append", memmap=False) as hdus:
        hdus.append(fits.ImageHDU(np.where(data < 20, 0, 1).astype("i4"), name="WHT"))
        hdus.append(fits.ImageHDU(np.full((10, 10), 2, "u4"), name="DQ"))
    path = hdus.filename()
    read = mosaics.read_image(path)
    assert_array_equal(read.data[2:], data[2:])
    assert np.isnan(read.data[:2]).all()
    write_anchored(path, tmp_path / "anchored.fits", offset=0.5, reference="r", slope=1, resolution="g", version="1")
    assert mosaics.offset_between(path, tmp_path / "anchored.fits") == 0.5


# ---- damage, and bugs


@pytest.mark.parametrize("kind", [KeyError, TypeError, ValueError, AttributeError, IndexError, ZeroDivisionError])
def test_a_bug_of_ours_stays_one(write, kind):
    error = kind("of ours")
    with pytest.raises(kind) as raised, hdus_module.opened(write()):
        raise error
    assert raised.value is error


def test_damage_is_told_in_words(write, tmp_path):
    path = write(np.random.default_rng(1).normal(size=(100, 100)).astype("f4"), **WCS)
    content = Path(path).read_bytes()
    zipped = gzip.compress(content)
    spoiled = {
        "cut": content[:-3000],
        "empty": b"",
        "html": b"<html>" * 1000,
        "no number of pixels": content.replace(b"NAXIS1  =                  100", b"NAXIS1  =                  'x'"),
        "cut gzip": zipped[: len(zipped) // 2],
        "wrong gzip": zipped[:5000] + bytes(100) + zipped[5100:],
    }
    for name, spoilt in spoiled.items():
        (tmp_path / "bad.fits").write_bytes(spoilt)
        for read in (mosaics.read_image, references.read_reference):
            with pytest.raises(AnchoringError, match=r"bad\.fits cannot be read") as refusal:
                read(str(tmp_path / "bad.fits"))
            assert "truncated or corrupt" in str(refusal.value), name
            assert "download it again (details: " in str(refusal.value), name


def test_files_that_may_not_be_read_are_not_called_damaged(tmp_path):
    with pytest.raises(AnchoringError, match="cannot be read") as refusal:
        mosaics.read_image(str(tmp_path))
    assert "corrupt" not in str(refusal.value)


def test_a_card_that_cannot_be_read_is_named_if_it_concerns_pixels(write):
    path = write(**WCS, NOTE="x" * 8)
    content = Path(path).read_bytes()
    for keyword, refused in ((b"NOTE    ", False), (b"CRVAL1  ", True)):
        at = content.index(keyword)
        spoilt = content[: at + 8] + b"= 12 34 ???".ljust(72) + content[at + 80 :]
        Path(path).write_bytes(spoilt)
        if refused:
            with pytest.raises(AnchoringError, match=r"image\.fits has a card CRVAL1 that cannot be read"):
                mosaics.read_image(path)
        else:
            mosaics.read_image(path)


def test_a_link_to_a_mosaic_is_one(write, tmp_path):
    (tmp_path / "link.fits").symlink_to(write(np.full((10, 10), 0.5, "f4"), **WCS))
    assert mosaics.read_image(str(tmp_path / "link.fits")).data.mean() == 0.5


# ---- of what no anchored file could be written


def asdf(content, name="ASDF"):
    return fits.ImageHDU(np.frombuffer(content, np.uint8), name=name)


TREE = b"#ASDF 1.0.0\n#ASDF_STANDARD 1.5.0\n%YAML 1.1\n--- \nmeta: {a: 1}\n...\n"


@pytest.mark.parametrize(
    ("extensions", "words"),
    [
        ([fits.ImageHDU(np.ones((10, 10), "f4"), name="SCI")], "several SCI"),
        ([asdf(TREE), asdf(TREE)], "several ASDF"),
        ([asdf(TREE.replace(b"a: 1", b"anchor_bkgrdval: 1.0"))], "already anchored"),
        ([asdf(TREE.replace(b"{a: 1}", b"[1"))], "not understood"),
        ([asdf(b"nothing")], "not understood"),
        ([fits.ImageHDU(np.ones((3, 3), "u1"), name="ASDF")], "not understood"),
        ([fits.ImageHDU(np.ones((3, 3), "f4"), fits.Header({"ANCHOFF": 0.1}), name="ERR")], "already anchored"),
    ],
)
def test_what_cannot_be_written_is_refused_when_it_is_read(write, extensions, words):
    with fits.open(write(), mode="append") as hdus:
        hdus.extend(hdu.copy() for hdu in extensions)
    for read in (mosaics.read_image_header, mosaics.map_image):
        with pytest.raises(AnchoringError, match=rf"image\.fits .*{words}"):
            read(hdus.filename())
