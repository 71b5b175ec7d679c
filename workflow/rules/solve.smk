rule solve_external:
    input:
        lib=lib("solve_external"),
        fits=fit_files,
    output:
        EXTERNAL,
    log:
        f"{LOGS}/solve_external/{{instrument}}.log",
    conda:
        "../../environment.yml"
    params:
        images=lambda wildcards: fits_of(solved_group(wildcards)),
    script:
        "../scripts/solve_external.py"


rule solve_internal:
    input:
        lib=lib("solve_internal"),
        fits=fit_files,
        external=EXTERNAL,
    output:
        INTERNAL,
    log:
        f"{LOGS}/solve_internal/{{band}}_{{instrument}}.log",
    conda:
        "../../environment.yml"
    params:
        images=lambda wildcards: fits_of(solved_group(wildcards)),
    script:
        "../scripts/solve_internal.py"
