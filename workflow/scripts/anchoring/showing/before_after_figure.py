"""An image before and after anchoring next to its reference, all with one stretch."""

import math

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import AsinhNorm
from matplotlib.ticker import MaxNLocator, NullLocator

from .layout import COLORS, GAP, MARGIN, styled, text_page

PANEL = 1.42  # inches, width of a panel
HEIGHTS = (0.8, 1.9)  # inches, least and largest height of a panel
TITLE, AXIS, BAR = 0.16, 0.3, 0.07  # inches: above a panel, below the lower ones, width of the colour bar
AFTER, BEFORE, REFERENCE = COLORS[:3]
INTENSITY = colormaps["cividis"].with_extremes(bad="0.85")


@styled
def picture(*, view, offset, line, reference, title, paragraphs):
    """Draw an image before and after its offset was added, its reference, and how the faint pixels of all three lie.

    Parameters
    ----------
    view : Thumbnails
    offset : float or None
        MJy/sr; None if the image is not anchored.
    line : (slope, shift) or None
        The reference is drawn as slope * x + shift, MJy/sr, which is what the anchored image should show; None,
        without a fit, draws it unchanged.
    reference : str
        What the reference is called.
    title : str
    paragraphs : list of str

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not view.x.size:
        return text_page([(title, paragraphs)], 0)[0]
    slope, shift = line or (1.0, 0.0)
    anchored = None if offset is None else view.y + np.float32(offset)
    expected = (slope * view.x + shift).astype(np.float32)
    panel = min(max(PANEL * view.y.shape[0] / view.y.shape[1], HEIGHTS[0]), HEIGHTS[1])
    figure, (top,) = text_page([(title, paragraphs)], 2 * (TITLE + panel) + GAP + AXIS)
    places = [
        (MARGIN + column * (PANEL + GAP), top - (row + 1) * (TITLE + panel) - row * GAP, PANEL, panel)
        for row in (0, 1)
        for column in (0, 1)
    ]
    norm = stretch([image for image in (view.y, anchored) if image is not None])
    name = f"{reference} × {slope:.3g}" if line else f"{reference}, own stretch"
    # Without a line the brightness scales of image and reference cannot be related.
    norms = norm, norm, norm if line else stretch([expected])
    panels = zip((view.y, anchored, expected), norms, places, ("before", "after", name), strict=False)
    for image, norm, place, label in panels:
        axes = _panel(figure, place, label)
        axes.set(xticks=(), yticks=())
        if image is None:
            axes.text(0.5, 0.5, "not anchored", ha="center", va="center", transform=axes.transAxes)
            continue
        axes.imshow(image, cmap=INTENSITY, norm=norm, aspect="equal")
    _draw_scale(figure.axes[0], view)
    _draw_bar(figure, figure.axes[0].images[0], places[1])
    _draw_faint(_panel(figure, places[3], "faint half of the pixels"), view, offset, line, name if line else reference)
    return figure


def _panel(figure, place, title):
    (width, height), (left, bottom, w, h) = figure.get_size_inches(), place
    axes = figure.add_axes((left / width, bottom / height, w / width, h / height))
    axes.set_title(title, loc="left", size=8, pad=2.5)
    return axes


def stretch(images):
    """One asinh stretch for all images, linear up to the width of the faint pixels of the last image.

    It goes from the lowest of their 0.5 percentiles, or 0, to the highest of their 99.5 percentiles.
    """
    limits = [np.nanpercentile(image, (0.5, 99.5)) for image in images]
    low, median = np.nanpercentile(images[-1], (0.5, 50))
    bottom, top = min(0.0, *(low for low, _ in limits)), max(high for _, high in limits)
    width = max(median - low, 1e-3 * (top - bottom), 1e-6)
    return AsinhNorm(width, bottom, max(top, bottom + width))


def _draw_bar(figure, image, panel):
    """Colour bar to the right of a panel; explicit ticks, as matplotlib's take longer than the figure."""
    (width, height), (left, bottom, w, h) = figure.get_size_inches(), panel
    axes = figure.add_axes(((left + w + GAP) / width, bottom / height, BAR / width, h / height))
    bar = figure.colorbar(image, cax=axes, ticks=bar_ticks(image.norm))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.set_yticklabels([f"{tick:g}".replace("-", "−") for tick in bar.get_ticks()])
    bar.ax.tick_params(labelsize=7, pad=2)
    bar.set_label("MJy/sr", size=8, labelpad=1)


def bar_ticks(norm, apart=0.11):
    """0 and 1, 3, 10, ... times a power of ten of either sign, where they are `apart` on a bar of length 1.

    Far from 0, where there are too few of those: round numbers in equal steps.
    """
    largest = max(abs(norm.vmin), abs(norm.vmax))
    steps = [m * 10.0**p for p in range(math.ceil(math.log10(largest)), -7, -1) for m in (3, 1)]
    candidates = [0.0, *(sign * step for step in steps for sign in (1, -1))]
    ticks, taken = [], []
    for tick, place in zip(candidates, norm(candidates), strict=True):
        if norm.vmin <= tick <= norm.vmax and all(abs(place - other) > apart for other in taken):
            ticks.append(tick)
            taken.append(place)
    if len(ticks) < 3:
        ticks = [tick for tick in MaxNLocator(5).tick_values(norm.vmin, norm.vmax) if norm.vmin <= tick <= norm.vmax]
    return sorted(ticks)


def _draw_scale(axes, view):
    """A line of a round number of arcsec, a third of the panel long at most."""
    ny, nx = view.y.shape
    longest = view.scale * nx / 3
    power = 10 ** math.floor(math.log10(longest))
    length = max(n * power for n in (1, 2, 5) if n * power <= longest)
    x, y = 0.05 * nx, 0.06 * ny
    axes.plot([x, x + length / view.scale], [y, y], color="k", linewidth=3, solid_capstyle="butt")
    axes.plot([x, x + length / view.scale], [y, y], color="w", linewidth=1.5, solid_capstyle="butt")
    axes.text(x, y + 0.04 * ny, f"{length:g}″", size=7, bbox={"fc": "w", "ec": "none", "alpha": 0.8, "pad": 0.6})


def _draw_faint(axes, view, offset, line, name):
    """Distributions of the faint half of the pixels; those of image and reference agree if the zero level is right."""
    slope, shift = line or (1.0, 0.0)
    axes.axvline(0, color="0.6", linewidth=0.6)
    shown = [(view.x_counts, view.x_edges, slope, shift, name, {"color": REFERENCE, "fill": True, "alpha": 0.5})]
    shown += [(view.y_counts, view.y_edges, 1.0, 0.0, "before", {"color": BEFORE, "linestyle": "--"})]
    if offset is not None:
        shown += [(view.y_counts, view.y_edges, 1.0, offset, "after", {"color": AFTER})]
    top, limits = 0, [0.0]
    for counts, edges, factor, shift, label, style in shown:
        height, moved = density(counts, edges, factor, shift, view.n_pixels)
        axes.stairs(height, moved, label=label, linewidth=1, **style)
        top = max(top, height.max())
        limits += [moved[0], moved[-1]]
    pad = 0.04 * (max(limits) - min(limits))
    # Room above the curves for the legend.
    axes.set(xlim=(min(limits) - pad, max(limits) + pad), ylim=(0, 1.55 * top), yticks=())
    axes.tick_params(labelsize=7)
    axes.locator_params(axis="x", nbins=4)
    axes.set_xlabel("MJy/sr", size=8, labelpad=1)
    axes.legend(loc="upper left", fontsize=6.5, borderaxespad=0.2, handlelength=1.2)


def density(counts, edges, factor, shift, n_pixels):
    """Counts of values v as the density of factor * v + shift, per MJy/sr and pixel, in rising order.

    Returns
    -------
    height : (n,) array; edges : (n + 1,) array
    """
    moved = factor * edges + shift
    if factor < 0:
        counts, moved = counts[::-1], moved[::-1]
    return counts / np.maximum(np.diff(moved) * n_pixels, 1e-30), moved
