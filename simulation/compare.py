"""Compare the offsets a run found with those that were injected; fail if one is missing or wrong.

    python -m simulation.compare RESULTS_DIR TRUTH_CSV

RESULTS_DIR holds `anchor_summary.csv`; `python -m simulation` writes TRUTH_CSV. An image passes if it is anchored and

    abs(recovered - injected) <= 3 * hypot(offset_err, offset_sys)

where offset_sys counts as 0 if the run does not state it. An image without a finite offset and a finite, positive error
fails, and so does one that the run does not know. The exit status is 1 if any image fails.
"""

import argparse
import csv
import math
import sys
from pathlib import Path

LIMIT = 3.0  # stated errors
COLUMNS = ("target", "band", "image", "reference", "injected", "recovered", "error", "deviation", "dev/err")
RULE = f"passes: anchored, and |recovered - injected| <= {LIMIT:g} x hypot(offset_err, offset_sys)"


def read_rows(path):
    """Rows of a CSV file as dicts."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def compare(truth, summary):
    """Hold every image of the truth against the summary of a run.

    Parameters
    ----------
    truth : rows with target, band, image and offset.
    summary : rows with target, image, status, reason, offset, offset_err and maybe offset_sys and reference.

    Returns
    -------
    A dict for every row of truth: its target, band and image, reference, injected, recovered, error and deviation
    (MJy/sr), sigmas (deviation in stated errors) and failure, which is empty if the image passes.
    """
    found = {(row["target"], row["image"]): row for row in summary}
    return [_compared(row, found.get((row["target"], row["image"]))) for row in truth]


def _compared(true, found):
    result = {name: true[name] for name in ("target", "band", "image")}
    result["injected"] = float(true["offset"])
    row = found or {}
    result["reference"] = row.get("reference") or ""
    result["recovered"] = number(row.get("offset"))
    statistical = number(row.get("offset_err"))
    # A run that states no systematic error claims none.
    systematic = number(row["offset_sys"]) if row.get("offset_sys") else 0.0
    result["error"] = math.hypot(statistical, systematic)
    result["deviation"] = result["recovered"] - result["injected"]
    known = math.isfinite(result["error"]) and statistical >= 0 and result["error"] > 0
    result["sigmas"] = result["deviation"] / result["error"] if known else math.nan
    result["failure"] = _failure(result, found)
    return result


def _failure(result, found):
    if found is None:
        return "not in the run's summary"
    if found["status"] != "anchored":
        return f"{found['status']}: {found.get('reason') or 'no reason given'}"
    if not math.isfinite(result["recovered"]):
        return "anchored without a finite offset"
    if not math.isfinite(result["sigmas"]):
        return "no finite, positive error is stated"
    if not abs(result["sigmas"]) <= LIMIT:
        return f"off by {abs(result['sigmas']):.1f} stated errors"
    return ""


def number(text):
    """A float; NaN for what is empty or no number."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan


def table(results):
    """Results as aligned lines, the rule beneath."""
    rows = [COLUMNS, *map(_cells, results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    text = 4  # columns aligned left; numbers are aligned right
    lines = [
        "  ".join(c.ljust(w) if i < text else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    lines = [line + mark for line, mark in zip(lines, ["", "", *map(_mark, results)], strict=True)]
    return "\n".join([*lines, "", f"offsets to add, in MJy/sr; {RULE}"])


def _cells(result):
    numbers = [f"{result[name]:+.4f}" for name in ("injected", "recovered")]
    numbers += [f"{result['error']:.4f}", f"{result['deviation']:+.4f}", f"{result['sigmas']:+.1f}"]
    numbers = [cell.replace("+nan", "-").replace("nan", "-") for cell in numbers]
    return [result["target"], result["band"], result["image"], result["reference"] or "-", *numbers]


def _mark(result):
    return "  <- fails" if result["failure"] else ""


def verdict(results):
    """What passed and which did not, and why."""
    failed = [result for result in results if result["failure"]]
    lines = [f"{len(results) - len(failed)} of {len(results)} images recovered."]
    lines += [f"  {r['target']} {r['band']} {r['image']}: {r['failure']}" for r in failed]
    return "\n".join(lines)


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m simulation.compare", description=__doc__.splitlines()[0])
    parser.add_argument("results_dir", type=Path)
    parser.add_argument("truth_csv", type=Path)
    options = parser.parse_args(arguments)
    path = options.results_dir / "anchor_summary.csv"
    for needed in (path, options.truth_csv):
        if not needed.is_file():
            print(f"{needed} does not exist; expected the output of a run and a simulated truth.csv", file=sys.stderr)
            return 1
    results = compare(read_rows(options.truth_csv), read_rows(path))
    print(table(results))
    print(verdict(results))
    if not results:
        print(f"{options.truth_csv} names no image; expected one at least", file=sys.stderr)
    return int(not results or any(result["failure"] for result in results))


if __name__ == "__main__":
    sys.exit(main())
