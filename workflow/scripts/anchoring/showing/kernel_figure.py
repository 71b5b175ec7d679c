"""The figure of a kernel that was made: radial profiles of both PSFs, and of what the kernel makes of the first."""

import numpy as np

from .layout import GAP, MARGIN, save_figure, styled, text_page

UPPER, LOWER, LEFT, BELOW = 2.2, 0.9, 0.65, 0.4  # inches: heights of the panels, room for labels
FAINTEST = 1e-6  # of the peak


@styled
def draw(path, made, origin, title):
    """Draw a `kernel_making.MadeKernel` and its `made_kernels.Origin` into a file."""
    quality, (radius, source, target, convolved) = made.quality, made.profiles
    circular = ", both averaged over all angles" if origin.circularised else ""
    paragraphs = [
        f"PSFs from {origin.source[0]} ({quality.source_fwhm:.3g} arcsec) and {origin.target[0]} "
        f"({quality.target_fwhm:.3g} arcsec){circular}",
        f"D {quality.difference:.2g}, W− {quality.negative:.2g}, {quality.cut:.1g} of the kernel cut off, "
        f"{quality.edge:.1g} of its peak at the edge, {quality.held:.0%} of the target within the PSF files",
        f"flags: {', '.join(origin.flags) or 'none'}",
    ]
    figure, _ = text_page([(title, paragraphs)], UPPER + GAP + LOWER + BELOW + MARGIN)
    width, height = figure.get_size_inches()
    across = (width - LEFT - MARGIN) / width
    upper = figure.add_axes((LEFT / width, (BELOW + LOWER + GAP) / height, across, UPPER / height))
    lower = figure.add_axes((LEFT / width, BELOW / height, across, LOWER / height), sharex=upper)
    upper.plot(radius, np.maximum(source, FAINTEST), color="C2", label="source")
    upper.plot(radius, np.maximum(target, FAINTEST), color="C0", label="target")
    upper.plot(radius, np.maximum(convolved, FAINTEST), color="C1", linestyle="--", label="source convolved")
    upper.set(yscale="log", ylim=(FAINTEST, 3 * max(source.max(), 1)), ylabel="of the peak of the target")
    upper.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    upper.tick_params(labelbottom=False)
    upper.legend()
    lower.plot(radius, 100 * (convolved - target), color="C1")
    lower.axhline(0, color="C0", linewidth=0.6)
    lower.set(xlim=(0, radius[-1]), xlabel="radius, arcsec", ylabel="residual, %")
    save_figure(figure, [path])
