rule measure_pair:
    input:
        image=REPROJECTED,
        reference=reference_of,
        mask=mask_of,
        error=error_of,
        solved=anchor_file,
    output:
        **{kind: f"{PAIR}{ending}" for kind, ending in MEASURED.items()},
    log:
        f"{LOGS}/measure_pair/{{band}}_{{image}}_on_{{reference}}.log",
    benchmark:
        f"{TARGET}/benchmarks/measure_pair/{{band}}_{{image}}_on_{{reference}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(cost.of_bins, grid_shape, in_galaxy),
    params:
        library=library_checksum("measure_pair"),
        label=lambda wildcards: pair_of(wildcards).label,
        galaxy=range_settings,
        options=bin_options,
        kind=lambda wildcards: pair_of(wildcards).kind,
        anchor=anchor_of,
        stamps=lambda wildcards: stamps(reference_of(wildcards), mask_of(wildcards), error_of(wildcards)),
    script:
        "../scripts/measure_pair.py"
