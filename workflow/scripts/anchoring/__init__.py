"""Anchor the zero level of JWST mosaics: pure functions on arrays and tables, usable without Snakemake."""

__version__ = "0.1.0"
