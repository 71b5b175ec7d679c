"""The fits of an image: density of the pixels of each pair, binned medians and the line, or why there is none."""

from __future__ import annotations

import math

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ..measuring.measurement import Measurement
from ..solving.records import FitRecord
from .layout import COLORS, GAP, MARGIN, styled, text_page
from .text import band_label, equation, summary

POINTS, LINE = COLORS[:2]

# Inches: room for labels around the axes, and the sizes of the axes.
LEFT, RIGHT, BOTTOM = 0.58, 0.5, 0.4
HEIGHT, RESIDUALS, BAR = 2.42, 0.5, 0.07
REACH = 0.4  # how far the axes extend beyond the fitted range, in units of its width
THOUSANDS = ("", "k", "M", "G")


def axis_label(label, simplify_labels):
    """A band and the unit of its intensities."""
    return f"{band_label(label, simplify_labels)} [MJy/sr]"


def plot_fit(measurement: Measurement, fit: FitRecord, band: str, *, target: str = "") -> Figure:
    """Draw a fit: the density of the pixels, medians in bins, the line and the residuals of the medians.

    Parameters
    ----------
    measurement : Measurement
    fit : FitRecord
        Of it.
    band : str
        Of the image.
    target : str, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    return fits_figure([pair_of(measurement, fit, band, target)])


def pair_of(measurement, fit, band, target="", *, simplify_labels=True):
    """A pair as `fits_figure` takes it, from its Measurement and FitRecord."""
    density, x_edges, y_edges = measurement.density
    names = [band_label(name, simplify_labels) for name in (band, fit.label)]
    return {
        "density": density,
        "x_edges": x_edges,
        "y_edges": y_edges,
        "bins": _bins_of(measurement.bins, fit.used),
        "fit": fit if fit.slope is not None else None,
        "fit_range": fit.range,
        "x_label": axis_label(fit.label, simplify_labels),
        "y_label": axis_label(band, simplify_labels),
        "title": f"{target}: {names[0]} on {names[1]}".removeprefix(": "),
        "reason": fit.reason,
    }


def _bins_of(bins, used):
    """Bins (none of a pair that is not measured) as a mapping of arrays, with the mask of those the fit used."""
    columns = dict.fromkeys(("x", "median", "p16", "p84", "count"), np.empty(0)) if bins is None else bins._asdict()
    return {**columns, "used": np.array(used or np.zeros(columns["x"].size), dtype=bool)}


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
        fit : FitRecord or None
            None if there is no line.
        x_label, y_label : str
        title, reason : str
            The reason is printed in place of the line's numbers where there is no line.
        fit_range : (low, high), optional
            The range of the fit that found no line, MJy/sr.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, columns = _page([(pair["title"], _paragraphs(pair), _heights(pair)) for pair in pairs])
    for pair, panels in zip(pairs, columns, strict=True):
        if panels:
            _draw_pair(figure, panels, pair)
    return figure


def _paragraphs(pair):
    fit = pair["fit"]
    return [equation(fit), summary(fit, np.isfinite(pair["bins"]["median"]).sum())] if fit else [pair["reason"]]


def _heights(pair):
    return [HEIGHT, RESIDUALS] if pair["fit"] else [HEIGHT] if pair["density"].size else []


def _draw_pair(figure, panels, pair):
    fit, cells = pair["fit"], (pair["density"], pair["x_edges"], pair["y_edges"])
    filled = np.isfinite(pair["bins"]["median"])
    bins = {name: values[filled] for name, values in pair["bins"].items()}
    limits = fit.range if fit else pair.get("fit_range")
    x_shown, y_shown = _windows(*cells, bins, fit, limits)
    for axes in panels:
        axes.set_xlim(x_shown)
        axes.locator_params(nbins=5)  # ticks take most of the time of a figure
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
        axes.legend(loc="lower left" if fit and fit.slope < 0 else "lower right")


def _page(columns):
    """A figure with columns of text (a title, paragraphs) and, below them, axes of given heights, inches.

    Returns it and the axes of each column; the uppermost axes of all columns are aligned.
    """
    below = max(sum(heights) + GAP * len(heights) + BOTTOM - MARGIN if heights else 0 for *_, heights in columns)
    figure, tops = text_page([(title, paragraphs) for title, paragraphs, _ in columns], below)
    width, height = figure.get_size_inches()
    column = width / len(columns)
    panels = []
    for index, (*_, heights) in enumerate(columns):
        top, panels_of = min(tops), []
        left = (index * column + LEFT) / width
        for panel in heights:
            top -= GAP + panel
            axes = figure.add_axes((left, top / height, (column - LEFT - RIGHT) / width, panel / height))
            # Fixed positions align the labels and save matplotlib from measuring every tick.
            axes.xaxis.set_label_coords(0.5, -0.22 / panel)
            axes.yaxis.set_label_coords(-0.41 / (column - LEFT - RIGHT), 0.5)
            panels_of.append(axes)
        panels.append(panels_of)
    return figure, panels


def _windows(density, x_edges, y_edges, bins, fit, limits):
    """Limits of both axes: around the fit if there is one, else around all data."""
    if fit is None:
        x, y = [*x_edges, *(limits or ()), *bins["x"]], [*y_edges, *bins["median"]]
        return _padded(min(x), max(x)), _padded(min(y), max(y))
    x_shown = _around(limits, x_edges if density.size else limits)
    line = [fit.slope * x + fit.intercept for x in (*limits, min(max(0, x_shown[0]), x_shown[1]))]
    used = bins["used"]
    core = [*line, *bins["median"], *bins["p16"][used], *bins["p84"][used]]
    return x_shown, _around((min(core), max(core)), _spread(density, x_edges, y_edges, x_shown) or core)


def _around(core, data):
    """Limits around `core` and the data up to REACH of its width beyond it, including 0 if that is near."""
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
        # One pixel is still visible, and so are the medians on top.
        cmap=ListedColormap(matplotlib.colormaps["Blues"](np.linspace(0.15, 0.8, 256))),
        norm=LogNorm(1, max(density.max(), 10)),
        zorder=1,
    )
    width, box = figure.get_figwidth(), axes.get_position()
    bar_axes = figure.add_axes((box.x1 + GAP / width, box.y0, BAR / width, box.height))
    # Explicit ticks: those of a logarithmic axis take a tenth of the time of the figure.
    powers = range(int(math.log10(image.norm.vmax) + 1e-9) + 1)
    bar = figure.colorbar(image, cax=bar_axes, ticks=[10**power for power in powers])
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_ticklabels([f"{10 ** (power % 3)}{THOUSANDS[power // 3]}" for power in powers])
    bar.set_label("pixels per cell", size=8)
    bar.ax.yaxis.set_label_coords(1 + 0.23 / BAR, 0.5)


def _draw_line(axes, fit, x_shown):
    slope, intercept = fit.slope, fit.intercept
    for ends, style, label in ((fit.range, "-", "fit"), (x_shown, ":", None)):
        axes.plot(ends, [slope * x + intercept for x in ends], style, color=LINE, zorder=3, label=label)
    if x_shown[0] < 0 < x_shown[1]:
        axes.errorbar(0, intercept, yerr=fit.intercept_err, fmt="D", color=LINE, mfc="w", zorder=5, label="intercept")


def _draw_bins(axes, bins):
    for chosen, style, label in _used_and_clipped(bins):
        x, median, p16, p84 = (bins[name][chosen] for name in ("x", "median", "p16", "p84"))
        axes.vlines(x, p16, p84, color=POINTS, linewidth=0.7, zorder=4)
        axes.plot(x, median, "o", **style, zorder=4.5, label=label)


def _draw_residuals(axes, bins, fit):
    """Residuals of the medians, which show where a line does not fit."""
    residual = bins["median"] - (fit.slope * bins["x"] + fit.intercept)
    # Scaled to the bins that were used, at least 0.001 MJy/sr: a clipped bin may be outside.
    height = 1.3 * max(np.abs(residual[bins["used"]]).max(), 1e-3)
    axes.set(ylim=(-height, height), ylabel="residual")
    power = 10 ** math.floor(math.log10(height))
    tick = max(n * power for n in (0.5, 1, 2, 5) if n * power < 0.9 * height)
    axes.set_yticks((-tick, 0, tick))
    axes.axhline(0, color=LINE, zorder=3)
    for chosen, style, _ in _used_and_clipped(bins):
        axes.plot(bins["x"][chosen], residual[chosen], "o", **style, zorder=4)


def _used_and_clipped(bins):
    """Mask, plot style and label of the bins that were used and of those that were clipped."""
    used, medians = bins["used"], "medians, 16–84 %"
    filled, open_ = {"color": POINTS}, {"color": POINTS, "markerfacecolor": "w"}
    both = (used, filled, medians), (~used, open_, "clipped" if used.any() else medians)
    return [kind for kind in both if kind[0].any()]
