"""The page of a survey of 74 galaxies in 8 bands, in a browser: what a person does with it, by mouse, keys and thumb.

    make test-page

Not part of `make test`, as not every machine has a browser. With SCREENSHOTS, a folder, it leaves pictures there.
"""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import DESKTOP, PHONE, browser
from made import make_fit, make_image

from anchoring.fitting.flags import MEANING
from anchoring.showing.fit_figure import fits_figure
from anchoring.showing.layout import save_figure
from anchoring.showing.page import survey, write_page

BANDS = ("F200W", "F300M", "F335M", "F360M", "F770W", "F1000W", "F1130W", "F2100W")
TARGETS = [f"ngc{number:04d}" for number in range(600, 674)]
FLAGS = ("references_disagree", "gradient", "misaligned", "few_bins")
LINE = {"slope": 0.9954, "slope_err": 0.0022, "intercept_err": 0.002, "rms": 0.005, "n_bins": 17, "n_pixels": 23610,
        "n_independent": 776.4, "range_min": 0.25, "range_max": 2.0, "shift": 0.02, "shift_err": 0.01,
        "correlation": 0.98}  # fmt: skip
CELL = ".matrix td a"


def record(rng, target, band):
    """An image as a run leaves it: one in 40 failed, one in 10 with a flag."""
    name = f"{target}_miri_lv3_{band.lower()}"
    known = {"target": target, "band": band, "name": name, "image": f"data/{name}_i2d_align.fits"}
    offset, error = rng.normal(0.2, 0.2), rng.uniform(0.002, 0.02)
    fit = make_fit(**LINE, intercept=-offset)
    if rng.random() < 1 / 40:
        reason = "irac4_atgauss4: no pixels of the reference in [0.25, 2] MJy/sr; expected some in the range"
        return make_image(
            replace(fit, slope=None, status="failed", reason=reason), **known, status="failed", reason=reason
        )
    flags = [FLAGS[rng.integers(len(FLAGS))]] if rng.random() < 1 / 10 else []
    solved = {"offset": offset, "offset_err": error, "offset_sys": 0.01, "chosen": 0, "reference": fit.label}
    return make_image(replace(fit, flags=flags), **known, status="anchored", **solved)


@pytest.fixture(scope="module")
def records():
    rng = np.random.default_rng(21)
    return [record(rng, target, band) for target in TARGETS for band in BANDS]


@pytest.fixture(scope="module")
def page(records, tmp_path_factory):
    """The page with all its figures, each image its own files."""
    folder = tmp_path_factory.mktemp("survey")
    rng, edges = np.random.default_rng(1), np.linspace(0, 2.5, 41)
    x = rng.uniform(0, 2.5, 20_000)
    density, *_ = np.histogram2d(x - 0.2 + rng.normal(0, 0.1, x.size), x, [edges - 0.5, edges])
    bins = {"x": edges[5:33:2], "median": edges[5:33:2] - 0.2, "used": np.ones(14, bool)}
    bins |= {"p16": bins["median"] - 0.1, "p84": bins["median"] + 0.1}
    pair = {"density": density, "x_edges": edges, "y_edges": edges - 0.5, "bins": bins,
            "x_label": "IRAC4", "y_label": "F770W",
            "fit": make_fit(**LINE, intercept=-0.2), "title": "a fit", "reason": ""}  # fmt: skip
    save_figure(fits_figure([pair]), [folder / "fit.png"])
    figures = []
    for image in records:
        place = f"{image.target}/{image.band}/anchored"
        (folder / place).mkdir(parents=True)
        stems = {"picture": f"{place}/{image.name}_before_after", "fit": f"{place}/{image.name}_fit"}
        for stem in stems.values():
            shutil.copy(folder / "fit.png", folder / f"{stem}.png")
        figures.append({"image": image.image, **stems, "references": ["irac4_atgauss4"]})
    write_page(folder / "index.html", "survey.html.jinja", version="1", **survey(records, figures, True))
    return folder / "index.html"


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def at(window, page):
    """Open the page with a fragment, on a wide screen."""

    def opened(fragment="", screen=DESKTOP, **options):
        window.resize(screen)
        window.open(page, fragment, **options)
        return window

    return opened


def photograph(window, name):
    if folder := os.environ.get("SCREENSHOTS"):
        window.picture(Path(folder) / f"{name}.png")


def shown(window, selector):
    """How many elements are to be seen."""
    return window.value(f"[...document.querySelectorAll({selector!r})].filter((e) => e.checkVisibility()).length")


def fragment(window):
    return window.value("decodeURIComponent(location.hash)")


def flagged(records, *words):
    return sum(bool({*image.flags} & {*words}) for image in records)


# --- opening ---------------------------------------------------------------------------------------------------------


def test_it_opens_without_a_network_and_says_how_fast(at, page, capsys):
    times = []
    for _ in range(5):
        window = at()
        window.until("performance.getEntriesByName('first-contentful-paint').length")
        times.append(window.value(
            "[performance.getEntriesByName('first-contentful-paint')[0].startTime,"
            " performance.getEntriesByType('navigation')[0].loadEventEnd]"
        ))  # fmt: skip
    paint, load = np.median(times, axis=0) / 1000
    with capsys.disabled():
        size = page.stat().st_size / 1e6
        print(
            f"\n74 x 8 cells, {size:.1f} MB: first paint after {paint:.2f} s, loaded after {load:.2f} s (medians of 5)"
        )
    assert shown(window, CELL) == 74 * 8
    own = [address for address in window.requests if address.startswith(("file:", "data:", "about:"))]
    assert window.requests == own
    photograph(window, "desktop")


def test_without_javascript_it_is_all_there(at, records):
    window = at(scripts=False)
    with_pictures = sum(image.status == "anchored" for image in records)
    document = window.call("DOM.getDocument", depth=0)["root"]["nodeId"]

    def found(selector):
        return len(window.call("DOM.querySelectorAll", nodeId=document, selector=selector)["nodeIds"])

    assert found(CELL) == 74 * 8
    assert found("main details figure a[href$='.png']") >= 2 * with_pictures
    assert found("#filter:not([hidden]), .columns, dialog[open]") == 0


# --- filters ---------------------------------------------------------------------------------------------------------


def test_filters_leave_what_is_asked_for_and_are_in_the_address(at, records):
    window = at()
    window.type("#filter [name=text]", "ngc061")
    assert shown(window, ".matrix tbody tr") == 10
    assert shown(window, "section h3") == 10
    window.click("#filter [value=F770W]")
    assert (shown(window, CELL), shown(window, ".matrix thead th")) == (10, 2)
    assert window.value("document.querySelector('#filter output').value") == "10 of 592 images"
    window.until("location.hash.includes('F770W')")
    assert fragment(window) == "#?text=ngc061&band=F770W"
    photograph(window, "filtered")
    window.click("#filter [type=reset]")
    window.until("location.hash === ''")
    assert shown(window, CELL) == 74 * 8


@pytest.mark.parametrize("word", ["gradient", "misaligned"])
def test_a_shared_link_shows_the_same(at, records, word):
    assert word in MEANING
    window = at(f"#?show={word}")
    assert shown(window, CELL) == flagged(records, word) > 0
    assert shown(window, "#first + div li") == flagged(records, word)
    assert window.value("document.querySelector('#filter [name=show]').value") == word
    other = at(f"#?band=F770W,F1000W&show={word}&text=NGC")
    chosen = [image for image in records if image.band in ("F770W", "F1000W")]
    assert shown(other, CELL) == flagged(chosen, word)
    assert shown(other, "main details[data-band]") == flagged(chosen, word)


def test_a_link_to_an_image_keeps_the_filter_and_shows_an_image_that_it_hides(at):
    window = at("#?band=F770W")
    window.click(f"{CELL}:not([hidden])[href*='ngc0605/F770W']")
    window.until("document.activeElement.parentElement.dataset.target === 'ngc0605'")
    assert fragment(window) == "#ngc0605/F770W/ngc0605_miri_lv3_f770w?band=F770W"
    assert window.value("document.activeElement.parentElement.open")
    window.value("location.hash = '#ngc0605/F1000W/ngc0605_miri_lv3_f1000w'")
    window.until("document.activeElement.parentElement.dataset.band === 'F1000W'")
    assert shown(window, CELL) == 74 * 8


def test_what_is_no_filter_in_an_address_is_left_out(at):
    window = at("#?show=nothing&band=F1&hide=x&sort=9,y,z&picture=none.png&%&=&a")
    assert shown(window, CELL) == 74 * 8
    assert not window.value("document.getElementById('large').open")


# --- tables ----------------------------------------------------------------------------------------------------------


def test_columns_and_order_of_a_table_are_chosen_and_are_in_the_address(at):
    window = at()
    n = shown(window, "#offsets ~ .scroll:has([data-table='0']) thead th")
    window.click(".columns summary")
    window.click(".columns [value=slope]")
    window.click("[data-table='0'] [data-column=offset] button")
    window.click("[data-table='0'] [data-column=offset] button")
    assert shown(window, "#offsets ~ .scroll:has([data-table='0']) thead th") == n - 1
    assert fragment(window) == "#?hide=slope&sort=0,offset,descending"
    photograph(window, "columns")
    order = "[...document.querySelectorAll('[data-table=\"0\"] tbody th')].slice(0, 20).map((e) => e.textContent)"
    again = at(window.value("location.hash"))
    assert again.value(order) == window.value(order)
    keys = again.value(
        "[...document.querySelectorAll('[data-table=\"0\"] tbody tr')].map((row) =>"
        " Number(row.cells[[...document.querySelectorAll('[data-table=\"0\"] th[data-column]')]"
        ".findIndex((h) => h.dataset.column === 'offset')].dataset.key))"
    )
    assert keys == sorted(keys, reverse=True)
    assert not again.value("document.querySelector('.columns [value=slope]').checked")


# --- pictures --------------------------------------------------------------------------------------------------------


def address(window):
    return window.value("decodeURIComponent(document.querySelector('#large img')?.getAttribute('src') ?? '')")


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_picture_opens_large_and_goes_by_keys(at, screen):
    window = at("#ngc0605/F770W/ngc0605_miri_lv3_f770w", screen)
    picture = "main figure a[href$='ngc0605_miri_lv3_f770w_before_after.png']"
    window.click(picture)
    window.until("document.querySelector('#large img')?.complete && document.querySelector('#large img').naturalWidth")
    assert address(window).endswith("ngc0605_miri_lv3_f770w_before_after.png")
    width, height = window.value(
        "(({ width, height }) => [width, height])(document.querySelector('#large img').getBoundingClientRect())"
    )
    assert width <= screen["width"]
    assert height <= screen["height"]
    assert max(width / screen["width"], height / screen["height"]) > 0.7
    photograph(window, f"picture_{screen['width']}")
    window.press("ArrowRight")
    assert address(window).endswith("ngc0605_miri_lv3_f770w_fit.png")
    assert "picture=ngc0605/F770W/anchored/ngc0605_miri_lv3_f770w_fit.png" in fragment(window)
    window.press("ArrowLeft")
    window.press("ArrowLeft")
    assert address(window).endswith("ngc0605_miri_lv3_f360m_fit.png")
    window.press("Escape")
    window.until("!document.getElementById('large').open")
    window.until("!location.hash.includes('picture')")
    assert window.value(f'document.activeElement === document.querySelector("{picture}")')


def test_a_picture_closes_by_going_back_and_opens_by_a_link(at):
    window = at("#?band=F770W")
    window.value("document.querySelector('main details[data-band=F770W]').open = true")
    window.click("main details[data-band=F770W] figure a")
    assert window.value("document.getElementById('large').open")
    link = window.value("location.hash")
    window.value("history.back()")
    window.until("!document.getElementById('large').open")
    assert fragment(window) == "#?band=F770W"
    again = at(link)
    assert again.value("document.getElementById('large').open")
    again.press("ArrowRight")
    again.press("ArrowRight")
    assert "f770w" in address(again)  # of those that the filter shows


def test_enter_opens_a_picture_and_the_buttons_are_reached_by_tab(at):
    window = at("#ngc0605/F770W/ngc0605_miri_lv3_f770w")
    window.press("Tab")
    window.press("Enter")
    assert window.value("document.getElementById('large').open")
    assert window.value("document.activeElement.textContent") == "Close"
    window.press("Tab")
    window.press("Enter")
    assert address(window).endswith("_fit.png")


# --- a phone ---------------------------------------------------------------------------------------------------------


def test_on_a_phone_nothing_is_wider_than_the_screen(at):
    window = at("#ngc0605/F770W/ngc0605_miri_lv3_f770w", PHONE)
    # The line of the image is at the top of the window.
    window.until("((top) => top > 0 && top < 20)(document.activeElement.getBoundingClientRect().top)")
    photograph(window, "phone_image")
    assert window.value("document.documentElement.scrollWidth") <= PHONE["width"]
    small = window.value(
        "[...document.querySelectorAll('#filter :is(input:not([type=checkbox]), select, button), .matrix td a')]"
        ".filter((e) => e.getBoundingClientRect().height < 24).length"
    )
    assert small == 0  # of what a thumb has to hit
    window.value("scrollTo(0, 0)")
    photograph(window, "phone")
