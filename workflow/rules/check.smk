# What a run would find, before it: `snakemake --cores 1 check`. It has no output, so that it runs every time. Kernels and
# references are made for it: their quality is part of the answer, and the run uses them.


localrules:
    check,


rule check:
    input:
        kernels=made_kernels,
        references=made_references,
    log:
        f"{OUT}/logs/check.log",
    conda:
        "../../environment.yml"
    params:
        # Nearly all of the library: read for this rule only.
        library=lambda wildcards: library_checksum("check_inputs"),
        mosaics=lambda wildcards: planning.inspected(plan),
        out_dir=lambda wildcards: OUT,
        planned=lambda wildcards: sorted(anchored_paths(plan.targets).values()),
        listing=f"{OUT}/check.txt",
        allow_unanchored=config["allow_unanchored"],
        settings={key: config[key] for key in ("estimator", "prefer", "solution")},
        networks=lambda wildcards: planning.notes(plan),
    script:
        "../scripts/check_inputs.py"
