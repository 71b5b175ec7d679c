"""The documentation: `make docs` builds it into docs/_build/html, without a network."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "workflow/scripts"), str(HERE)]

from generated import PAGES, write_pages  # noqa: E402

import anchoring  # noqa: E402

project, author = "jwst-anchoring", "the jwst-anchoring developers"
copyright = author
version = release = anchoring.__version__

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
exclude_patterns = ["_build", "**/one_galaxy", "**/survey"]
# Notebooks run in a Python and a folder of their own, always, and an error is one of the documentation.
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), str(HERE.parent / "workflow/scripts")])
nb_execution_mode, nb_execution_in_temp, nb_execution_raise_on_error = "force", True, True
nb_execution_timeout = 300
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
myst_links_external_new_tab = True
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "Anchor the zero level of JWST mosaics"
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}
html_show_sourcelink = False


def lead_to_pages(app, page, source):
    """Links of pages in docs/ to files that are pages as well, since GitHub shows them where they are."""
    for name, path in PAGES.items():
        source[0] = source[0].replace(f"](../{path}", f"](_generated/{name}.md")


def setup(app):
    write_pages(HERE / "_generated")
    app.connect("source-read", lead_to_pages)
