rule close_image:
    input:
        lib=lib("close_image"),
        image=lambda wildcards: image_of(wildcards).path,
        solved=lambda wildcards: solved_file(image_of(wildcards)),
        external=lambda wildcards: external_file(image_of(wildcards)),
        applied=APPLIED,
        pixels=lambda wildcards: [
            pair_file(pair, ending) for pair in fitted_pairs(wildcards) for ending in ("_bins.json", "_pixels.npz")
        ],
    output:
        CLOSED,
    log:
        f"{LOGS}/close_image/{{band}}_{{image}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(300),
    params:
        anchored=lambda wildcards: anchored_path(image_of(wildcards)),
        pairs=closing_pairs,
        settings=fit_settings(),
    script:
        "../scripts/close_image.py"
