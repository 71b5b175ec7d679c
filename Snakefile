# Anchor the zero level of JWST mosaics: `snakemake --cores N`, or `snakemake --cores N <target>` for one target.

from snakemake.utils import min_version

# The oldest that was tried. Before everything else: what is included takes from Snakemake what older ones do not have.
min_version("9.20")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/setup.smk"
include: "workflow/rules/acceleration.smk"
include: "workflow/rules/paths.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/inputs/images.smk"
include: "workflow/rules/inputs/made.smk"
include: "workflow/rules/inputs/pairs.smk"
include: "workflow/rules/inputs/solutions.smk"
include: "workflow/rules/inputs/products.smk"
include: "workflow/rules/inputs/release.smk"
include: "workflow/rules/failures.smk"
include: "workflow/rules/check.smk"
include: "workflow/rules/kernels.smk"
include: "workflow/rules/references.smk"
include: "workflow/rules/convolve.smk"
include: "workflow/rules/reproject.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/solve.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/apply.smk"
include: "workflow/rules/pictures.smk"
include: "workflow/rules/release.smk"


rule all:
    default_target: True
    input:
        f"{OUT}/run_complete.txt",
        f"{OUT}/anchor_summary.csv",
        f"{OUT}/anchor_summary.html",
        f"{OUT}/index.html",
        products_of(plan.targets),
        *map(anchored_images, plan.targets),


# After all other rules: none of their names is left for a target.
include: "workflow/rules/targets.smk"
