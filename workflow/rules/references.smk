# References that are made from archive images where ref_dir has none: nothing here runs unless 'references' asks for it.
# What cannot be made leaves a file that says why.


rule calibrate_reference:
    input:
        image=archive_image,
        mosaics=lambda wildcards: mosaics_of(made_reference(wildcards).target),
        uncertainty=uncertainty_map,
    output:
        intermediate(CALIBRATED),
    log:
        f"{OUT}/logs/calibrate_reference/{{made}}_{{tile}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(cost.of_calibration, archive_size, field_shape, number_of_planes),
    params:
        library=library_checksum("calibrate_reference"),
        band=lambda wildcards: made_reference(wildcards).band,
        unit=lambda wildcards: made_reference(wildcards).settings.get("unit"),
        margin=lambda wildcards: made_reference(wildcards).margin,
        number=lambda wildcards: int(wildcards.tile),
        extension=lambda wildcards: made_reference(wildcards).extension,
        stamps=lambda wildcards: stamps(archive_image(wildcards), uncertainty_map(wildcards)),
    script:
        "../scripts/calibrate_reference.py"


rule mosaic_reference:
    input:
        images=calibrated_images,
    output:
        intermediate(f"{MADE_REFERENCES}/{{made}}/mosaic.fits"),
    log:
        f"{OUT}/logs/mosaic_reference/{{made}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(cost.of_mosaic, field_shape, number_of_tiles, number_of_planes),
    params:
        library=library_checksum("mosaic_reference"),
    script:
        "../scripts/mosaic_reference.py"


rule zero_reference:
    input:
        image=reference_to_zero,
        mask=lambda wildcards: made_reference(wildcards).mask or [],
    output:
        image=intermediate(f"{MADE_REFERENCES}/{{made}}/zeroed.fits"),
        figure=report(
            f"{MADE_REFERENCES}/{{made}}_sky.png",
            category="References",
            labels={"figure": "{made}"},
            caption="../report/sky.rst",
        ),
    log:
        f"{OUT}/logs/zero_reference/{{made}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(cost.of_sky, field_shape, number_of_planes),
    params:
        library=library_checksum("zero_reference", data=["showing/anchoring.mplstyle"]),
        sky=lambda wildcards: made_reference(wildcards).sky,
        psf=lambda wildcards: made_reference(wildcards).psf,
        sky_radius=lambda wildcards: made_reference(wildcards).sky_radius,
        what=lambda wildcards: made_reference(wildcards).in_words,
        galaxy=lambda wildcards: plan.galaxies[made_reference(wildcards).target],
        stamps=lambda wildcards: stamps(made_reference(wildcards).mask),
    script:
        "../scripts/zero_reference.py"


rule convolve_reference:
    input:
        image=f"{MADE_REFERENCES}/{{made}}/zeroed.fits",
        kernel=lambda wildcards: reference_kernel(wildcards) or [],
    output:
        image=f"{MADE_REFERENCES}/{{made}}.fits",
        error=f"{MADE_REFERENCES}/{{made}}_err.fits",
    log:
        f"{OUT}/logs/convolve_reference/{{made}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(cost.of_reference, field_shape, reference_kernel_side, number_of_planes),
    params:
        library=library_checksum("convolve_reference"),
        resolution=lambda wildcards: made_reference(wildcards).resolution,
        what=lambda wildcards: made_reference(wildcards).in_words,
        stamps=lambda wildcards: stamps(reference_kernel(wildcards)),
    script:
        "../scripts/convolve_reference.py"
