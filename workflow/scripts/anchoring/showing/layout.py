"""Layout that the figures share: style, text at the top of a page, files."""

import functools
import textwrap
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags

from ..files.atomic import atomic_write

# All but the backend, for which matplotlib would search, and import pyplot to do so.
STYLE = dict(dict.items(matplotlib.rc_params_from_file(Path(__file__).with_name("anchoring.mplstyle"))))
del STYLE["backend"]
COLORS = STYLE["axes.prop_cycle"].by_key()["color"]
MARGIN, GAP = 0.1, 0.06  # inches: around the page, between axes
# Without what differs between runs; little compression, which takes a third of the time and a tenth more room.
OPTIONS = {
    ".png": {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 2}},
    ".pdf": {"metadata": {"CreationDate": None}},
}


def styled(function):
    """Call a function with the style of this file, and leave matplotlib's settings as they are."""

    @functools.wraps(function)
    def call(*arguments, **options):
        # Only what differs: matplotlib checks every value that it is given, which takes as long as a legend.
        settings = dict.items(matplotlib.rcParams)
        with matplotlib.rc_context({key: STYLE[key] for key, value in settings if STYLE.get(key, value) != value}):
            return function(*arguments, **options)

    return call


def text_page(columns, below):
    """A figure with columns of text (a title, paragraphs) at its top and `below` inches of room under them.

    Returns
    -------
    figure : matplotlib.figure.Figure; tops : list of float
        Where the text of each column ends, inches from the bottom.
    """
    figure = Figure()
    column = figure.get_figwidth()
    lines = [_lines(title, paragraphs, column - 2 * MARGIN) for title, paragraphs in columns]
    height = 2 * MARGIN + max(sum(map(_leading, texts)) for texts in lines) + below
    figure.set_size_inches(len(columns) * column, height)
    tops = []
    for index, texts in enumerate(lines):
        top, left = height - MARGIN, (index * column + MARGIN) / (len(columns) * column)
        for line in texts:
            text, size, color = line
            figure.text(left, top / height, text, size=size, color=color, va="top")
            top -= _leading(line)
        tops.append(top)
    return figure, tops


def _lines(title, paragraphs, width):
    """Lines no wider than `width`, inches, with their size, points, and colour."""
    lines = [(line, 9, "0") for line in _wrapped(title, width, 9)]
    return lines + [(line, 7.5, "0.25") for text in paragraphs for line in _wrapped(text, width, 7.5)]


def _leading(line):
    return 1.25 * line[1] / 72


def _wrapped(text, width, size):
    """Lines of plain text no wider than `width`, inches; longer words are broken."""
    lines, n = [" ".join(text.split())], len(text)
    while n > 1 and (widest := max((_width(line, size) for line in lines), default=0)) > width:
        n = max(min(n - 1, int(1.1 * n * width / widest)), 1)
        lines = textwrap.wrap(text, n, break_on_hyphens=False)
    return lines


def _width(text, size):
    """Width of plain text, inches: of its letters one by one, which takes a tenth of the time of laying it out."""
    return sum(map(_advance, text)) * size / 72


@functools.cache
def _advance(letter):
    """Width of a letter in units of the font's size."""
    # The family is named, as to switch the style for every letter takes a seventh of a figure's time.
    font = get_font(findfont(FontProperties(family=STYLE["font.family"])))
    font.set_size(12, 72)
    return font.load_char(ord(letter), LoadFlags.NO_HINTING).linearHoriAdvance / 65536 / 12


@styled
def save_figure(figure, paths):
    """Write a figure to files (.png or .pdf), atomically; the same figure gives the same bytes."""
    for path in map(Path, paths):
        with atomic_write(path) as temporary:
            figure.savefig(temporary, **OPTIONS[path.suffix])


@styled
def save_refusal(path, title, reason):
    """In place of a figure of what could not be made: a page with the reason."""
    save_figure(text_page([(title, [reason])], 0)[0], [path])
