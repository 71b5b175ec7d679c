"""The figure of the networks of a target, and its caption."""

from anchoring.script import run
from anchoring.showing.network_text import network_words
from anchoring.showing.text import write_caption
from anchoring.solving import network_records


def main(networks, png, caption, simplify_labels):
    # Half of the time of the job is this import: it comes when the log is there.
    from anchoring.showing.layout import save_figure
    from anchoring.showing.network_figure import networks_figure

    found = [network_records.read(path) for path in networks]
    words = [network_words(network, simplify_labels) for network in found]
    save_figure(networks_figure(found, words, simplify_labels), [png])
    write_caption(
        caption,
        [f"{network.target}, {network.instrument}: {' '.join(w)}" for network, w in zip(found, words, strict=True)],
    )


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        networks=snakemake.input.networks,
        png=snakemake.output.png,
        caption=snakemake.output.caption,
        simplify_labels=snakemake.params.simplify_labels,
    )
