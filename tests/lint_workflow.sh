#!/usr/bin/env bash
# `snakemake --lint` on a tree of empty files: the linter reads the workflow, and the workflow lists its images.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/ngc0001/F770W/lv3"
touch "$tree/ngc0001/F770W/lv3/ngc0001_miri_lv3_f770w_i2d_align.fits"
cd "$tree"
echo "{in_dir: ., ref_dir: ref, kernel_dir: kernels}" > config.yaml
snakemake --snakefile "$here/Snakefile" --configfile config.yaml --lint
