"""The galaxy table: a CSV file with the position, orientation and size of every target."""

import csv
import difflib
import math
import re

from .settings import PlanError

# What a number of the galaxy table can be; distance_mpc of the published one is not used.
COLUMNS = {
    "ra": ("from -360 to 360 degrees", lambda value: abs(value) <= 360),
    "dec": ("from -90 to 90 degrees", lambda value: abs(value) <= 90),
    "posang": ("from -360 to 360 degrees", lambda value: abs(value) <= 360),
    "inclination": ("from 0 to less than 90 degrees", lambda value: 0 <= value < 90),
    "size_reff": ("of more than 0 arcsec", lambda value: value > 0),
}


class GalaxyTable:
    """The rows of a table, text by column, by the name of their galaxy; of no table (path None) nothing is missing.

    Raises
    ------
    PlanError
        If the file cannot be read or lacks a column that `targets` need.
    """

    def __init__(self, path, targets):
        self._path, self._rows = path, {}
        for row in [] if path is None else _read(path, targets):
            self._rows.setdefault(row["name"], []).append(row)

    def problem(self, target):
        """What is wrong with the row of a target; empty if nothing is."""
        if self._path is None:
            return ""
        rows = self._of(target)
        if not rows:
            near = _near_name(target, self._rows)
            return f"galaxy_table {self._path} has no row named {target}{near}; add one or leave galaxy_table out"
        if len(rows) > 1:
            return f"galaxy_table {self._path} has {len(rows)} rows named {target}; expected one: remove the others"
        for column, (expected, possible) in COLUMNS.items():
            text = rows[0][column]
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            if not math.isfinite(value) or not possible(value):
                return (
                    f"galaxy_table {self._path}, row {target}, column {column} holds {text!r}; "
                    f"expected a number {expected}"
                )
        return ""

    def galaxy(self, target):
        """The numbers of a target; None without a table or if there is a problem with them."""
        if self._path is None or self.problem(target):
            return None
        return {column: float(self._of(target)[0][column]) for column in COLUMNS}

    def _of(self, target):
        """The rows of a target, by its exact name or else in any case."""
        others = [row for name, rows in self._rows.items() if name.lower() == target.lower() for row in rows]
        return self._rows.get(target, others)


def _read(path, targets):
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(line for line in map(_without_comment, file) if line.strip())
            columns = [c.strip().lower() for c in rows.fieldnames or []]
            rows = [{k.strip().lower(): (v or "").strip() for k, v in row.items() if k} for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PlanError(f"galaxy_table {path} cannot be read; expected a CSV file (details: {error})") from error
    needed = ("name", *COLUMNS)
    absent = [c for c in needed if c not in columns]
    if absent:
        raise PlanError(
            f"galaxy_table {path} has no column {', '.join(absent)}, needed for targets {', '.join(targets)}; expected "
            f"columns {', '.join(needed)}"
        )
    several = [c for c in needed if columns.count(c) > 1]
    if several:
        raise PlanError(f"galaxy_table {path} has the column {several[0]} twice; expected it once: remove the other")
    return rows


def _without_comment(line):
    """A line of the table without `# comment`; the first value, a name, may have that sign in it."""
    return re.sub(r"^(\s*|[^,]*,[^#]*)#.*", r"\1", line)


def _near_name(name, names):
    """A name that may have been meant: one that differs in case, or by a letter; "" if there is none."""
    names = list(names)
    near = [other for other in names if other.lower() == name.lower()] or difflib.get_close_matches(name, names, n=1)
    return f"; there is {near[0]!r}" if near else ""
