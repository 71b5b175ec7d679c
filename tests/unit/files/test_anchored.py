"""The anchored file is the input file plus the offset: its pixels, its record, and every other byte as it was."""

import gzip
import io
import re
import resource
import shutil
import tracemalloc
from pathlib import Path

import asdf
import numpy as np
import pytest
import yaml
from astropy import units
from astropy.coordinates import ICRS
from astropy.io import fits
from astropy.modeling import models
from gwcs import WCS, coordinate_frames
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from stdatamodels.jwst import datamodels

from anchoring.errors import AnchoringError
from anchoring.files import asdf_text, mosaics
from anchoring.files.anchored import HASHES, added, copy_with_cards, write_anchored
from anchoring.files.asdf_text import anchored_asdf

OFFSET = -0.123456789
SOLUTION = {
    "offset": OFFSET,
    "offset_err": 0.0125,
    "offset_sys": 0.03,
    "reference": "irac4_atgauss4",
    "slope": 1.0625,
    "resolution": "gauss4",
    "version": "0.1.0",
}
PLANES = ("SCI", "ERR", "CON", "WHT", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT")
HISTORY = "anchored 0.1.0: -0.123457 MJy/sr added to SCI, zero of irac4_atgauss4"


def mosaic(rng, shape=(23, 19)):
    data = rng.normal(0.3, 0.2, shape).astype(np.float32)
    data[:3] = 0
    data[5, :4] = np.nan, np.inf, -np.inf, -0.0
    return data


def wcs():
    """A gWCS whose matrix is an array in the ASDF extension."""
    shift, scale = models.Shift(-9.5) & models.Shift(-11.5), models.Scale(3e-5) & models.Scale(3e-5)
    turn = models.AffineTransformation2D([[0.6, -0.8], [0.8, 0.6]], name="turn")
    sky = models.Pix2Sky_TAN() | models.RotateNative2Celestial(84.0, -5.4, 180.0)
    pixels = coordinate_frames.Frame2D(name="detector", unit=(units.pix, units.pix))
    world = coordinate_frames.CelestialFrame(name="world", reference_frame=ICRS())
    return WCS([(pixels, shift | turn | scale | sky), (world, None)])


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    """An i2d as the pipeline saves it, with arrays in its ASDF extension."""
    rng = np.random.default_rng(20250101)
    path = tmp_path_factory.mktemp("product") / "ngc0001_miri_lv3_f770w_i2d.fits"
    model = datamodels.ImageModel(mosaic(rng))
    model.err = rng.random(model.data.shape, dtype=np.float32)
    model.wht = rng.random(model.data.shape, dtype=np.float32)
    model.con = rng.integers(0, 2**20, (1, *model.data.shape), dtype=np.int32)
    for name in ("var_poisson", "var_rnoise", "var_flat"):
        model[name] = rng.random(model.data.shape, dtype=np.float32)
    model.meta.bunit_data = "MJy/sr"
    model.meta.instrument.name = "MIRI"
    model.meta.note_of_ours = "Σπίτζερ, 30″ 𝛌"
    model.meta.wcs = wcs()
    model.meta.table_of_ours = np.arange(100.0)
    model.save(path)
    model.close()
    return path


@pytest.fixture
def i2d(product, tmp_path):
    """A copy of it that a test may change."""
    return Path(shutil.copy(product, tmp_path))


@pytest.fixture
def plain(rng, tmp_path):
    """A mosaic without ASDF."""
    path = tmp_path / "plain.fits"
    sci = fits.ImageHDU(mosaic(rng), name="SCI")
    sci.header["BUNIT"] = "MJy/sr"
    fits.HDUList([fits.PrimaryHDU(), sci, fits.ImageHDU(np.ones((23, 19)), name="ERR")]).writeto(path)
    return path


def anchor(image, **changes):
    path = image.with_name("anchored.fits")
    write_anchored(image, path, **{**SOLUTION, **changes})
    return path


def hdu_bytes(path):
    """(header, data) as they stand in a file, by name."""
    content = path.read_bytes()
    with fits.open(path) as hdus:
        places = {hdu.name: hdu.fileinfo() for hdu in hdus}
    return {
        name: (content[at["hdrLoc"] : at["datLoc"]], content[at["datLoc"] : at["datLoc"] + at["datSpan"]])
        for name, at in places.items()
    }


def cards(header):
    lines = [header[i : i + 80] for i in range(0, len(header), 80)]
    return lines[: lines.index(b"END".ljust(80))]


def sum_of(data, offset):
    """The offset added pixel by pixel."""
    pixels = [np.float32(float(p) + offset) if np.isfinite(p) and p != 0 else p for p in data.flat]
    return np.array(pixels, np.float32).reshape(data.shape)


# ---- pixels


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8"])
def test_offset_is_added_in_float64_and_rounded_once(rng, dtype):
    data = mosaic(rng).astype(dtype)
    out = added(data, OFFSET)
    seen = np.isfinite(data) & (data != 0)
    assert out.dtype == data.dtype
    assert_array_equal(out[seen], (data[seen].astype(float) + OFFSET).astype(dtype))
    assert out[~seen].tobytes() == data[~seen].tobytes()


def test_float32_arithmetic_would_not_do(rng):
    data = (1e4 * rng.random(1000)).astype(np.float32)
    assert_array_equal(added(data, OFFSET), sum_of(data, OFFSET))
    assert (sum_of(data, OFFSET) != data + np.float32(OFFSET)).any()


def test_unobserved_pixels_keep_their_bits():
    bits = np.array([0, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00001, 0x7F800001, 0xFFABCDEF], np.uint32)
    assert_array_equal(added(bits.view(np.float32), OFFSET).view(np.uint32), bits)
    assert_array_equal(added(bits.astype(">u4").view(">f4"), OFFSET).view(">u4"), bits)


def test_sum_of_exactly_zero_is_zero():
    assert_array_equal(added(np.array([0.5, -0.5, 0.0]), -0.5), [0.0, -1.0, 0.0])


# ---- the file


def test_only_what_is_concerned_changes(i2d):
    before = i2d.read_bytes()
    path = anchor(i2d)
    assert i2d.read_bytes() == before
    old, new = hdu_bytes(i2d), hdu_bytes(path)
    assert list(new) == list(old) == ["PRIMARY", *PLANES, "ASDF"]
    for name in ("PRIMARY", *PLANES[1:]):
        assert new[name] == old[name]
    assert cards(new["SCI"][0])[: len(cards(old["SCI"][0]))] == cards(old["SCI"][0])
    expected = sum_of(fits.getdata(i2d, "SCI"), OFFSET).astype(">f4").tobytes()
    assert new["SCI"][1] == expected + bytes(-len(expected) % 2880)


def test_header_says_what_was_done(i2d):
    header = fits.getheader(anchor(i2d), "SCI")
    for keyword, value in (
        ("ANCHOFF", OFFSET),
        ("ANCHERR", 0.0125),
        ("ANCHSYS", 0.03),
        ("ANCHREF", "irac4_atgauss4"),
        ("ANCHSLP", 1.0625),
        ("ANCHRES", "gauss4"),
        ("ANCHVER", "0.1.0"),
    ):
        assert header[keyword] == value
        assert header.comments[keyword]
    for keyword in ("ANCHOFF", "ANCHERR", "ANCHSYS"):
        assert header.comments[keyword].startswith("[MJy/sr]")
    assert list(header["HISTORY"]) == [HISTORY]


@pytest.mark.parametrize("beam", [None, 0.269])
def test_the_beam_is_in_the_header_where_it_is_known(plain, beam):
    header = fits.getheader(anchor(plain, beam=beam), "SCI")
    if beam is None:
        assert not {"BMAJ", "BMIN", "BPA"} & set(header)
    else:
        assert [header["BMAJ"], header["BMIN"], header["BPA"]] == [pytest.approx(0.269 / 3600)] * 2 + [0]


def test_hashes_are_in_the_header_whole(i2d):
    hashes = {what: f"{number:064x}" for number, what in enumerate(HASHES)}
    header = fits.getheader(anchor(i2d, hashes=hashes), "SCI")
    assert [header[HASHES[what]] for what in hashes] == list(hashes.values())
    assert "CONTINUE" not in header


def test_a_copy_with_cards_is_the_same_but_for_its_primary_header(i2d, tmp_path):
    copy = tmp_path / "copy.fits"
    copy_with_cards(i2d, copy, [("HLSPID", "A", "collection"), ("TELESCOP", "JWST", "telescope"), ("TITLE", "t" * 90)])
    before, after = hdu_bytes(i2d), hdu_bytes(copy)
    primary = fits.getheader(copy)
    assert (primary["HLSPID"], primary["TELESCOP"], primary["TITLE"]) == ("A", "JWST", "t" * 90)
    assert {name: content for name, content in after.items() if name != "PRIMARY"} == {
        name: content for name, content in before.items() if name != "PRIMARY"
    }
    lines = set(cards(after["PRIMARY"][0]))
    left = [line for line in cards(before["PRIMARY"][0]) if line not in lines]
    assert all(line[:8] in (b"TELESCOP", b"TITLE   ") for line in left)
    # Once more, with a shorter value in place of one that went on in a second card.
    again = tmp_path / "again.fits"
    copy_with_cards(copy, again, [("TITLE", "short", "")])
    assert "CONTINUE" not in fits.getheader(again)


@pytest.mark.parametrize("unknown", [None, np.nan])
def test_unknown_errors_leave_no_keyword(plain, unknown):
    header = fits.getheader(anchor(plain, offset_err=unknown, offset_sys=unknown), "SCI")
    assert "ANCHOFF" in header
    assert "ANCHERR" not in header
    assert "ANCHSYS" not in header


@pytest.mark.parametrize("reference", ["x" * 60, "o'clock " * 30, "Σπίτζερ\n" * 20, "a\tb\x7f\x00c"])
def test_any_name_makes_a_valid_header(i2d, reference):
    path = anchor(i2d, reference=reference)
    with fits.open(path) as hdus:
        hdus.verify("exception")
        found = hdus["SCI"].header["ANCHREF"]
    assert found == re.sub(r"[^ -~]", "?", " ".join(reference.split()))
    assert found in entries_of(path)[-1]["description"]
    with datamodels.open(path) as model:
        assert model.meta.anchor_bkgrdval == OFFSET


def entries_of(path):
    with asdf.open(io.BytesIO(fits.getdata(path, "ASDF").tobytes())) as file:
        return [dict(entry) for entry in file["history"]["entries"]]


@pytest.mark.parametrize("offset", [OFFSET, 1e-5, -3e-17, 1e20, 2.0, 1 / 3])
def test_stdatamodels_reads_the_offset_and_the_same_model(i2d, offset):
    path = anchor(i2d, offset=offset)
    with datamodels.open(i2d) as old, datamodels.open(path) as new:
        assert type(new) is datamodels.ImageModel
        assert isinstance(new.meta.anchor_bkgrdval, float)
        assert new.meta.anchor_bkgrdval == offset
        assert_array_equal(new.meta.table_of_ours, np.arange(100.0))
        assert_array_equal(new.meta.wcs(3.0, 4.0), old.meta.wcs(3.0, 4.0))
        assert_array_equal(new.data, sum_of(old.data, offset))
        for name in map(str.lower, PLANES[1:]):
            assert_array_equal(new[name], old[name])
        old_meta, new_meta = (
            {
                key: value
                for key, value in model.to_flat_dict(include_arrays=False).items()
                if key.startswith("meta.") and key != "meta.wcs"
            }
            for model in (old, new)
        )
        assert old_meta["meta.note_of_ours"] == "Σπίτζερ, 30″ 𝛌"
        assert new_meta == {**old_meta, "meta.anchor_bkgrdval": offset, "meta.filename": path.name}
    (entry,) = entries_of(path)
    assert f"{offset:+.6g} MJy/sr" in entry["description"]
    assert entry["software"] == {"name": "anchoring", "version": "0.1.0"}


def test_history_of_the_pipeline_is_continued(i2d):
    with datamodels.open(i2d) as model:
        model.add_history_entry("aligned by hand")
        model.save(i2d)
    path = anchor(i2d)
    assert [e["description"] for e in entries_of(path)] == ["aligned by hand", HISTORY]
    # stdatamodels takes the primary header's HISTORY for the file's.
    assert list(fits.getheader(path)["HISTORY"]) == ["aligned by hand", HISTORY]
    old, new = hdu_bytes(i2d), hdu_bytes(path)
    assert cards(new["PRIMARY"][0])[:-1] == cards(old["PRIMARY"][0])
    with datamodels.open(path) as model, pytest.warns(UserWarning, match="history attribute will soon be"):
        assert [e["description"] for e in model.history] == ["aligned by hand", HISTORY]


def test_record_survives_stdatamodels(i2d):
    path = anchor(i2d)
    with datamodels.open(path) as model:
        model.save(path.with_name("saved.fits"))
    header = fits.getheader(path.with_name("saved.fits"), "SCI")
    assert header["ANCHOFF"] == OFFSET
    with datamodels.open(path.with_name("saved.fits")) as model:
        assert model.meta.anchor_bkgrdval == OFFSET


def test_same_input_gives_the_same_file(i2d):
    assert anchor(i2d).read_bytes() == anchor(i2d).read_bytes()


def test_checksums_are_right_and_others_untouched(i2d, rng):
    with fits.open(i2d) as hdus:
        hdus[0].header["HISTORY"] = "older"
        hdus.writeto(i2d.with_name("summed.fits"), checksum=True)
    old = hdu_bytes(i2d.with_name("summed.fits"))
    # As many sums as it takes to meet every character that the encoding has to step around.
    for offset in rng.normal(size=20):
        path = anchor(i2d.with_name("summed.fits"), offset=offset)
        with fits.open(path) as hdus:
            assert all(hdu.verify_checksum() == 1 and hdu.verify_datasum() == 1 for hdu in hdus)
        new = hdu_bytes(path)
        assert all(new[name] == old[name] for name in PLANES[1:])
    assert len(new["PRIMARY"][0]) == len(old["PRIMARY"][0])


@pytest.mark.parametrize("kept", ["DATASUM", "CHECKSUM"])
def test_one_checksum_alone_is_kept_right(plain, kept):
    other = {"DATASUM": "CHECKSUM", "CHECKSUM": "DATASUM"}[kept]
    with fits.open(plain) as hdus:
        hdus.writeto(plain.with_name("summed.fits"), checksum=True)
    content = plain.with_name("summed.fits").read_bytes()
    plain.write_bytes(re.sub(other.ljust(8).encode() + rb"= .{70}", b" " * 80, content, flags=re.DOTALL))
    path = anchor(plain)
    header = fits.getheader(path, "SCI")
    assert kept in header
    assert other not in header
    sums = [np.frombuffer(part, ">u4").sum(dtype=np.uint64) % (2**32 - 1) for part in hdu_bytes(path)["SCI"]]
    if kept == "DATASUM":
        assert int(header["DATASUM"]) == sums[1]
    else:
        assert sum(sums) % (2**32 - 1) == 0


def test_float64_image_stays_float64(rng, tmp_path):
    data = mosaic(rng).astype(float)
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(data, name="SCI")]).writeto(tmp_path / "double.fits")
    out = fits.getdata(anchor(tmp_path / "double.fits"), "SCI")
    assert out.dtype == ">f8"
    assert_array_equal(out, np.where(np.isfinite(data) & (data != 0), data + OFFSET, data))


def test_larger_than_a_piece(rng, tmp_path):
    data = rng.normal(size=(1100, 1000)).astype(np.float32)
    data[rng.random(data.shape) < 0.1] = 0
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(data, name=name) for name in PLANES)]
    fits.HDUList(hdus).writeto(tmp_path / "large.fits")
    size = (tmp_path / "large.fits").stat().st_size
    tracemalloc.start()
    path = anchor(tmp_path / "large.fits")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < size / 2
    assert_array_equal(fits.getdata(path, "SCI"), added(data, OFFSET))
    assert hdu_bytes(path)["VAR_FLAT"] == hdu_bytes(tmp_path / "large.fits")["VAR_FLAT"]


def test_gzipped_image_gives_the_same_plain_file(i2d):
    expected = anchor(i2d).read_bytes()
    i2d.write_bytes(gzip.compress(i2d.read_bytes()))
    assert anchor(i2d).read_bytes() == expected


def test_bytes_after_the_last_hdu_stay(i2d):
    expected = anchor(i2d).read_bytes()
    tail = b"special records " * 500
    i2d.write_bytes(i2d.read_bytes() + tail)
    assert anchor(i2d).read_bytes() == expected + tail


# ---- what cannot be anchored


def test_second_anchoring_is_refused(plain, i2d):
    again = plain.with_name("again.fits")
    with pytest.raises(AnchoringError, match=r"anchored\.fits is already anchored \(ANCHOFF\)"):
        write_anchored(anchor(plain), again, **SOLUTION)
    with pytest.raises(AnchoringError, match="already anchored"):
        mosaics.read_image(anchor(i2d))
    # Marked in nothing but the primary header, or in nothing but ASDF.
    fits.setval(plain, "ANCHOFF", value=0.5)
    with pytest.raises(AnchoringError, match=r"plain\.fits is already anchored \(ANCHOFF\)"):
        write_anchored(plain, again, **SOLUTION)
    with datamodels.open(i2d) as model:
        model.meta.anchor_bkgrdval = 0.0
        model.save(i2d)
    with pytest.raises(AnchoringError, match=r"is already anchored \(meta\.anchor_bkgrdval in ASDF\)"):
        write_anchored(i2d, again, **SOLUTION)
    assert not again.exists()


def files(folder):
    return sorted(p.name for p in folder.iterdir())


def refused(image, match):
    """Refused with a message that names the file, and nothing is left behind."""
    before = files(image.parent)
    with pytest.raises(AnchoringError, match=rf"{re.escape(str(image))} .*{match}"):
        anchor(image)
    assert files(image.parent) == before


def saved(folder, *hdus):
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(folder / "bad.fits")
    return folder / "bad.fits"


def test_images_that_are_not_plain_floats_are_refused(tmp_path, rng):
    data = mosaic(rng)
    whole = fits.ImageHDU(np.ones((5, 5), np.int16), name="SCI")
    scaled = fits.ImageHDU(data, name="SCI")
    scaled.header["BSCALE"] = 2.0
    twice = [fits.ImageHDU(data, name="SCI", ver=version) for version in (1, 2)]
    for hdus, match in (
        ([fits.CompImageHDU(data, name="SCI")], "tile-compressed SCI; expected"),
        ([whole], "int16 numbers; expected floating-point"),
        ([fits.ImageHDU(name="SCI")], "expected a 2-D image"),
        ([scaled], r"scaled SCI \(BSCALE, BZERO\); expected"),
        (twice, "several SCI extensions; expected one"),
        ([fits.ImageHDU(data, name="DATA")], "no SCI extension; expected"),
    ):
        image = saved(tmp_path, *hdus)
        refused(image, match)
        image.unlink()


def test_scale_of_one_is_no_scale(plain):
    with fits.open(plain, mode="update", do_not_scale_image_data=True) as hdus:
        hdus["SCI"].header.update(BSCALE=1.0, BZERO=0)
    assert_array_equal(fits.getdata(anchor(plain), "SCI"), sum_of(fits.getdata(plain, "SCI"), OFFSET))


def test_compressed_planes_next_to_sci_stay(tmp_path, rng):
    image = saved(tmp_path, fits.ImageHDU(mosaic(rng), name="SCI"), fits.CompImageHDU(mosaic(rng), name="ERR"))
    assert hdu_bytes(anchor(image))["ERR"] == hdu_bytes(image)["ERR"]


@pytest.mark.parametrize(
    ("name", "part"), [("PRIMARY", 0), ("SCI", 0), ("SCI", 1), ("WHT", 1), ("ASDF", 0), ("ASDF", 1)]
)
def test_files_cut_short_are_refused(i2d, name, part):
    content = i2d.read_bytes()
    piece = hdu_bytes(i2d)[name][part]
    i2d.write_bytes(content[: content.index(piece) + len(piece) - 1])
    refused(i2d, "truncated or corrupt.*download it again")


def test_damaged_gzip_is_refused(i2d):
    i2d.write_bytes(gzip.compress(i2d.read_bytes())[:-100])
    refused(i2d, "truncated or corrupt")


def test_missing_and_foreign_files_are_refused(tmp_path):
    refused(tmp_path / "missing.fits", "does not exist; expected")
    (tmp_path / "text.fits").write_text("not an image\n")
    refused(tmp_path / "text.fits", "cannot be read as FITS.*expected a complete FITS file")


def test_image_is_never_overwritten(plain):
    before = plain.read_bytes()
    with pytest.raises(AnchoringError, match="is also the anchored file; expected another"):
        write_anchored(plain, plain, **SOLUTION)
    assert plain.read_bytes() == before


def test_offset_must_be_a_number(plain):
    with pytest.raises(AnchoringError, match=r"plain\.fits has an offset of nan MJy/sr; expected"):
        anchor(plain, offset=float("nan"))


def test_full_disk_leaves_what_was_there(i2d):
    path = anchor(i2d, offset=7.0)
    before = path.read_bytes(), files(path.parent)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before[0]) // 2, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            anchor(i2d)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (path.read_bytes(), files(path.parent)) == before


# ---- ASDF

HEAD = "#ASDF 1.0.0\n#ASDF_STANDARD 1.5.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"
VALUE = "anchor_bkgrdval: 0.5"
ENTRY = (
    '!<tag:stsci.edu:asdf/core/history_entry-1.0.0> {description: "what", '
    'software: !<tag:stsci.edu:asdf/core/software-1.0.0> {"name": "anchoring", "version": "1"}}'
)
EXTENSIONS = (
    "extensions:\n  - !core/extension_metadata-1.0.0\n    extension_class: asdf.extension.BuiltinExtension\n"
    "    software: !core/software-1.0.0 {name: asdf, version: 2.13.0}\n"
)


def anchored_tree(body):
    return anchored_asdf((HEAD + body + "...\n").encode(), 0.5, "what", "1").decode()


@pytest.mark.parametrize(("body", "expected"), [
    ("meta:\n  a: 1\n", f"history: {{entries: [{ENTRY}]}}\nmeta:\n  {VALUE}\n  a: 1\n"),
    ("meta: {a: 1}\n", f"history: {{entries: [{ENTRY}]}}\nmeta: {{{VALUE}, a: 1}}\n"),
    ("meta: {}\n", f"history: {{entries: [{ENTRY}]}}\nmeta: {{{VALUE}}}\n"),
    ("a: 1\nb: [é, ☉, 𝛌]\n", f"history: {{entries: [{ENTRY}]}}\nmeta: {{{VALUE}}}\na: 1\nb: [é, ☉, 𝛌]\n"),
    (
        f"history:\n  {EXTENSIONS}meta: {{}} # é\n",
        f"history:\n  entries: [{ENTRY}]\n  {EXTENSIONS}meta: {{{VALUE}}} # é\n",
    ),
    (
        "history:\n  entries:\n  - !core/history_entry-1.0.0\n    description: |\n      one\n\n"
        f"  {EXTENSIONS}meta: {{}}\n",
        "history:\n  entries:\n  - !core/history_entry-1.0.0\n    description: |\n      one\n\n"
        f"  - {ENTRY}\n  {EXTENSIONS}meta: {{{VALUE}}}\n",
    ),
    (
        "history: {entries: [{description: one}], extensions: []}\nmeta: {}\n",
        f"history: {{entries: [{{description: one}}, {ENTRY}], extensions: []}}\nmeta: {{{VALUE}}}\n",
    ),
    ("history: {entries: []}\nmeta: {}\n", f"history: {{entries: [{ENTRY}]}}\nmeta: {{{VALUE}}}\n"),
    ("meta: {}\nhistory:\n- {description: one}\n", f"meta: {{{VALUE}}}\nhistory:\n- {{description: one}}\n- {ENTRY}\n"),
    (
        "history:\n    -   description: one\n        more: x - y\n# -\nmeta: {}\n",
        f"history:\n    -   description: one\n        more: x - y\n# -\n    - {ENTRY}\nmeta: {{{VALUE}}}\n",
    ),
    ("history: []\nmeta:\n    b: &x {c: 1}\n    d: *x\n",
     f"history: [{ENTRY}]\nmeta:\n    {VALUE}\n    b: &x {{c: 1}}\n    d: *x\n"),
])  # fmt: skip
@pytest.mark.parametrize("loader", [asdf_text.YAML_LOADER, yaml.BaseLoader])
def test_tree_gets_two_insertions_and_keeps_its_text(monkeypatch, loader, body, expected):
    monkeypatch.setattr(asdf_text, "YAML_LOADER", loader)
    assert anchored_tree(body) == HEAD + expected + "...\n"


# What YAML means something by, and what is one character but several bytes.
TEXT = st.text("ab 1.~é☉𝛌:#-?,&*!|>'\"%@`[]{}\\\n\t", max_size=30)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
KEYS = TEXT.filter(lambda key: key and "\n" not in key)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS, v, max_size=3), max_leaves=8
)  # fmt: skip
ENTRIES = st.lists(st.fixed_dictionaries({"description": TEXT}, optional={"time": SCALARS}), max_size=3)
TREES = st.fixed_dictionaries({"asdf_library": VALUES}, optional={
    "_fits_hash": VALUES,
    "meta": st.dictionaries(KEYS, VALUES, max_size=3),
    "history": ENTRIES | st.fixed_dictionaries({}, optional={"entries": ENTRIES, "extensions": st.lists(VALUES)}),
    "zeta": VALUES,
})  # fmt: skip
STYLES = st.fixed_dictionaries({
    "default_flow_style": st.sampled_from([True, False, None]),
    "allow_unicode": st.booleans(),
    "indent": st.integers(2, 6),
    "width": st.integers(20, 100),
    "line_break": st.sampled_from(["\n", "\r\n"]),
    "default_style": st.sampled_from([None, '"', "|", "'"]),
})  # fmt: skip


@pytest.mark.parametrize("loader", [asdf_text.YAML_LOADER, yaml.BaseLoader])
@given(tree=TREES, style=STYLES)
@settings(max_examples=30)
def test_any_tree_in_any_style_reads_back_with_the_two_members(loader, tree, style):
    body = yaml.safe_dump(tree, sort_keys=False, **style).removesuffix("..." + style["line_break"])
    old = (HEAD + body + "...\n").encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asdf_text, "YAML_LOADER", loader)
        new = anchored_asdf(old, 0.5, "what", "1")
    text = new.removesuffix(b"...\n")
    found, expected = yaml.load(text, yaml.BaseLoader), yaml.load(HEAD + body, yaml.BaseLoader)
    assert found["meta"].pop("anchor_bkgrdval") == "0.5"
    entries = found["history"] if isinstance(found["history"], list) else found["history"]["entries"]
    assert entries.pop() == {"description": "what", "software": {"name": "anchoring", "version": "1"}}
    expected.setdefault("meta", {})
    if not isinstance(expected.setdefault("history", {}), list):
        expected["history"].setdefault("entries", [])
    assert found == expected
    # The old text is all there, in its order.
    remaining = iter(new)
    assert all(byte in remaining for byte in old)


@pytest.mark.parametrize("body", [
    "meta: null\n",
    "meta: [1]\n",
    "meta: {}\nhistory: null\n",
    "meta: {}\nhistory: {entries: text}\n",
    "meta: {}\nhistory: [one, ]\n",
    "meta: {}\na:\n      - &b {c: 1}\nhistory:\n- *b\n",
    "- a\n- list\n",
    "broken: [\n",
    "? {a: 1}\n: b\n",
    "meta: {? a : 1}\n",
    "\u0000",
])  # fmt: skip
def test_tree_that_is_not_understood_is_refused(body):
    with pytest.raises(AnchoringError, match=r"ASDF extension that is not understood \(.*\); expected"):
        anchored_tree(body)


@pytest.mark.parametrize("content", [
    b"",
    b"#ASDF 1.0.0\n",
    b"not ASDF\n...\n",
    HEAD.encode() + b"meta: {}\n",
    HEAD.encode() + b"a: \xff\n...\n",
    HEAD.encode() + b"meta: {}\n...\n\xd3BLK\x00\x30",
    HEAD.encode() + b"meta: {}\n...\n\xd3BLK" + bytes.fromhex("0030 00000000 00000000") + b"\1" * 40,
])  # fmt: skip
def test_layout_that_is_not_understood_is_refused(content):
    with pytest.raises(AnchoringError, match=r"ASDF extension that is not understood \(.*\); expected"):
        anchored_asdf(content, 0.5, "what", "1")


ARRAYS = {"a": np.arange(10.0), "b": np.arange(300, dtype=np.int16), "c": np.linspace(0, 1, 17)}


def asdf_bytes(tree, **options):
    buffer = io.BytesIO()
    asdf.AsdfFile(tree).write_to(buffer, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("options", [
    {},
    {"pad_blocks": True},
    {"pad_blocks": 3.0},
    {"all_array_compression": "zlib"},
    {"include_block_index": False},
    {"version": "1.4.0"},
])  # fmt: skip
@pytest.mark.parametrize("tree", [{}, {"meta": {"filter": "F770W"}}])
def test_blocks_stay_and_their_index_is_moved_along(options, tree):
    old = asdf_bytes({**tree, **ARRAYS}, **options)
    new = anchored_asdf(old, 0.5, "what", "1")
    first = old.index(b"\xd3BLK"), new.index(b"\xd3BLK")
    end = [content.find(b"#ASDF BLOCK INDEX") for content in (old, new)]
    if options.get("include_block_index", True):
        listed = yaml.safe_load(new[end[1] :])
        assert len(listed) == 3
        assert all(new.startswith(b"\xd3BLK", place) for place in listed)
    else:
        assert end == [-1, -1]
        end = len(old), len(new)
    assert new[first[1] : end[1]] == old[first[0] : end[0]]
    padding = [content[content.index(b"\n...\n") : start] for content, start in zip((old, new), first, strict=True)]
    assert padding[0] == padding[1]
    with asdf.open(io.BytesIO(new), lazy_load=True, validate_checksums=True) as file:
        assert file["meta"] == {"anchor_bkgrdval": 0.5, **tree.get("meta", {})}
        (entry,) = file["history"]["entries"]
        assert type(entry) is asdf.tags.core.HistoryEntry
        for name, array in ARRAYS.items():
            assert_array_equal(file[name], array)


def test_index_in_flow_style_after_padding_of_any_content():
    block = b"\xd3BLK" + bytes.fromhex("0030 00000000 00000000 0000000000000010") + (8).to_bytes(8, "big") * 2
    block += bytes(16) + b"#ASDF BLOCK INDEX"[:16]
    tree = (HEAD + "meta: {}\n...\n").encode() + b"any \0 12 #ASDF BLOCK INDEX\n99\n"
    index = b"#ASDF BLOCK INDEX\r\n%%YAML 1.1\r\n--- [%d, %d]\r\n...\r\n\0\0"
    places = len(tree), len(tree) + len(block)
    new = anchored_asdf(tree + 2 * block + index % places, 0.5, "what", "1")
    shift = new.index(b"\xd3BLK") - len(tree)
    assert shift > 0
    assert new.endswith(2 * block + index % (places[0] + shift, places[1] + shift))


def test_streamed_block_stays():
    old = asdf_bytes({"meta": {}, "s": asdf.tags.core.Stream([2], np.float64)})
    old += np.arange(8.0).tobytes() + b"#ASDF BLOCK INDEX\n--- [1]\n...\n "
    new = anchored_asdf(old, 0.5, "what", "1")
    assert new[new.index(b"\xd3BLK") :] == old[old.index(b"\xd3BLK") :]


@pytest.mark.parametrize("kind", ["table", "image"])
def test_extension_is_a_table_of_one_cell_or_an_image(plain, kind):
    content = asdf_bytes({"meta": {"long": "x" * 2000}, **ARRAYS})
    data = np.frombuffer(content, np.uint8)
    if kind == "image":
        hdu = fits.ImageHDU(data, name="ASDF")
    else:
        column = fits.Column("ASDF_METADATA", f"{len(data)}B", array=data[None])
        hdu = fits.BinTableHDU.from_columns([column], name="ASDF")
    with fits.open(plain, mode="append") as hdus:
        hdus.append(hdu)
    path = anchor(plain)
    with fits.open(path) as hdus:
        hdus.verify("exception")
        with asdf.open(io.BytesIO(hdus["ASDF"].data.tobytes())) as file:
            assert file["meta"]["anchor_bkgrdval"] == OFFSET
            assert_array_equal(file["b"], ARRAYS["b"])
    old, new = (cards(hdu_bytes(p)["ASDF"][0]) for p in (plain, path))
    changed = {a[:8].decode().strip() for a, b in zip(old, new, strict=True) if a != b}
    assert changed == {"table": {"NAXIS1", "TFORM1"}, "image": {"NAXIS1"}}[kind]


@pytest.mark.parametrize("column", [
    fits.Column("ASDF_METADATA", "PB()", array=np.array([np.zeros(9, np.uint8)], dtype=object)),
    fits.Column("ASDF_METADATA", "6B", dim="(2, 3)", array=np.zeros((1, 3, 2), np.uint8)),
    fits.Column("ASDF_METADATA", "6B", array=np.zeros((2, 6), np.uint8)),
])  # fmt: skip
def test_other_extensions_named_asdf_are_refused(plain, column):
    with fits.open(plain, mode="append") as hdus:
        hdus.append(fits.BinTableHDU.from_columns([column], name="ASDF"))
    refused(plain, r"ASDF extension that is not understood \(neither")


def test_tree_of_the_pipeline_keeps_its_text(i2d):
    path = anchor(i2d)
    old, new = (fits.getdata(p, "ASDF").tobytes() for p in (i2d, path))
    first, last = f"  anchor_bkgrdval: {OFFSET}\n".encode(), new.index(b"  entries: [")
    assert new.count(first) == 1
    line = new[last : new.index(b"\n", last) + 1]
    assert (
        new.replace(first, b"").replace(line, b"").split(b"#ASDF BLOCK INDEX")[0]
        == (old.split(b"#ASDF BLOCK INDEX")[0])
    )
    assert path.stat().st_size % 2880 == 0
