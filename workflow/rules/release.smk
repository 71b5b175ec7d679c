# What leaves the workflow, when it is asked for by name: the provenance of a run, and a release for an archive. Inputs and
# parameters are functions, since no other run needs to know them.


rule provenance:
    input:
        offsets=lambda wildcards: offsets_files(plan.targets),
        files=brought_or_made,
        anchored=all_anchored_images,
        products=lambda wildcards: products_of(plan.targets),
        tables=OF_THE_RUN,
    output:
        CRATE,
    log:
        f"{OUT}/logs/provenance.log",
    conda:
        "../../environment.yml"
    threads: 4
    resources:
        runtime=60,  # minutes, on a cluster: it reads all inputs
    params:
        library=lambda wildcards: library_checksum("describe_run"),
        made=lambda wildcards: made_from(),
        anchored=lambda wildcards: anchored_paths(plan.targets),
        configuration=lambda wildcards: config,
        snakemake_version=snakemake.__version__,
        stamps=lambda wildcards: stamps(*brought_or_made(wildcards)),
    script:
        "../scripts/describe_run.py"


rule release:
    input:
        offsets=lambda wildcards: offsets_files(plan.targets),
        anchored=all_anchored_images,
        products=lambda wildcards: products_of(plan.targets),
        tables=OF_THE_RUN,
    output:
        directory(RELEASE),
    log:
        f"{OUT}/logs/release.log",
    conda:
        "../../environment.yml"
    resources:
        runtime=60,
    params:
        library=lambda wildcards: library_checksum("release_run"),
        settings=lambda wildcards: config["release"],
        images=released_images,
        tables=released_tables,
        summary=lambda wildcards: [f"{OUT}/anchor_summary.ecsv", f"{OUT}/anchor_summary.csv"],
    script:
        "../scripts/release_run.py"
