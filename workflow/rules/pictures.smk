# What people look at: the figures of an image, and a page for the survey.


# Drawn when nothing else can be done: tables and anchored images do not wait for figures.
rule plot_image:
    input:
        measured=lambda wildcards: measured_files([image_of(wildcards)], MEASURED),
        solved=lambda wildcards: final_file(image_of(wildcards)),
    output:
        fit_png=report(f"{FIT}.png", category="{target}", labels=label_of("fit"), caption="../report/fit.rst"),
        fit_pdf=f"{FIT}.pdf",
        fit_caption=f"{FIT}.rst",
        picture_png=report(
            f"{PICTURE}.png",
            category="{target}",
            labels=label_of("before and after"),
            caption="../report/picture.rst",
        ),
        picture_caption=f"{PICTURE}.rst",
    log:
        f"{LOGS}/plot_image/{{band}}_{{image}}.log",
    priority: -1
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(cost.of_figures),
    params:
        library=library_checksum("plot_image", data=["showing/anchoring.mplstyle"]),
        image=lambda wildcards: image_of(wildcards).path,
        pairs=lambda wildcards: measured_of(image_of(wildcards)),
        simplify_labels=config["simplify_labels"],
    script:
        "../scripts/plot_image.py"


rule plot_network:
    input:
        networks=lambda wildcards: network_files(wildcards.target),
    output:
        png=report(
            NETWORK_FIGURE,
            category="{target}",
            labels={"figure": "network of all pairs"},
            caption="../report/network.rst",
        ),
        caption=f"{NETWORK_TABLES}.rst",
    log:
        f"{LOGS}/plot_network.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=memory(cost.of_figures),
    params:
        library=library_checksum("plot_network", data=["showing/anchoring.mplstyle"]),
        simplify_labels=config["simplify_labels"],
    script:
        "../scripts/plot_network.py"


rule show_table:
    input:
        csv=f"{TARGET}/{{target}}_anchor_tab.csv",
    output:
        report(
            f"{TARGET}/{{target}}_anchor_tab.html",
            category="{target}",
            labels={"figure": "table of fits"},
            caption="../report/table.rst",
        ),
    log:
        f"{LOGS}/show_table.log",
    conda:
        "../../environment.yml"
    params:
        library=library_checksum("show_table", data=["showing/style.css.jinja", "showing/tables.html.jinja"]),
        title=lambda wildcards: f"{wildcards.target}: fits",
    script:
        "../scripts/show_table.py"


use rule show_table as show_summary with:
    input:
        csv=f"{OUT}/anchor_summary.csv",
    output:
        report(
            f"{OUT}/anchor_summary.html",
            category="All targets",
            labels={"figure": "table of offsets"},
            caption="../report/table.rst",
        ),
    log:
        f"{OUT}/logs/show_summary.log",
    params:
        library=library_checksum("show_table", data=["showing/style.css.jinja", "showing/tables.html.jinja"]),
        title="Offsets of all images",


rule write_index:
    input:
        offsets=offsets_files(plan.targets),
        networks=[path for target in plan.targets for path in network_files(target)],
        kernels=made_kernels(),
        references=made_references(),
    output:
        f"{OUT}/index.html",
    log:
        f"{OUT}/logs/write_index.log",
    conda:
        "../../environment.yml"
    params:
        library=library_checksum(
            "write_index",
            data=[f"showing/{name}.jinja" for name in ("style.css", "survey.html", "survey.js", "tables.html")],
        ),
        figures=figures_of(plan.images.values()),
        simplify_labels=config["simplify_labels"],
        references=[{"target": r.target, "label": r.label, "path": r.path} for r in plan.made.values()],
    script:
        "../scripts/write_index.py"
