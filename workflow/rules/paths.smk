"""Patterns of all files of a run."""

OUT = config["out_dir"].rstrip("/")
TARGET = f"{OUT}/{{target}}"
BAND = f"{TARGET}/{{band}}/{config['out_subdir']}"
LOGS = f"{TARGET}/logs"
PAIR = f"{BAND}/{{image}}_on_{{reference}}"
MADE_KERNELS = f"{OUT}/{settings.MADE_KERNELS}"
MADE_KERNEL = f"{MADE_KERNELS}/{{kernel}}.fits"
MADE_REFERENCES = f"{OUT}/{settings.MADE_REFERENCES}"
CALIBRATED = f"{MADE_REFERENCES}/{{made}}/calibrated_{{tile}}.fits"
CONVOLVED = f"{BAND}/{{image}}_to_{{resolution}}.fits"
REPROJECTED = f"{PAIR}.fits"
EXTERNAL = f"{TARGET}/{{target}}_{{instrument}}_external.json"
INTERNAL = f"{BAND}/{{target}}_{{instrument}}_{{band}}_internal.json"
ADJUSTED = f"{TARGET}/{{target}}_{{instrument}}_adjusted.json"
NETWORK = f"{TARGET}/{{target}}_{{instrument}}_network.json"
NETWORK_TABLES = f"{TARGET}/{{target}}_network"
NETWORK_FIGURE = f"{TARGET}/{{target}}_network.png"
OFFSETS = f"{TARGET}/{{target}}_offsets.json"
REPORT = f"{TARGET}/{{target}}_report.txt"
ANCHORED = f"{TARGET}/{{band}}/{config['in_subdir']}/{{image}}_{config['out_step_ext']}.fits"
FIT = f"{BAND}/{{image}}_fit"
PICTURE = f"{BAND}/{{image}}_before_after"
OF_THE_RUN = [
    f"{OUT}/{name}"
    for name in (
        "run_complete.txt",
        "anchor_summary.csv",
        "anchor_summary.ecsv",
        "anchor_summary.html",
        "reference_summary.csv",
        "index.html",
    )
]
CRATE = f"{OUT}/ro-crate-metadata.json"
RELEASE = f"{OUT}/release"
NETWORK_PARTS = ("images", "pairs", "references", "covariances")  # tables of a network
MEASURED = {"bins": "_bins.json", "pixels": "_pixels.npz", "view": "_view.npz"}  # what measure_pair writes for a pair
FIGURES = (f"{FIT}.png", f"{FIT}.pdf", f"{FIT}.rst", f"{PICTURE}.png", f"{PICTURE}.rst")


def one_of(values):
    """A wildcard constraint: exactly one of these names."""
    return "|".join(re.escape(value) for value in sorted(set(values) - {""}, key=len, reverse=True)) or "(?!)"


wildcard_constraints:
    target=one_of(plan.targets),
    band=one_of(image.band for image in plan.images.values() if image not in plan.skipped),
    image=one_of(image.name for image in plan.images.values() if image not in plan.skipped),
    instrument=one_of(image.instrument for image in plan.images.values() if image not in plan.skipped),
    kernel=one_of(plan.recipes),
    made=one_of(plan.made),
    tile=r"[1-9]\d?",
    resolution=one_of(pair.resolution for pair in plan.possible_pairs()),
    reference=one_of(pair.reference for pair in plan.possible_pairs()),
