rule fit_pair:
    input:
        lib=lib("binning", "files", "fitting", "uncertainty"),
        bins=f"{PAIR}_bins.json",
        pixels=f"{PAIR}_pixels.npz",
    output:
        f"{PAIR}_fit.json",
    log:
        f"{LOGS}/fit_pair/{{band}}_{{image}}_on_{{reference}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(200),
    script:
        "../scripts/fit_pair.py"


rule plot_pair:
    input:
        lib=lib("figures", "files", beside=["anchoring.mplstyle"]),
        bins=f"{PAIR}_bins.json",
        pixels=f"{PAIR}_pixels.npz",
        fit=f"{PAIR}_fit.json",
    output:
        png=f"{PAIR}.png",
        pdf=f"{PAIR}.pdf",
    log:
        f"{LOGS}/plot_pair/{{band}}_{{image}}_on_{{reference}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(300),
    params:
        label=lambda wildcards: pair_of(wildcards).label,
        simplify_labels=config["simplify_labels"],
    script:
        "../scripts/plot_pair.py"
