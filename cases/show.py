"""docs/cases.md: its table and figures, from the results of the workflow."""

import csv
import shutil
from pathlib import Path

from astropy.io import fits

from anchoring.showing.text import signed
from cases.cut import MADE_UP

ESTIMATORS = ("binned", "errors_in_variables")
FIGURES = {  # in docs: in the results of errors_in_variables
    "cases_m83_irac4.png": "ngc5236/IRAC4/anchored/ngc5236_irac_lv3_irac4_fit.png",
    "cases_m83_irac3.png": "ngc5236/IRAC3/anchored/ngc5236_irac_lv3_irac3_fit.png",
    "cases_ngc309_k.png": "ngc309/K/anchored/ngc309_2mass_lv3_k_fit.png",
    "cases_ngc309_sky.png": "references/ngc309_w1_atgauss10_sky.png",
    "cases_oribar.png": "oribar/F770W/anchored/jw01288015001_26101_00003_mirimage_before_after.png",
}
BEGIN, END = "<!-- found: begin -->\n", "<!-- found: end -->\n"


def known(data):
    """{target and band: (offset to add, MJy/sr, and where it is from)}, where it is known without the workflow."""
    header = fits.getheader(data / "ngc309/K/lv3/ngc309_2mass_lv3_k_i2d.fits", "SCI")
    return {
        "ngc309 K": (-header["SKYVAL"] * header["UNITFAC"], "sky in the header of the image"),
        "oribar F770W": (MADE_UP[1], "put in"),
    }


def fits_of(results):
    """Rows of the tables of all targets of a run."""
    for path in sorted(Path(results).glob("*/*_anchor_tab.csv")):
        with open(path, newline="") as file:
            yield from csv.DictReader(file)


def name_of(row):
    """Target, band and reference of a row."""
    reference = row["ref_filter"].removeprefix(f"{row['target']}_")
    return f"{row['target']} {row['compar_filter'].upper()}", "IRAC4" if "irac4_i2d" in reference else reference


def table(results, data):
    """Offsets to add with their errors, by image and reference, as Markdown.

    Parameters
    ----------
    results : path
        Folder with the results of each estimator.
    data : path
        cases/data.
    """
    cells = {}
    for estimator in ESTIMATORS:
        for row in fits_of(Path(results, estimator)):
            offset, *errors = (float(row[key]) for key in ("offset", "offset_err", "offset_sys"))
            total = (errors[0] ** 2 + errors[1] ** 2) ** 0.5
            cells.setdefault(name_of(row), {})[estimator] = signed(offset, total)
    lines = [f"| image | on | {' | '.join(ESTIMATORS)} | known |", "|---|---|---|---|---|"]
    for (image, on), found in sorted(cells.items()):
        truth = known(data).get(image)
        words = f"{signed(truth[0])} ({truth[1]})" if truth else ""
        lines.append(f"| {image} | {on} | {' | '.join(found[e] for e in ESTIMATORS)} | {words} |")
    return "\n".join(lines) + "\n"


def write_page(results, data, docs):
    """Put the table into docs/cases.md and the figures next to it."""
    page = docs / "cases.md"
    before, rest = page.read_text().split(BEGIN)
    page.write_text(f"{before}{BEGIN}{table(results, data)}{END}{rest.split(END)[1]}")
    for name, path in FIGURES.items():
        shutil.copy(Path(results, ESTIMATORS[1], path), docs / name)
