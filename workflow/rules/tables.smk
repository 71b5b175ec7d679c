# What only reads a few records is no job for a cluster.
localrules:
    verify_target,
    verify_run,


rule tabulate_target:
    input:
        offsets=OFFSETS,
    output:
        fits=f"{TARGET}/{{target}}_anchor_tab.fits",
        csv=f"{TARGET}/{{target}}_anchor_tab.csv",
        ecsv=f"{TARGET}/{{target}}_anchor_tab.ecsv",
    log:
        f"{LOGS}/tabulate_target.log",
    conda:
        "../../environment.yml"
    params:
        library=library_checksum("tabulate_target"),
    script:
        "../scripts/tabulate_target.py"


rule tabulate_network:
    input:
        networks=lambda wildcards: network_files(wildcards.target),
    output:
        **{part: f"{NETWORK_TABLES}_{part}.csv" for part in NETWORK_PARTS},
        fits=f"{NETWORK_TABLES}.fits",
    log:
        f"{LOGS}/tabulate_network.log",
    conda:
        "../../environment.yml"
    params:
        library=library_checksum("tabulate_network"),
    script:
        "../scripts/tabulate_network.py"


rule summarise_run:
    input:
        offsets=offsets_files(plan.targets),
    output:
        images=f"{OUT}/anchor_summary.csv",
        images_ecsv=f"{OUT}/anchor_summary.ecsv",
        references=f"{OUT}/reference_summary.csv",
    log:
        f"{OUT}/logs/summarise_run.log",
    conda:
        "../../environment.yml"
    params:
        library=library_checksum("summarise_run"),
    script:
        "../scripts/summarise_run.py"


# On a cluster, one submission with the anchored images of its target, which nothing else connects.
rule report_target:
    input:
        offsets=OFFSETS,
        anchored=anchored_images(None),
    output:
        REPORT,
    log:
        f"{LOGS}/report_target.log",
    conda:
        "../../environment.yml"
    params:
        library=library_checksum("report_target"),
    script:
        "../scripts/report_target.py"


# They look at every product, so that they run last and again after any of them. (None is `ancient`: Snakemake takes a job
# whose inputs are made again for one that runs, looks for no other reason, and then leaves it out for its ancient inputs.)
rule verify_target:
    input:
        offsets=[OFFSETS],
        products=lambda wildcards: products_of([wildcards.target]),
        reports=[REPORT],
    output:
        f"{TARGET}/{{target}}_complete.txt",
    log:
        f"{LOGS}/verify_target.log",
    retries: 0  # its failure is an answer
    conda:
        "../../environment.yml"
    params:
        library=library_checksum("verify_run"),
        out_dir=lambda wildcards: OUT,
        planned=lambda wildcards: sorted(anchored_paths([wildcards.target]).values()),
        allow_unanchored=config["allow_unanchored"],
    script:
        "../scripts/verify_run.py"


use rule verify_target as verify_run with:
    input:
        offsets=offsets_files(plan.targets),
        reports=[REPORT.format(target=target) for target in plan.targets],
        products=[*products_of(plan.targets), f"{OUT}/anchor_summary.csv", f"{OUT}/reference_summary.csv"],
    output:
        f"{OUT}/run_complete.txt",
    log:
        f"{OUT}/logs/verify_run.log",
    params:
        library=library_checksum("verify_run"),
        out_dir=lambda wildcards: OUT,
        planned=sorted(anchored_paths(plan.targets).values()),
        allow_unanchored=config["allow_unanchored"],
