"""Views hold the means and the counts of their pixels; pictures show them before and after with one stretch."""

from dataclasses import replace

import numpy as np
import pytest
from made import make_fit, make_image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.testing import assert_allclose

import plot_image
from anchoring.measuring.measure import measure_pair, refused
from anchoring.measuring.measurement import read_measurement, write_measurement
from anchoring.measuring.thumbnails import (
    FAINT,
    SIDE,
    empty_thumbnails,
    make_thumbnails,
    read_thumbnails,
    write_thumbnails,
)
from anchoring.showing.before_after_figure import bar_ticks, density, picture, stretch
from anchoring.showing.fit_figure import fits_figure, pair_of
from anchoring.showing.layout import save_figure, styled
from anchoring.solving.records import write

OFFSET, SLOPE = 0.4, 1.7


def make_pair(rng, shape=(90, 120)):
    """A reference, an image that is SLOPE times it less OFFSET, and the pixels that both have."""
    y, x = np.indices(shape)
    reference = 3 * np.exp(-np.hypot(x - shape[1] / 2, y - shape[0] / 2) / 20) + 0.01 * rng.normal(size=shape)
    both = (x > 5) & (y < shape[0] - 4)
    reference = np.where(both, reference, np.nan).astype(np.float32)
    return reference, (SLOPE * reference - OFFSET).astype(np.float32), both


@styled
def drawn(figure):
    FigureCanvasAgg(figure).draw()
    return figure


def test_view_of_a_small_pair_is_the_pair(rng):
    x, y, both = make_pair(rng)
    view = make_thumbnails(x, y, both, 0.75)
    assert view.scale == 0.75
    assert_allclose(view.x, x[:86, 6:])
    assert_allclose(view.y, y[:86, 6:])
    assert view.n_pixels == both.sum() == 86 * 114


def test_view_of_a_large_pair_is_its_means_over_blocks(rng):
    x, y, both = make_pair(rng, (700, 520))
    both[100:103, 100:103] = both[10:40, 20:300] = False
    view = make_thumbnails(x, y, both, 0.1)
    assert max(view.x.shape) <= SIDE
    assert_allclose(view.scale, 0.3)
    inside, image = both[:696, 6:], x[:696, 6:].astype(float)
    for row, column in ((0, 0), (33, 31), (34, 32), (231, 171)):
        block = slice(3 * row, 3 * row + 3), slice(3 * column, 3 * column + 3)
        mean = image[block][inside[block]].mean() if inside[block].any() else np.nan
        assert_allclose(view.x[row, column], mean, rtol=1e-6)
    assert np.isnan(view.x[5, 50])
    assert view.y.dtype == np.float32
    assert np.array_equal(np.isnan(view.x), np.isnan(view.y))


def test_faint_pixels_are_counted_up_to_the_median(rng):
    x, y, both = make_pair(rng)
    view = make_thumbnails(x, y, both, 0.75)
    for values, counts, edges in ((x[both], view.x_counts, view.x_edges), (y[both], view.y_counts, view.y_edges)):
        assert_allclose(edges[-1], np.percentile(values, FAINT))
        assert_allclose(counts.sum(), 0.499 * values.size, rtol=5e-3)


def test_images_of_one_value_have_a_view():
    view = make_thumbnails(np.ones((5, 6)), np.full((5, 6), -2.0), np.ones((5, 6), bool), 1.0)
    assert view.y_counts.sum() == 30
    assert drawn(picture(view=view, offset=2.0, line=(0.0, 0.0), reference="W3", title="t", paragraphs=["p"]))


def test_densities_of_a_line_and_of_what_lies_on_it_agree(rng):
    x, y, both = make_pair(rng)
    view = make_thumbnails(x, y, both, 0.75)
    expected, expected_edges = density(view.x_counts, view.x_edges, SLOPE, 0.0, view.n_pixels)
    found, edges = density(view.y_counts, view.y_edges, 1.0, OFFSET, view.n_pixels)
    assert_allclose(edges, expected_edges, atol=1e-5)
    assert_allclose((found * np.diff(edges)).sum(), 0.5, rtol=5e-3)
    assert np.abs(np.cumsum(found - expected) * np.diff(edges)[0]).max() < 1e-3
    falling, edges = density(view.x_counts, view.x_edges, -1.0, 0.0, view.n_pixels)
    assert np.all(np.diff(edges) > 0)
    assert_allclose(falling[::-1] * np.diff(edges)[0] * view.n_pixels, view.x_counts)


def test_stretch_holds_zero_and_all_images_and_its_ticks_are_apart(rng):
    for low, high in ((-0.4, 3.0), (-21.0, -18.0), (5.0, 9000.0), (-1e-4, 1e-3)):
        image = rng.uniform(low, high, (40, 40))
        norm = stretch([image, image + 0.1])
        assert norm.vmin <= min(0, np.percentile(image, 0.5))
        assert norm.vmax >= np.percentile(image + 0.1, 99.5)
        ticks = bar_ticks(norm)
        assert 0 in ticks or norm.vmax < 0
        assert 3 <= len(ticks) <= 9
        assert np.diff([float(norm(tick)) for tick in ticks]).min() > 0.1


def make_picture(rng, **changes):
    view = make_thumbnails(*make_pair(rng), 0.75)
    line = (SLOPE, 0.0) if changes.get("offset", OFFSET) is not None else None
    arguments = {
        "offset": OFFSET,
        "line": line,
        "reference": "W3",
        "title": "a_b$: F770W",
        "paragraphs": ["+0.4 added"],
    }
    return view, drawn(picture(view=view, **{**arguments, **changes}))


def test_picture_shows_before_after_and_what_is_expected_with_one_stretch(rng):
    view, figure = make_picture(rng)
    images = [axes.images[0] for axes in figure.axes[:3]]
    before, after, expected = (image.get_array().filled(np.nan) for image in images)
    assert_allclose(before, view.y)
    assert_allclose(after, view.y + OFFSET, rtol=1e-6)
    assert_allclose(after, expected, atol=1e-5)
    assert images[0].norm is images[1].norm is images[2].norm
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title for title in titles if title] == ["before", "after", "W3 × 1.7", "faint half of the pixels"]
    (bar,) = [axes for axes in figure.axes if axes.get_ylabel() == "MJy/sr"]
    assert len(bar.get_yticks()) > 3


def test_words_of_a_picture_are_on_the_page(rng):
    for shape in ((90, 120), (30, 200), (200, 30)):
        words = {"title": "ngc0628 " * 20, "paragraphs": ["so " * 60], "reference": "a long name of a reference"}
        view = make_thumbnails(*make_pair(rng, shape), 0.75)
        figure = drawn(picture(view=view, offset=OFFSET, line=(SLOPE, 0.0), **words))
        width, height = figure.bbox.size
        for axes in figure.axes:
            box = axes.get_tightbbox()
            assert box.x0 >= 0
            assert box.y0 >= 0
            assert box.x1 <= width
            assert box.y1 <= height - 10


def test_without_an_offset_there_is_no_image_after(rng):
    _, figure = make_picture(rng, offset=None)
    assert [len(axes.images) for axes in figure.axes[:3]] == [1, 0, 1]
    assert figure.axes[1].texts[0].get_text() == "not anchored"
    assert figure.axes[2].get_title(loc="left") == "W3, own stretch"
    assert figure.axes[2].images[0].norm is not figure.axes[0].images[0].norm


def test_without_pixels_there_are_words_alone(tmp_path):
    figure = picture(
        view=empty_thumbnails(), offset=None, line=None, reference="W3", title="t", paragraphs=["no pixels"]
    )
    assert not figure.axes
    assert [text.get_text() for text in figure.texts] == ["t", "no pixels"]


FIT = make_fit("w3_atgauss15", reference="w3", resolution="gauss15", slope=SLOPE, slope_err=0.01, intercept=-OFFSET,
               intercept_err=0.01, rms=0.01, n_bins=7, n_pixels=9804, range_min=0.0, range_max=0.8,
               used=[True] * 7)  # fmt: skip
NO_FIT = make_fit(reference="irac4", status="failed", reason="no overlap")
RECORD = make_image(NO_FIT, FIT, status="anchored", offset=OFFSET, offset_err=0.01, chosen=1)


@pytest.fixture
def job(rng, tmp_path):
    """Arguments of a job of `plot_image`, whose first reference has no pixels."""
    x, y, both = make_pair(rng)
    measured = measure_pair(x, y, mask=~both, beam=0.0, intensity_range=(0.0, 0.8))
    pairs = {
        "irac4": (refused("no overlap", *np.empty((2, 0, 0))), empty_thumbnails()),
        "w3": (measured, make_thumbnails(x, y, both, 0.75)),
    }
    files = {
        name: {kind: str(tmp_path / f"{name}_{kind}.npz") for kind in ("bins", "pixels", "view")} for name in pairs
    }
    for name, (measured, thumbnails) in pairs.items():
        write_measurement(measured, files[name]["bins"], files[name]["pixels"])
        write_thumbnails(files[name]["view"], thumbnails)
    write(tmp_path / "solved.json", [replace(RECORD, image="b.fits"), RECORD])
    return {
        "solved": str(tmp_path / "solved.json"),
        "image": "a.fits",
        "pairs": files,
        "figure": {kind: str(tmp_path / f"fit.{kind}") for kind in ("png", "pdf")} | {"caption": tmp_path / "fit.rst"},
        "picture": {"png": str(tmp_path / "a.png"), "caption": tmp_path / "a.rst"},
        "simplify_labels": True,
    }


def plain(path):
    return path.read_text().replace("\\", "")


def test_script_draws_all_fits_and_the_picture_of_the_one_that_fixed_the_offset(job, tmp_path):
    plot_image.main(**job)
    figure = picture(view=read_thumbnails(job["pairs"]["w3"]["view"]), offset=OFFSET, line=(SLOPE, 0.0), reference="W3",
                     title="ngc0628: F770W before and after anchoring",
                     paragraphs=["+0.400 ± 0.010 MJy/sr added, from W3 at gauss15"])  # fmt: skip
    save_figure(figure, [tmp_path / "direct.png"])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "direct.png").read_bytes()
    assert "from W3 at the resolution gauss15" in plain(tmp_path / "a.rst")
    said = plain(tmp_path / "fit.rst")
    assert "On IRAC4: no overlap." in said
    assert "On W3: y = (1.700 ± 0.010) x − (0.400 ± 0.010) MJy/sr; rms 0.01 MJy/sr; 7 bins" in said
    files = [job["pairs"][fit.reference] for fit in RECORD.fits]
    measured = [read_measurement(of_pair["bins"], of_pair["pixels"]) for of_pair in files]
    drawn = [pair_of(m, fit, RECORD.band, RECORD.target) for m, fit in zip(measured, RECORD.fits, strict=True)]
    assert [(pair["fit"] is None, pair["density"].size) for pair in drawn] == [(True, 0), (False, pair_size(drawn[1]))]
    save_figure(fits_figure(drawn), [tmp_path / "direct.png"])
    assert (tmp_path / "fit.png").read_bytes() == (tmp_path / "direct.png").read_bytes()
    assert (tmp_path / "fit.pdf").read_bytes().startswith(b"%PDF")


def pair_size(pair):
    return (pair["x_edges"].size - 1) * (pair["y_edges"].size - 1)


def test_script_shows_pixels_where_there_is_no_offset(job, tmp_path):
    reason = "W3: no line"
    failed = make_image(NO_FIT, FIT, status="failed", reason=reason)
    write(tmp_path / "solved.json", [failed])
    plot_image.main(**job)
    assert reason in plain(tmp_path / "a.rst")
    assert reason in plain(tmp_path / "fit.rst")
    views = {name: files["view"] for name, files in job["pairs"].items()}
    fit, view = plot_image.shown(failed, views)
    assert fit.reference == "w3"
    assert view.x.size
    assert plot_image.expected(fit, None) == (SLOPE, -OFFSET)
    assert plot_image.expected(NO_FIT, None) is None
