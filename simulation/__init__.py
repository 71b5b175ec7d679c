"""Simulated skies whose zero levels are known, for the demo, the tests and the benchmarks.

`instruments` holds bands and PSF widths, `skies` a galaxy whose image is known on any grid, `trees` writes its mosaics,
references and kernels as the workflow reads them, `scenes` are pairs of images as arrays. `compare` holds the offsets
of a run against the truth. Simulated trees: `python -m simulation --help`.
"""
