rule bin_pair:
    input:
        lib=lib("binning", "files", "galaxies", "images", "uncertainty"),
        image=REPROJECTED,
        reference=reference_of,
    output:
        bins=f"{PAIR}_bins.json",
        pixels=f"{PAIR}_pixels.npz",
    log:
        f"{LOGS}/bin_pair/{{band}}_{{image}}_on_{{reference}}.log",
    benchmark:
        f"{TARGET}/benchmarks/bin_pair/{{band}}_{{image}}_on_{{reference}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(200, 6.0),
    params:
        label=lambda wildcards: pair_of(wildcards).label,
        galaxy=range_settings,
    script:
        "../scripts/bin_pair.py"
