rule reproject_image:
    input:
        image=compared,
        reference=reference_of,
    output:
        intermediate(REPROJECTED),
    log:
        f"{LOGS}/reproject_image/{{band}}_{{image}}_on_{{reference}}.log",
    benchmark:
        f"{TARGET}/benchmarks/reproject_image/{{band}}_{{image}}_on_{{reference}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(cost.of_reprojection, image_shape, overlap_shape, grid_shape, reprojection_method),
    params:
        library=library_checksum("reproject_image"),
        method=config["reproject_func"],
        band=lambda wildcards: wildcards.band,
        stamps=lambda wildcards: stamps(compared(wildcards), reference_of(wildcards)),
    script:
        "../scripts/reproject_image.py"
