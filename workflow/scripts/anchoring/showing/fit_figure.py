"""The fits of an image: density of the pixels of each pair, binned medians and the line, or why there is none."""

import math
import textwrap
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import NullLocator

from ..files.atomic import atomic_write
from .text import band_label, equation, summary

STYLE = matplotlib.rc_params_from_file(Path(__file__).with_name("anchoring.mplstyle"))
STYLE["backend"] = "agg"  # else matplotlib looks for one, and imports pyplot to do so
styled = matplotlib.rc_context(STYLE)
POINTS, LINE = STYLE["axes.prop_cycle"].by_key()["color"][:2]

# Inches: what is left for labels around the axes, around words, between axes, and the sizes of the axes.
LEFT, RIGHT, BOTTOM, MARGIN, GAP = 0.58, 0.5, 0.4, 0.1, 0.06
HEIGHT, RESIDUALS, BAR = 2.42, 0.5, 0.07
REACH = 0.4  # of the width of what is fitted: how far beyond it the axes go
THOUSANDS = ("", "k", "M", "G")
METADATA = {".png": {"Software": None}, ".pdf": {"CreationDate": None}}  # what would differ from run to run


def axis_label(label, simplify_labels):
    """A band and the unit of its intensities."""
    return f"{band_label(label, simplify_labels)} [MJy/sr]"


@styled
def fits_figure(pairs):
    """Draw pairs side by side.

    Parameters
    ----------
    pairs : list of mappings
        What is shown of each:

        density : (ny, nx) array
            Pixels per cell; (0, 0) if there are none.
        x_edges, y_edges : (nx + 1,) and (ny + 1,) arrays
            Of the cells, evenly spaced, MJy/sr.
        bins : mapping
            x, median, p16, p84 (MJy/sr; NaN without data) and used (bool): arrays of one value per bin.
        fit : mapping or None
            slope, intercept, slope_err, intercept_err, rms, n_bins, n_pixels and range; None if there is no line.
        x_label, y_label : str
        title, reason : str
            The reason why there is no line stands where the line's numbers would.
        fit_range : (low, high), optional
            Where there is no line, the range on the x axis in which it was looked for, MJy/sr.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, columns = _page([(pair["title"], _words(pair), _heights(pair)) for pair in pairs])
    for pair, panels in zip(pairs, columns, strict=True):
        if panels:
            _draw_pair(figure, panels, pair)
    return figure


def _words(pair):
    fit = pair["fit"]
    return [equation(fit), summary(fit, np.isfinite(pair["bins"]["median"]).sum())] if fit else [pair["reason"]]


def _heights(pair):
    return [HEIGHT, RESIDUALS] if pair["fit"] else [HEIGHT] if pair["density"].size else []


def _draw_pair(figure, panels, pair):
    fit, cells = pair["fit"], (pair["density"], pair["x_edges"], pair["y_edges"])
    filled = np.isfinite(pair["bins"]["median"])
    bins = {name: values[filled] for name, values in pair["bins"].items()}
    limits = fit["range"] if fit else pair.get("fit_range")
    x_shown, y_shown = _windows(*cells, bins, fit, limits)
    for axes in panels:
        axes.set_xlim(x_shown)
        axes.axvline(0, color="0.7", linewidth=0.5, zorder=-1)
        if limits:
            axes.axvspan(*limits, color="0.93", linewidth=0, zorder=-2)
    panels[-1].set_xlabel(pair["x_label"])
    axes = panels[0]
    axes.set(ylim=y_shown, ylabel=pair["y_label"])
    axes.axhline(0, color="0.7", linewidth=0.5, zorder=-1)
    if cells[0].any():
        _draw_density(figure, axes, *cells)
    if fit:
        _draw_line(axes, fit, x_shown)
        _draw_residuals(panels[1], bins, fit)
        axes.tick_params(labelbottom=False)
    _draw_bins(axes, bins)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="lower left" if fit and fit["slope"] < 0 else "lower right")


def _page(columns):
    """A figure with columns of words (a title, paragraphs) and, below them, axes of some heights, inches.

    Returns it and the axes of each column; the uppermost of all columns are in line.
    """
    below = max(sum(heights) + GAP * len(heights) + BOTTOM - MARGIN if heights else 0 for *_, heights in columns)
    figure, tops = written_page([(title, paragraphs) for title, paragraphs, _ in columns], below)
    width, height = figure.get_size_inches()
    column = width / len(columns)
    panels = []
    for index, (*_, heights) in enumerate(columns):
        top, panels_of = min(tops), []
        left = (index * column + LEFT) / width
        for panel in heights:
            top -= GAP + panel
            axes = figure.add_axes((left, top / height, (column - LEFT - RIGHT) / width, panel / height))
            # Fixed places keep labels in line, and matplotlib from measuring every tick to find them.
            axes.xaxis.set_label_coords(0.5, -0.22 / panel)
            axes.yaxis.set_label_coords(-0.41 / (column - LEFT - RIGHT), 0.5)
            panels_of.append(axes)
        panels.append(panels_of)
    return figure, panels


def written_page(columns, below):
    """A figure with columns of words (a title, paragraphs) at its top and `below` inches of room under them.

    Returns
    -------
    figure : matplotlib.figure.Figure; tops : list of float
        Where the words of each column end, inches from the bottom.
    """
    figure = Figure()
    column = figure.get_figwidth()
    lines = [_lines(title, paragraphs, column - 2 * MARGIN) for title, paragraphs in columns]
    height = 2 * MARGIN + max(sum(map(_leading, words)) for words in lines) + below
    figure.set_size_inches(len(columns) * column, height)
    tops = []
    for index, words in enumerate(lines):
        top, left = height - MARGIN, (index * column + MARGIN) / (len(columns) * column)
        for line in words:
            text, size, color = line
            figure.text(left, top / height, text, size=size, color=color, va="top")
            top -= _leading(line)
        tops.append(top)
    return figure, tops


def _lines(title, paragraphs, width):
    """Lines no wider than `width`, inches, with their size, points, and colour."""
    lines = [(line, 9, "0") for line in _wrapped(title, width, 9)]
    return lines + [(line, 7.5, "0.25") for words in paragraphs for line in _wrapped(words, width, 7.5)]


def _leading(line):
    return 1.25 * line[1] / 72


def _wrapped(words, width, size):
    """Lines of plain text no wider than `width`, inches; words that are wider are broken."""
    renderer = FigureCanvasAgg(Figure(figsize=(1, 1), dpi=72)).get_renderer()
    font = FontProperties(size=size)

    def longest(lines):
        return max((renderer.get_text_width_height_descent(line, font, False)[0] / 72 for line in lines), default=0)

    lines, n = [" ".join(words.split())], len(words)
    while n > 1 and (widest := longest(lines)) > width:
        n = max(min(n - 1, int(1.1 * n * width / widest)), 1)
        lines = textwrap.wrap(words, n, break_on_hyphens=False)
    return lines


def _windows(density, x_edges, y_edges, bins, fit, limits):
    """Limits of both axes: around the fit where there is one, else all there is."""
    if fit is None:
        x, y = [*x_edges, *(limits or ()), *bins["x"]], [*y_edges, *bins["median"]]
        return _padded(min(x), max(x)), _padded(min(y), max(y))
    x_shown = _around(limits, x_edges if density.size else limits)
    line = [fit["slope"] * x + fit["intercept"] for x in (*limits, min(max(0, x_shown[0]), x_shown[1]))]
    used = bins["used"]
    core = [*line, *bins["median"], *bins["p16"][used], *bins["p84"][used]]
    return x_shown, _around((min(core), max(core)), _spread(density, x_edges, y_edges, x_shown) or core)


def _around(core, data):
    """`core` and what data there are up to REACH of its width beyond it, and 0 if that is near."""
    low, high = core
    reach = REACH * (high - low)
    shown = [max(min(data), low - reach), min(max(data), high + reach), low, high]
    if low - 2 * reach < 0 < high + 2 * reach:
        shown.append(0)
    return _padded(min(shown), max(shown))


def _padded(low, high):
    pad = 0.04 * (high - low) or 0.5
    return low - pad, high + pad


def _spread(density, x_edges, y_edges, x_shown):
    """Percentiles 0.5 and 99.5 of the y of the pixels at the x that are shown; None if there are none."""
    columns = (x_edges[1:] > x_shown[0]) & (x_edges[:-1] < x_shown[1])
    cumulative = np.cumsum(density[:, columns].sum(axis=1)) if density.size else np.zeros(1)
    if not cumulative[-1]:
        return None
    low, high = np.searchsorted(cumulative, [0.005 * cumulative[-1], 0.995 * cumulative[-1]])
    return y_edges[low], y_edges[high + 1]


def _draw_density(figure, axes, density, x_edges, y_edges):
    image = axes.imshow(
        np.ma.masked_equal(density, 0),
        extent=(x_edges[0], x_edges[-1], y_edges[0], y_edges[-1]),
        # Neither so light that one pixel is lost, nor so dark that the medians are.
        cmap=ListedColormap(matplotlib.colormaps["Blues"](np.linspace(0.15, 0.8, 256))),
        norm=LogNorm(1, max(density.max(), 10)),
        zorder=1,
    )
    width, box = figure.get_figwidth(), axes.get_position()
    bar_axes = figure.add_axes((box.x1 + GAP / width, box.y0, BAR / width, box.height))
    # Ticks named outright: those of a logarithmic axis would take a tenth of the figure's time.
    powers = range(int(math.log10(image.norm.vmax) + 1e-9) + 1)
    bar = figure.colorbar(image, cax=bar_axes, ticks=[10**power for power in powers])
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_ticklabels([f"{10 ** (power % 3)}{THOUSANDS[power // 3]}" for power in powers])
    bar.set_label("pixels per cell", size=8)
    bar.ax.yaxis.set_label_coords(1 + 0.23 / BAR, 0.5)


def _draw_line(axes, fit, x_shown):
    slope, intercept = fit["slope"], fit["intercept"]
    for ends, style, label in ((fit["range"], "-", "fit"), (x_shown, ":", None)):
        axes.plot(ends, [slope * x + intercept for x in ends], style, color=LINE, zorder=3, label=label)
    if x_shown[0] < 0 < x_shown[1]:
        axes.errorbar(
            0, intercept, yerr=fit["intercept_err"], fmt="D", color=LINE, mfc="w", zorder=5, label="intercept"
        )


def _draw_bins(axes, bins):
    for chosen, style, label in _used_and_clipped(bins):
        x, median, p16, p84 = (bins[name][chosen] for name in ("x", "median", "p16", "p84"))
        axes.vlines(x, p16, p84, color=POINTS, linewidth=0.7, zorder=4)
        axes.plot(x, median, "o", **style, zorder=4.5, label=label)


def _draw_residuals(axes, bins, fit):
    """Medians above and below the line: what is wrong with a fit is seen here or nowhere."""
    residual = bins["median"] - (fit["slope"] * bins["x"] + fit["intercept"])
    # The axis is the used bins', and no finer than what matters: a clipped bin may lie beyond it.
    height = 1.3 * max(np.abs(residual[bins["used"]]).max(), 1e-3)
    axes.set(ylim=(-height, height), ylabel="residual")
    power = 10 ** math.floor(math.log10(height))
    tick = max(n * power for n in (0.5, 1, 2, 5) if n * power < 0.9 * height)
    axes.set_yticks((-tick, 0, tick))
    axes.axhline(0, color=LINE, zorder=3)
    for chosen, style, _ in _used_and_clipped(bins):
        axes.plot(bins["x"][chosen], residual[chosen], "o", **style, zorder=4)


def _used_and_clipped(bins):
    """Masks of the bins to be drawn alike, how they are drawn, and what they are called."""
    used, medians = bins["used"], "medians, 16–84 %"
    filled, open_ = {"color": POINTS}, {"color": POINTS, "markerfacecolor": "w"}
    both = (used, filled, medians), (~used, open_, "clipped" if used.any() else medians)
    return [kind for kind in both if kind[0].any()]


@styled
def save_figure(figure, paths):
    """Write a figure to files (.png or .pdf), each whole or not at all; the same bytes for the same figure."""
    for path in map(Path, paths):
        with atomic_write(path) as temporary:
            figure.savefig(temporary, metadata=METADATA[path.suffix])
