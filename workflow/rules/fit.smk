# Fits of the images of an instrument's ref_band on external references; of any other band on the ref_band.


rule fit_external:
    input:
        lib=lib("fit_images"),
        pixels=lambda wildcards: measured_files(solved_group(wildcards)),
    output:
        EXTERNAL,
    log:
        f"{LOGS}/fit_external/{{instrument}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(300),
    params:
        images=lambda wildcards: fits_of(solved_group(wildcards)),
        settings=fit_settings(),
    script:
        "../scripts/fit_images.py"


use rule fit_external as fit_internal with:
    input:
        lib=lib("fit_images"),
        pixels=lambda wildcards: measured_files(solved_group(wildcards)),
        external=EXTERNAL,
    output:
        INTERNAL,
    log:
        f"{LOGS}/fit_internal/{{band}}_{{instrument}}.log",
