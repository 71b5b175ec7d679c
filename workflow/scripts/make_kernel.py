"""Make the kernel from one PSF to another; PSFs that cannot be used leave a kernel file that says why."""

import logging

from anchoring import bands, labels
from anchoring.errors import AnchoringError, reason_of
from anchoring.files import intermediates, made_kernels, psfs
from anchoring.images import pupil
from anchoring.images.kernel_making import make_kernel
from anchoring.images.psf import GaussianPSF
from anchoring.script import run
from anchoring.showing import kernel_figure, layout


def main(source, target, kernel, figure, names, circularise=False):
    """`source` and `target` are paths, or None for a drawn PSF and for a Gaussian; `names` those of both."""
    title, paths = " to ".join(names), " and ".join(filter(None, [source, target]))
    try:
        before = psfs.read_psf(source) if source else pupil.jwst_psf(bands.wavelength(names[0]))
        after = psfs.read_psf(target) if target else GaussianPSF(labels.gaussian_fwhm(names[1]))
        made = made_of(before, after, paths or title, circularise)
        sources = psfs.source_of(source, made_kernels.MODEL), psfs.source_of(target, names[1])
        origin = made_kernels.origin(made, *sources, circularise)
        for name, (keyword, comment) in made_kernels.CARDS.items():
            logging.info("%s = %.4g: %s", keyword, getattr(made.quality, name), comment)
        for name, digest in sources:
            logging.info("%s %s", name, digest)
        if origin.flags:
            logging.warning("flags: %s", ", ".join(origin.flags))
        kernel_figure.draw(figure, made, origin, title)
        made_kernels.write_kernel(kernel, made, origin)
    except Exception as error:
        reason = f"no kernel {title}: {reason_of(error, paths or title)}"
        layout.save_refusal(figure, title, reason)
        intermediates.write_refusal(kernel, reason)


def made_of(before, after, files, circularise):
    """`make_kernel` whose error names the files."""
    try:
        return make_kernel(before, after, circularise=circularise)
    except AnchoringError as error:
        raise AnchoringError(f"{files}: {error}") from error


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        source=snakemake.input.get("source") or None,
        target=snakemake.input.get("target") or None,
        kernel=snakemake.output.kernel,
        figure=snakemake.output.figure,
        names=snakemake.params.names,
        circularise=snakemake.params.circularise,
    )
