# The kernels that the plan needs and nobody gave. PSFs that cannot be used leave a file that says why.


rule make_kernel:
    input:
        source=lambda wildcards: recipe_of(wildcards).source or [],
        target=lambda wildcards: recipe_of(wildcards).target or [],
    output:
        kernel=MADE_KERNEL,
        figure=report(
            f"{MADE_KERNELS}/{{kernel}}.png",
            category="Kernels",
            labels={"figure": "{kernel}"},
            caption="../report/kernel.rst",
        ),
    log:
        f"{OUT}/logs/make_kernel/{{kernel}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(cost.of_kernel),
    params:
        library=library_checksum("make_kernel", data=["showing/anchoring.mplstyle"]),
        names=lambda wildcards: list(recipe_of(wildcards).names),
        circularise=config["circularise"],
        stamps=lambda wildcards: stamps(recipe_of(wildcards).source, recipe_of(wildcards).target),
    script:
        "../scripts/make_kernel.py"
