"""The figure of the sky of a reference: pixels used, their distribution, and the plane that was subtracted."""

import math

import numpy as np

from .layout import MARGIN, save_figure, styled, text_page

MAP, LOWER, LEFT, BELOW, GAP = 2.4, 1.1, 0.65, 0.4, 0.45  # inches: heights of the panels, room for labels
MOST = 400  # pixels along a side of the map


@styled
def draw(path, sky, header, title):
    """Draw a `measuring.sky.Sky` in MJy/sr, with what the header of the reference states of its files, into a file.

    `sky` is None where nothing was subtracted.
    """
    files = [header[key] for key in header if key.startswith("REFFIL")]
    shown = f"{files[0]} and {len(files) - 1} more" if len(files) > 1 else files[0]
    if sky is None:
        save_figure(text_page([(title, [f"from {shown}", "sky: none. Its zero level is as it came."])], 0)[0], [path])
        return
    kind = "a plane" if header["REFSKYM"] == "plane" else "a constant"
    paragraphs = [
        f"from {shown}",
        f"sky {sky.level:.5g} ± {sky.error:.2g} MJy/sr at the galaxy, {kind}, from {sky.share:.0%} of the field",
        f"flags: {', '.join(header.get('REFFLAG', 'none').split())}",
    ]
    figure, _ = text_page([(title, paragraphs)], MAP + LOWER + GAP + BELOW + 2 * MARGIN)
    width, height = figure.get_size_inches()
    across = (width - LEFT - MARGIN) / width
    below = (BELOW + LOWER + GAP) / height
    upper = figure.add_axes((MARGIN / width, below, MAP / width, MAP / height))
    bar = figure.add_axes(((2 * MARGIN + MAP) / width, below + 0.1 * MAP / height, 0.1 / width, 0.8 * MAP / height))
    lower = figure.add_axes((LEFT / width, BELOW / height, across, LOWER / height))
    _draw_map(figure, upper, bar, sky)
    spread = 5 * sky.noise or 1.0
    lower.hist(sky.values - sky.level, bins=101, range=(-spread, spread), histtype="stepfilled", color="C0", alpha=0.6)
    lower.axvspan(-sky.error, sky.error, color="C1", alpha=0.5, linewidth=0)
    lower.axvline(0, color="C1", linewidth=0.8)
    lower.set(xlim=(-spread, spread), xlabel="sky pixels minus the sky, MJy/sr", ylabel="pixels", yticks=[])
    save_figure(figure, [path])


def _draw_map(figure, axes, bar, sky):
    """Sky pixels about the level, with the gradient left in; what was not used is grey."""
    step = max(math.ceil(max(sky.used.shape) / MOST), 1)
    ny, nx = sky.used.shape
    rows, columns = np.nonzero(sky.used)
    values = np.full(sky.used.shape, np.nan)
    x, y = ((v * sky.step + (sky.step - 1) / 2) - c for v, c in zip((columns, rows), sky.centre, strict=True))
    values[sky.used] = sky.values - sky.level + sky.gradient[0] * x + sky.gradient[1] * y
    small = values[: ny // step * step, : nx // step * step].reshape(ny // step, step, nx // step, step)
    known = np.isfinite(small)
    with np.errstate(invalid="ignore"):
        small = np.where(known, small, 0).sum(axis=(1, 3)) / known.sum(axis=(1, 3))
    axes.set_facecolor("0.8")
    limit = 2 * sky.noise or 1.0
    image = axes.imshow(small, origin="lower", vmin=-limit, vmax=limit, cmap="RdBu_r", interpolation="nearest")
    centre = [(c - (sky.step - 1) / 2) / sky.step / step for c in sky.centre]
    axes.plot(*centre, "+", color="0", markersize=6)
    axes.set(xticks=[], yticks=[], xlim=(-0.5, small.shape[1] - 0.5), ylim=(-0.5, small.shape[0] - 0.5))
    axes.set_aspect("equal")
    axes.set_xlabel("grey: galaxy, sources, unobserved")
    figure.colorbar(image, cax=bar, label="minus the sky, MJy/sr")
