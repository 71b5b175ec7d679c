"""Figures of fits show the numbers, bins, lines, limits and reasons that they are given, wherever they are drawn."""

import itertools
import math
import os
import string
import subprocess
import sys
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from made import make_fit
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import same_color
from numpy.testing import assert_allclose

from anchoring.measuring.binning import bin_medians, fixed_width_edges
from anchoring.measuring.density import pixel_density
from anchoring.showing.fit_figure import axis_label, band_label, equation, fits_figure
from anchoring.showing.layout import save_figure, styled

SLOPE, INTERCEPT, RANGE = 1.25, -0.4, (0.25, 2.0)
REASON = "no pixels of the reference in [0.25, 2] MJy/sr: expected some in the range: set intensity_range or range_on"


def make_pair(rng, *, slope=SLOPE, intercept=INTERCEPT, reason="", clipped=(), **changes):
    """A pair for `fits_figure`: a cloud of pixels around a line, its bins and the line itself, or no line."""
    x = np.append(rng.lognormal(-0.3, 0.7, 20_000), [60.0] * 40)
    y = slope * x + intercept + 0.05 * rng.normal(size=x.size)
    density, x_edges, y_edges = pixel_density(x, y)
    bins = bin_medians(x, y, fixed_width_edges(*RANGE))._asdict()
    bins["used"] = ~np.isin(np.arange(17), clipped) if not reason else np.zeros(17, dtype=bool)
    fit = make_fit(
        slope=slope, slope_err=0.0123, intercept=intercept, intercept_err=0.0045, rms=0.0078,
        n_bins=int(bins["used"].sum()), n_pixels=1234567, range_min=RANGE[0], range_max=RANGE[1],
    )  # fmt: skip
    return {
        "density": density, "x_edges": x_edges, "y_edges": y_edges, "bins": bins, "fit": None if reason else fit,
        "x_label": axis_label("irac4_atgauss4", True), "y_label": axis_label("F770W", True),
        "title": "ngc0628: F770W on IRAC4", "reason": reason, **changes,
    }  # fmt: skip


def pair_figure(**pair):
    return fits_figure([pair])


def without_pixels(pair):
    density, x_edges, y_edges = pixel_density(np.empty(0), np.empty(0))
    bins = {name: values[:0] for name, values in pair["bins"].items()}
    return {**pair, "density": density, "x_edges": x_edges, "y_edges": y_edges, "bins": bins}


def words(figure):
    return " ".join(text.get_text() for text in figure.texts)


def line_of(axes, label):
    (line,) = [line for line in axes.get_lines() if line.get_label() == label]
    return line


@styled
def drawn(figure):
    FigureCanvasAgg(figure).draw()
    return figure


def test_labels_are_bands_with_their_resolution_or_without():
    assert band_label("irac4_atgauss4", True) == "IRAC4"
    assert band_label("irac4_atgauss4", False) == "IRAC4 (gauss4)"
    assert band_label("F770W", True) == band_label("F770W", False) == "F770W"
    assert band_label("atlas_band_atgauss7p5", True) == "ATLAS_BAND"
    assert axis_label("w3_atgauss15", True) == "W3 [MJy/sr]"


def test_labels_and_titles_of_any_letters_are_drawn_as_they_are(rng):
    letters = "".join(c for c in string.printable if c.isprintable())
    pair = make_pair(rng, x_label=axis_label(letters, True), y_label=axis_label("a$b_c", False), title=letters)
    assert letters.replace(" ", "") in words(drawn(pair_figure(**pair))).replace(" ", "")


def test_equation_has_both_numbers_to_two_digits_of_their_errors():
    fit = make_fit(slope=1.01234, slope_err=0.0031, intercept=-0.07123, intercept_err=0.042)
    assert equation(fit) == "y = (1.0123 ± 0.0031) x − (0.071 ± 0.042) MJy/sr"
    fit = make_fit(slope=-30.1, slope_err=12.3, intercept=0.5, intercept_err=float("nan"))
    assert equation(fit) == "y = (−30 ± 12) x + 0.5000 MJy/sr"


def test_figure_says_what_the_fit_is(rng):
    shown = words(pair_figure(**make_pair(rng, clipped=[3])))
    for number in ("ngc0628: F770W on IRAC4", "(1.250 ± 0.012) x − (0.4000 ± 0.0045) MJy/sr", "rms 0.0078 MJy/sr",
                   "16 of 17 bins", "1,234,567 pixels", "[0.25, 2] MJy/sr"):  # fmt: skip
        assert number in shown
    axes, residuals, bar = drawn(pair_figure(**make_pair(rng))).axes
    assert axes.get_ylabel() == axis_label("F770W", True)
    assert residuals.get_xlabel() == axis_label("irac4_atgauss4", True)
    assert bar.get_ylabel() == "pixels per cell"


def test_used_bins_are_filled_and_clipped_ones_open(rng):
    pair = make_pair(rng, clipped=[0, 8])
    pair["bins"]["median"][4] = np.nan
    bins, used = pair["bins"], pair["bins"]["used"] & (np.arange(17) != 4)
    axes, residuals, _ = pair_figure(**pair).axes
    for chosen, label, face in ((used, "medians, 16–84 %", "k"), (~pair["bins"]["used"], "clipped", "w")):
        line = line_of(axes, label)
        assert_allclose(line.get_xydata(), np.transpose([bins["x"], bins["median"]])[chosen])
        assert same_color(line.get_markerfacecolor(), face)
    bars = np.concatenate([bar.get_segments() for bar in axes.collections if len(bar.get_segments()) in (14, 2)])
    assert_allclose(np.sort(bars[:, 0, 1]), np.sort(bins["p16"][np.arange(17) != 4]))
    assert_allclose(np.sort(bars[:, 1, 1]), np.sort(bins["p84"][np.arange(17) != 4]))
    shown = np.concatenate([line.get_xydata() for line in residuals.get_lines() if line.get_marker() == "o"])
    expected = (bins["median"] - SLOPE * bins["x"] - INTERCEPT)[np.rint((shown[:, 0] - 0.3) / 0.1).astype(int)]
    assert_allclose(shown[:, 1], expected)


def test_line_and_intercept_are_where_the_fit_says(rng):
    axes, *_ = pair_figure(**make_pair(rng)).axes
    x, y = line_of(axes, "fit").get_data()
    assert_allclose(x, RANGE)
    assert_allclose(y, SLOPE * np.array(RANGE) + INTERCEPT)
    (intercept,) = [drawn for drawn in axes.containers if drawn.get_label() == "intercept"]
    assert_allclose(intercept.lines[0].get_xydata(), [[0, INTERCEPT]])
    assert_allclose(intercept.lines[2][0].get_segments(), [[[0, INTERCEPT - 0.0045], [0, INTERCEPT + 0.0045]]])


def test_density_is_counts_in_their_cells(rng):
    pair = make_pair(rng)
    (image,) = pair_figure(**pair).axes[0].images
    counts = image.get_array()
    assert_allclose(counts.filled(0), pair["density"])
    assert np.array_equal(counts.mask, pair["density"] == 0)
    assert_allclose(image.get_extent(), [*pair["x_edges"][[0, -1]], *pair["y_edges"][[0, -1]]])


@pytest.mark.parametrize(("slope", "intercept"), [(1.25, -0.4), (1.7, 0.3), (-0.3, 0.5), (0.4, -20.0)])
def test_limits_hold_the_range_the_origin_and_the_bins_and_no_far_pixels(rng, slope, intercept):
    pair = make_pair(rng, slope=slope, intercept=intercept)
    axes, residuals, _ = drawn(pair_figure(**pair)).axes
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert residuals.get_xlim() == (left, right)
    assert left < 0 < 2 < right < 3
    assert bottom < min(intercept, pair["bins"]["p16"].min())
    assert top > max(intercept, pair["bins"]["p84"].max())
    assert top - bottom < 3 * abs(slope) * 2


def test_limits_do_not_reach_beyond_the_data_nor_to_a_far_origin(rng):
    x = rng.uniform(5.1, 9.1, 5_000)
    density, x_edges, y_edges = pixel_density(x, x)
    pair = make_pair(rng, density=density, x_edges=x_edges, y_edges=y_edges)
    pair["fit"] = replace(pair["fit"], range_min=5.0, range_max=9.0, slope=1.0, intercept=0.0)
    axes, *_ = drawn(pair_figure(**pair)).axes
    assert 4.5 < axes.get_xlim()[0] < 5
    assert 9 < axes.get_xlim()[1] < 9.6
    assert "intercept" not in axes.get_legend_handles_labels()[1]


def test_range_is_marked(rng):
    for pair in (make_pair(rng), make_pair(rng, reason=REASON, fit_range=RANGE)):
        axes = pair_figure(**pair).axes[0]
        assert any(patch.get_x() == 0.25 and patch.get_width() == 1.75 for patch in axes.patches)


def test_without_a_line_there_is_the_density_and_the_reason(rng):
    pair = make_pair(rng, reason=REASON, fit_range=RANGE)
    figure = drawn(pair_figure(**pair))
    axes, _ = figure.axes
    assert REASON in words(figure)
    assert axes.images
    assert line_of(axes, "medians, 16–84 %").get_xdata().size == 17
    assert not [line for line in axes.get_lines() if line.get_label() in ("fit", "clipped")]
    assert axes.get_xlim()[0] < pair["x_edges"][0]
    assert axes.get_xlim()[1] > pair["x_edges"][-1]


def test_without_pixels_there_is_the_reason(rng, tmp_path):
    reason = f"/data/{'reduction/' * 20}ngc0628_f770w.fits and w3.fits have no observed pixel in common " + "so " * 200
    figure = pair_figure(**without_pixels(make_pair(rng, reason=reason)))
    assert not figure.axes
    assert reason.replace(" ", "") in words(figure).replace(" ", "")
    save_figure(figure, [tmp_path / "no.png", tmp_path / "no.pdf"])
    assert (tmp_path / "no.png").stat().st_size > 1000


def test_line_is_drawn_without_a_density(rng):
    axes, _ = drawn(pair_figure(**{**make_pair(rng), **dict.fromkeys(("x_edges", "y_edges"), np.zeros(1)),
                                   "density": np.zeros((0, 0), dtype=int)})).axes  # fmt: skip
    assert line_of(axes, "fit")


def test_exact_line_without_errors_is_drawn(rng):
    pair = make_pair(rng)
    pair["fit"] = replace(pair["fit"], slope_err=math.nan, intercept_err=math.nan, rms=0.0)
    pair["bins"]["median"] = SLOPE * pair["bins"]["x"] + INTERCEPT
    figure = drawn(pair_figure(**pair))
    assert "y = 1.2500 x − 0.4000 MJy/sr rms 0 MJy/sr" in words(figure)


@pytest.mark.parametrize("title", ["ngc0628: F770W on IRAC4", "hlsp_survey-of_galaxies_" * 8 + "W", "W" * 200])
def test_words_fit_the_page_whatever_their_length(rng, title):
    figure = drawn(pair_figure(**make_pair(rng, title=title)))
    boxes = [text.get_window_extent() for text in figure.texts]
    assert "".join(text.get_text() for text in figure.texts).startswith(title)
    for upper, lower in itertools.pairwise(boxes):
        assert upper.y0 >= lower.y1 - 1
    assert min(box.x0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= figure.bbox.width
    assert boxes[0].y1 <= figure.bbox.height
    assert boxes[-1].y0 > figure.axes[0].bbox.y1


def test_labels_do_not_leave_the_page_nor_meet_the_numbers_of_their_axis(rng):
    for slope, intercept in ((1.25, -0.4), (0.0021, -0.0002), (2000.0, -400.0)):
        figure = drawn(pair_figure(**make_pair(rng, slope=slope, intercept=intercept)))
        for axes in figure.axes:
            label = axes.yaxis.label.get_window_extent()
            assert label.x0 >= 0
            assert label.x1 <= figure.bbox.width
            numbers = [tick.get_window_extent() for tick in axes.get_yticklabels() if tick.get_text()]
            assert not any(label.overlaps(number) for number in numbers)
        assert figure.axes[1].xaxis.label.get_window_extent().y0 >= 0


@pytest.fixture
def saved(rng, tmp_path):
    pair = make_pair(rng)
    save_figure(pair_figure(**pair), [tmp_path / "pair.png", tmp_path / "pair.pdf"])
    return pair, tmp_path


def test_a_pdf_is_small_as_only_the_density_is_pixels(saved):
    assert (saved[1] / "pair.pdf").stat().st_size < 100e3


def test_png_and_pdf_are_the_same_in_any_order(saved, tmp_path):
    pair, folder = saved
    save_figure(pair_figure(**pair), [tmp_path / "again.pdf", tmp_path / "again.png"])
    for kind in ("png", "pdf"):
        assert (tmp_path / f"again.{kind}").read_bytes() == (folder / f"pair.{kind}").read_bytes()


def test_a_users_own_settings_neither_matter_nor_change(saved, tmp_path):
    pair, folder = saved
    with matplotlib.rc_context({"font.size": 30, "text.usetex": True, "axes.grid": True}):
        save_figure(pair_figure(**pair), [tmp_path / "mine.png"])
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "mine.png").read_bytes() == (folder / "pair.png").read_bytes()


def test_a_kind_of_file_that_is_not_known_leaves_nothing(saved, tmp_path):
    with pytest.raises(KeyError, match=r"\.svg"):
        save_figure(pair_figure(**saved[0]), [tmp_path / "pair.svg"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pair.pdf", "pair.png"]


def test_pairs_stand_side_by_side_and_each_is_as_it_is_alone(rng):
    pairs = [make_pair(rng), make_pair(rng, title="ngc0628: F770W on W3 " * 4, reason=REASON, fit_range=RANGE),
             without_pixels(make_pair(rng, reason="no overlap")), make_pair(rng, slope=0.3)]  # fmt: skip
    figure = drawn(fits_figure(pairs))
    column = figure.bbox.width / len(pairs)
    assert all(text.get_window_extent().x1 // column == text.get_window_extent().x0 // column for text in figure.texts)
    columns = [[axes for axes in figure.axes if axes.bbox.x0 // column == index] for index in range(len(pairs))]
    assert [len(panels) for panels in columns] == [3, 2, 0, 3]
    assert len({round(panels[0].bbox.y1, 6) for panels in columns if panels}) == 1
    for pair, panels in zip(pairs, columns, strict=True):
        alone = drawn(pair_figure(**pair)).axes
        for shown, expected in zip(panels, alone, strict=True):
            assert_allclose(shown.get_xlim() + shown.get_ylim(), expected.get_xlim() + expected.get_ylim())
            assert_allclose(shown.bbox.size, expected.bbox.size)
            for line, same in zip(shown.get_lines(), expected.get_lines(), strict=True):
                assert_allclose(line.get_xydata(), same.get_xydata())


# A process that draws the pair of `saved`.
ALONE = """\
import sys
from anchoring.script import run

def main(files):
    import numpy as np
    from test_fit_figure import make_pair
    from anchoring.showing.fit_figure import fits_figure
    from anchoring.showing.layout import save_figure
    save_figure(fits_figure([make_pair(np.random.default_rng(20250101))]), files)
    print("matplotlib.pyplot" in sys.modules)

run(main, sys.argv[1] + ".log", files=sys.argv[1:])
"""


def test_processes_without_a_home_or_side_by_side_are_quiet_and_draw_the_same(saved, tmp_path):
    (tmp_path / "a_file").touch()
    places = [tmp_path / "a_file" / "never", tmp_path / "new", tmp_path / "new"]
    processes = []
    for seed, place in enumerate(places):
        files = [str(tmp_path / f"{seed}.{kind}") for kind in ("png", "pdf")]
        environment = {**os.environ, "MPLCONFIGDIR": str(place), "PYTHONHASHSEED": str(seed),
                       "PYTHONPATH": os.pathsep.join(sys.path)}  # fmt: skip
        command = [sys.executable, "-W", "error::UserWarning", "-c", ALONE, *files]
        processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    for seed, process in enumerate(processes):
        output, errors = process.communicate(timeout=60)
        assert (process.returncode, output.strip(), errors) == (0, b"False", b"")
        for kind in ("png", "pdf"):
            assert (tmp_path / f"{seed}.{kind}").read_bytes() == (tmp_path / f"pair.{kind}").read_bytes()
