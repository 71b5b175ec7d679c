"""What surrounds a run in Snakemake: speed, the files that scripts need, what a failed run says at its end."""
