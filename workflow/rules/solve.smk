# Fits of the images of an instrument's ref_band on external references; of any other band on the ref_band.


rule solve_external:
    input:
        pixels=lambda wildcards: measured_files(solved_group(wildcards)),
    output:
        EXTERNAL,
    log:
        f"{LOGS}/solve_external/{{instrument}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(cost.of_fit, largest_grid),
    params:
        library=library_checksum("solve_offsets"),
        images=lambda wildcards: fits_of(solved_group(wildcards)),
        settings=fit_settings(),
        prefer=config["prefer"],
    script:
        "../scripts/solve_offsets.py"


use rule solve_external as solve_internal with:
    input:
        pixels=lambda wildcards: measured_files(solved_group(wildcards)),
        external=external_file,
    output:
        INTERNAL,
    log:
        f"{LOGS}/solve_internal/{{band}}_{{instrument}}.log",


# All pairs of an instrument at once, if the configuration asks for them.
rule adjust_offsets:
    input:
        pixels=network_measurements,
        solved=lambda wildcards: sorted(set(map(solved_file, network_images(wildcards)))),
    output:
        records=ADJUSTED,
        network=NETWORK,
    log:
        f"{LOGS}/adjust_offsets/{{instrument}}.log",
    benchmark:
        f"{TARGET}/benchmarks/adjust_offsets/{{instrument}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(cost.of_network, network_grids),
    params:
        library=library_checksum("adjust_offsets"),
        images=lambda wildcards: [image.path for image in network_images(wildcards)],
        pairs=network_fits,
        settings=fit_settings(),
        solution=config["solution"],
    script:
        "../scripts/adjust_offsets.py"


# One record for every image of a target, the skipped ones included: what all that follows goes by. Only now is it known
# which anchored images there will be, hence a checkpoint.
checkpoint collect_offsets:
    input:
        solved=lambda wildcards: final_files([wildcards.target]),
    output:
        OFFSETS,
    log:
        f"{LOGS}/collect_offsets.log",
    conda:
        "../../environment.yml"
    params:
        library=library_checksum("collect_offsets"),
        skipped=lambda wildcards: skipped_images(wildcards.target),
        anchored=lambda wildcards: anchored_paths([wildcards.target]),
    script:
        "../scripts/collect_offsets.py"
