# Whether an image can be anchored is known when its offset is fixed, after the jobs of the run are laid out. What every
# image gets is a record; the anchored image is written with it, or taken away when its offset is withdrawn.


rule apply_offset:
    input:
        lib=lib("apply_offset"),
        image=lambda wildcards: image_of(wildcards).path,
        solved=lambda wildcards: solved_file(image_of(wildcards)),
        external=lambda wildcards: external_file(image_of(wildcards)),
        pixels=lambda wildcards: measured_files([image_of(wildcards)]),
    output:
        record=APPLIED,
    log:
        f"{LOGS}/apply_offset/{{band}}_{{image}}.log",
    benchmark:
        f"{TARGET}/benchmarks/apply_offset/{{band}}_{{image}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(300),
    params:
        anchored=lambda wildcards: anchored_path(image_of(wildcards)),
        pairs=closing_pairs,
        settings=fit_settings(),
    script:
        "../scripts/apply_offset.py"


# The same for an anchored image asked for by its path: by hand, by another workflow, or because it was removed.
use rule apply_offset as restore_image with:
    output:
        anchored=f"{TARGET}/{{band}}/{config['in_subdir']}/{{image}}_{config['out_step_ext']}.fits",
    log:
        f"{LOGS}/restore_image/{{band}}_{{image}}.log",
    benchmark:
        f"{TARGET}/benchmarks/restore_image/{{band}}_{{image}}.tsv"
