"""Lay anchored mosaics, tables and figures out under the names of an archive."""

from anchoring.files.atomic import atomic_folder
from anchoring.releasing import release
from anchoring.script import run
from anchoring.solving import records


def main(offsets, settings, images, tables, summary, output):
    solved = records.read(offsets)
    files = release.files_of(settings, solved, images, tables, summary)
    with atomic_folder(f"{output}/{settings['id']}_{settings['version']}".lower()) as folder:
        release.write_release(folder, files, settings, solved)


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        offsets=snakemake.input.offsets,
        settings=snakemake.params.settings,
        images=snakemake.params.images,
        tables=snakemake.params.tables,
        summary=snakemake.params.summary,
        output=snakemake.output[0],
    )
