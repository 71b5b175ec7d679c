# What only reads a few records is no job for a cluster.
localrules:
    verify_target,
    verify_run,


rule tabulate_target:
    input:
        lib=lib("tabulate_target"),
        solved=lambda wildcards: solved_files([wildcards.target]),
        applied=lambda wildcards: applied_files([wildcards.target]),
    output:
        fits=f"{TARGET}/{{target}}_anchor_tab.fits",
        csv=f"{TARGET}/{{target}}_anchor_tab.csv",
    log:
        f"{LOGS}/tabulate_target.log",
    conda:
        "../../environment.yml"
    params:
        skipped=lambda wildcards: skipped_rows([wildcards.target]),
    script:
        "../scripts/tabulate_target.py"


rule summarise_run:
    input:
        lib=lib("summarise_run"),
        solved=solved_files(plan.targets),
        applied=applied_files(plan.targets),
    output:
        f"{OUT}/anchor_summary.csv",
    log:
        f"{OUT}/logs/summarise_run.log",
    conda:
        "../../environment.yml"
    params:
        skipped=skipped_rows(plan.targets),
    script:
        "../scripts/summarise_run.py"


rule verify_target:
    input:
        lib=lib("verify_run"),
        solved=lambda wildcards: solved_files([wildcards.target]),
        applied=lambda wildcards: applied_files([wildcards.target]),
        products=lambda wildcards: ancient(products_of([wildcards.target])),
    output:
        f"{TARGET}/{{target}}_complete.txt",
    log:
        f"{LOGS}/verify_target.log",
    retries: 0  # its failure is an answer
    conda:
        "../../environment.yml"
    params:
        skipped=lambda wildcards: skipped_rows([wildcards.target]),
        allow_unanchored=config["allow_unanchored"],
    script:
        "../scripts/verify_run.py"


use rule verify_target as verify_run with:
    input:
        lib=lib("verify_run"),
        solved=solved_files(plan.targets),
        applied=applied_files(plan.targets),
        products=ancient([*products_of(plan.targets), f"{OUT}/anchor_summary.csv"]),
    output:
        f"{OUT}/run_complete.txt",
    log:
        f"{OUT}/logs/verify_run.log",
    params:
        skipped=skipped_rows(plan.targets),
        allow_unanchored=config["allow_unanchored"],
