"""The networks of a target: bands and references as nodes, pairs as lines coloured by their residuals."""

import math

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap

from ..bands import band_order
from .layout import COLORS, MARGIN, styled, text_page
from .text import band_label, rounded

HEIGHT, BAR = 3.0, 0.5  # inches: of a network, and of the bar of colours below all
STEPS = (-5, -3, -2, -1, 1, 2, 3, 5)  # residuals in units of their error at which the colour changes
COLOURS = ("#08306b", "#2b6cab", "#6baed6", "#a8c8dc", "0.65", "#f2b79f", "#ef8a62", "#b2182b", "#67001f")
BAND, REFERENCE, SUSPECT = "white", "0.9", COLORS[1]


@styled
def networks_figure(networks, words, simplify_labels):
    """Draw networks side by side.

    Parameters
    ----------
    networks : list of Network
    words : list of lists of str
        Paragraphs above each.
    simplify_labels : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = [(f"{n.target}: {n.instrument}, all pairs", w) for n, w in zip(networks, words, strict=True)]
    figure, tops = text_page(columns, HEIGHT + BAR)
    width, height = figure.get_size_inches()
    column = width / len(networks)
    norm = BoundaryNorm(STEPS, len(COLOURS), extend="both")
    colours = ListedColormap(COLOURS)
    for i, network in enumerate(networks):
        box = (i * column + MARGIN, min(tops) - HEIGHT, column - 2 * MARGIN, HEIGHT)
        axes = figure.add_axes([box[0] / width, box[1] / height, box[2] / width, box[3] / height])
        _draw(axes, network, lambda value: colours(norm(value)), simplify_labels)
    bar = figure.add_axes([0.1, 0.2 / height, 0.8, 0.07 / height])
    figure.colorbar(ScalarMappable(norm, colours), bar, orientation="horizontal", ticks=STEPS, extend="both")
    bar.set_title("residual of a pair / its error", size=7, pad=2)
    bar.tick_params(labelsize=6.5)
    return figure


def _draw(axes, network, colour, simplify_labels):
    """References above, bands below in the order of their wavelengths."""
    axes.set(xlim=(-0.05, 1.05), ylim=(-0.4, 1.35))
    axes.axis("off")
    references = _spread([r.reference for r in network.references], 1.0)
    ordered = sorted(network.images, key=lambda image: (band_order(image.band), image.name))
    images = _spread([(image.band, image.name) for image in ordered], 0.1)
    for pair in network.pairs:
        start = images[pair.band, pair.name]
        end = references.get(pair.label) if pair.kind == "external" else _of_pair(images, pair)
        if end is None:
            continue
        used = pair.sigmas is not None
        style = {"color": colour(pair.sigmas), "lw": 1.6} if used else {"color": "0.7", "lw": 0.6, "linestyle": ":"}
        # Pairs of bands in arcs below them, so that none hides another.
        bend = 0.0 if pair.kind == "external" else 0.25 if start[0] < end[0] else -0.25
        arrow = {"arrowstyle": "-", "connectionstyle": f"arc3,rad={bend}", "shrinkA": 0, "shrinkB": 0, **style}
        axes.annotate("", end, start, arrowprops=arrow, zorder=1)
    for reference in network.references:
        words = [band_label(reference.reference, simplify_labels)]
        if reference.zero is not None:
            words += [rounded(reference.zero, reference.zero_err), f"w = {reference.w:.1f}".replace("-", "−")]
        edge = SUSPECT if reference.suspect else "black"
        _node(axes, references[reference.reference], words, REFERENCE, edge, above=True)
    for image in network.images:
        tiles = sum(other.band == image.band for other in network.images) > 1
        words = [image.name if tiles else image.band]
        words.append("depends on no reference" if image.offset is None else rounded(image.offset, _error(image)))
        _node(
            axes, images[image.band, image.name], words, BAND, SUSPECT if image.offset is None else "black", above=False
        )


def _error(image):
    return math.hypot(image.offset_err, image.offset_sys)


def _of_pair(images, pair):
    """Where the other image of an internal pair is."""
    known = [place for (band, name), place in images.items() if band == pair.label and pair.reference.endswith(name)]
    return known[0] if known else None


def _spread(names, height):
    """{name: (x, y)} of nodes in a row."""
    places = (np.arange(len(names)) + 0.5) / max(len(names), 1)
    return {name: (float(x), height) for name, x in zip(names, places, strict=True)}


def _node(axes, place, words, fill, edge, *, above):
    axes.plot(*place, "o", ms=9, mfc=fill, mec=edge, mew=1.4, zorder=3)
    name, *numbers = words
    text = {"ha": "center", "size": 6.5, "zorder": 4, "bbox": {"fc": "white", "ec": "none", "pad": 0.6, "alpha": 0.8}}
    up = 0.06 if above else -0.22  # under the arcs
    axes.text(place[0], place[1] + up, "\n".join([name, *numbers]), va="bottom" if above else "top", **text)
