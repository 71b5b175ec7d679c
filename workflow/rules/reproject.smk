rule reproject_image:
    input:
        lib=lib("reproject_image"),
        image=lambda wildcards: at_resolution(image_of(wildcards), pair_of(wildcards).resolution),
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
        mem_mb=memory(300, image=2, reference=3),
    params:
        method=config["reproject_func"],
        band=lambda wildcards: wildcards.band,
    script:
        "../scripts/reproject_image.py"
