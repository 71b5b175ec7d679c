"""Pages of the documentation that are made of the code: columns of the tables, flags, and files of the repository."""

import re
from pathlib import Path

from anchoring.fitting import flags
from anchoring.showing import tables
from anchoring.solving import network_records, records, zeros

ROOT = Path(__file__).parents[1]
# Files outside of docs/ that are pages of the documentation too.
PAGES = {"configuration": "config/README.md", "contributing": "CONTRIBUTING.md", "changelog": "CHANGELOG.md",
         "benchmarks": "benchmarks/README.md", "cases": "cases/README.md"}  # fmt: skip
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)")


def write_pages(folder):
    """Write all pages into a folder of docs/."""
    folder.mkdir(exist_ok=True)
    for name, source in PAGES.items():
        write(folder / f"{name}.md", relinked((ROOT / source).read_text(), (ROOT / source).parent, folder))
    write(folder / "columns.inc", columns())
    write(folder / "flags.inc", "\n".join(["| flag | meaning |", "|---|---|", *map(row, flags.MEANING.items())]))


def write(path, text):
    """Write a page unless it is there already: Sphinx then need not read it again."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def relinked(text, home, folder):
    """A page for another folder: its links lead to pages of the documentation; what is none of these is only named."""
    pages = {(ROOT / source).resolve(): f"{name}.md" for name, source in PAGES.items()}

    def moved(link):
        words, path, anchor = link[1], link[2], link[3] or ""
        target = (home / path).resolve()
        if not path:
            return link[0]
        if target in pages:
            return f"[{words}]({pages[target]}{anchor})"
        return f"[{words}](../{target.name}{anchor})" if target.parent == folder.parent.resolve() else words

    return LINK.sub(moved, text)


def columns():
    """What the columns of all tables are."""
    parts = [
        ("Table of fits: `{target}_anchor_tab`", tables.FIT_COLUMNS, tables.MEANINGS, records.UNITS),
        ("Summary of the run: `anchor_summary`", tables.SUMMARY_COLUMNS, tables.MEANINGS, records.UNITS),
        ("References: `reference_summary.csv`", zeros.REFERENCE_COLUMNS, zeros.MEANINGS, zeros.UNITS),
    ]
    for name, kind in network_records.PARTS.items():
        meanings = records.meanings_of(kind)
        parts.append((f"Network: `{{target}}_network_{name}.csv`", meanings, meanings, records.units_of(kind)))
    lines = []
    for title, names, meanings, units in parts:
        lines += [f"### {title}", "", "| column | unit | what it is |", "|---|---|---|"]
        lines += [f"| `{name}` | {units.get(name, '')} | {meanings[name]} |" for name in names] + [""]
    return "\n".join(lines)


def row(cells):
    return f"| {' | '.join(cells)} |"
