"""Trees of empty files, which are all that a plan needs."""

from anchoring.planning.plan import make_plan

INSTRUMENTS = {
    "nircam": {"ref_band": "F300M", "external_bands": ["irac1_atgauss4", "w1_atgauss7p5"]},
    "miri": {"ref_band": "F770W", "external_bands": "irac4_atgauss4"},
}


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def config_of(tree, **changes):
    return {
        **{f"{kind}_dir": str(tree / name) for kind, name in (("in", "in"), ("ref", "ref"), ("kernel", "kernels"))},
        "out_dir": str(tree / "out"),
        "in_step_ext": "i2d_align",
        "out_step_ext": "i2d_anchor",
        "in_subdir": "lv3",
        "out_subdir": "anchored",
        "instruments": INSTRUMENTS,
        "internal_conv_band": "F2100W",
        "galaxy_table": None,
        **changes,
    }


def plan_of_one(folder, *, target="ngc0001", band="F770W", **changes):
    """The plan of a tree with one mosaic."""
    touch(folder / "in" / target / band / "lv3" / f"{target}_miri_lv3_{band.lower()}_i2d_align.fits")
    return make_plan(config_of(folder, **changes))


def image_named(plan, part):
    (image,) = [i for i in plan.images.values() if part in i.name]
    return image
