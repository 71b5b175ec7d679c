rule fit_pair:
    input:
        lib=lib("fit_pair"),
        bins=f"{PAIR}_bins.json",
        pixels=f"{PAIR}_pixels.npz",
    output:
        f"{PAIR}_fit.json",
    log:
        f"{LOGS}/fit_pair/{{band}}_{{image}}_on_{{reference}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(300),
    params:
        settings=fit_settings(),
        label=lambda wildcards: pair_of(wildcards).label,
    script:
        "../scripts/fit_pair.py"


rule plot_pair:
    input:
        lib=lib("plot_pair", beside=["anchoring.mplstyle"]),
        bins=f"{PAIR}_bins.json",
        pixels=f"{PAIR}_pixels.npz",
        fit=f"{PAIR}_fit.json",
    output:
        png=report(f"{PAIR}.png", category="{target}", labels=label_of_fit, caption="../report/fit.rst"),
        pdf=f"{PAIR}.pdf",
        caption=f"{PAIR}.rst",
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
