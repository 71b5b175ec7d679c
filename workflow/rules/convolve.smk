rule convolve_image:
    input:
        image=lambda wildcards: image_of(wildcards).path,
        kernel=kernel_of,
        mask=mask_of,
    output:
        intermediate(CONVOLVED),
    log:
        f"{LOGS}/convolve_image/{{band}}_{{image}}_to_{{resolution}}.log",
    benchmark:
        f"{TARGET}/benchmarks/convolve_image/{{band}}_{{image}}_to_{{resolution}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(cost.of_convolution, image_shape, kernel_side, with_error),
    params:
        library=library_checksum("convolve_image"),
        band=lambda wildcards: wildcards.band,
        with_error=with_error,
        stamps=lambda wildcards: stamps(image_of(wildcards).path, kernel_of(wildcards), mask_of(wildcards)),
    script:
        "../scripts/convolve_image.py"
