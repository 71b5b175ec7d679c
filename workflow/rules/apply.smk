# The anchored image: of an image without an offset it cannot be made, and nothing asks for it (see collect_offsets).


rule apply_offset:
    input:
        image=lambda wildcards: image_of(wildcards).path,
        solved=lambda wildcards: final_file(image_of(wildcards)),
        psf=psf_of,
        hashed=hashed_files,
    output:
        ANCHORED,
    log:
        f"{LOGS}/apply_offset/{{band}}_{{image}}.log",
    benchmark:
        f"{TARGET}/benchmarks/apply_offset/{{band}}_{{image}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(cost.of_writing, image_shape),
    params:
        library=library_checksum("apply_offset"),
        stamps=lambda wildcards: stamps(psf_of(wildcards), *hashed_files(wildcards)),
        used=used_files,
    script:
        "../scripts/apply_offset.py"
