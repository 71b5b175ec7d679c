"""The mosaics on disk: targets, bands and their images, and what is wrong with a folder or a name."""

import os
import re
from pathlib import Path

from ..bands import JWST
from .companions import masks, problem_of
from .model import Image
from .paths import FITS, date_problem, folders_in, name_problem, names_in
from .settings import PlanError, in_place
from .sizes import header_card

# Of a target, a band and an image: they become parts of file names, of rules and, on clusters, of command lines.
NAME = re.compile(r"[^\W_][\w .+@()~#-]*")


def find_images(config):
    """All images of a run.

    Returns
    -------
    {Image: str}
        The reason why a file or folder is not a mosaic that can be used; "" for mosaics.

    Raises
    ------
    PlanError
        If a target or a band that is asked for is not there, if nothing can be anchored, or if a name cannot be part
        of the names of results.
    """
    images = {image: reason for target in _targets(config) for image, reason in _images(config, target)}
    for image, reason in images.items():
        _require_name("target", image.target, image)
        if not reason:
            _require_name("band", image.band, image)
            _require_name("image", image.name, image)
    if all(images.values()):
        there = next(iter(images.values()), "")
        raise PlanError(
            f"no images to anchor: nothing matches {config['in_dir']}/<target>/<BAND>/{config['in_subdir']}/"
            f"*_{config['in_step_ext']}.fits; check in_dir, in_subdir, in_step_ext, targets and bands"
            + (f" ({there})" if there else "")
        )
    found = {image.band.lower(): image.band for image in images}
    missing = [band for band in config.get("bands") or () if band.lower() not in found]
    if missing:
        raise PlanError(f"bands {', '.join(missing)} have no image; found: {', '.join(sorted(found.values()))}")
    return images


def _require_name(what, name, image):
    if not NAME.fullmatch(name):
        raise PlanError(
            f"{image.path}: {name!r} cannot be the name of a {what}; expected letters, digits, spaces and "
            "_.+@()~#-, a letter or digit first: rename it, or list in 'targets' and 'bands' what to anchor"
        )


def band_problems(config, images):
    """{Image: what is wrong} for the images of a target that has the folder of a band in two spellings."""
    spellings = {}
    for image in images:
        spellings.setdefault((image.target, image.band.lower()), set()).add(image.band)
    folders = {
        key: " and ".join(str(Path(config["in_dir"], key[0], band)) for band in sorted(bands))
        for key, bands in spellings.items()
        if len(bands) > 1
    }
    return {
        image: f"{folders[key]} are folders of one band; expected one: put all its mosaics into one of them"
        for image in images
        if (key := (image.target, image.band.lower())) in folders
    }


def image_problem(config, image):
    """Why a mosaic cannot be an input; empty if it can. Snakemake does not start while any of its inputs is missing."""
    if not Path(image.path).is_file():
        what = "a link that leads nowhere" if Path(image.path).is_symlink() else "no file"
        return f"{image.path} is {what}; expected a FITS file: put it there or remove what is in its place"
    return (
        date_problem(image.path)
        or problem_of(image.masks)
        or name_problem(
            image.path,
            f"{image.band}_{image.name}.log",
            f"{image.name}_before_after.png",
            f"{image.name}_{config['out_step_ext']}.fits",
            f"{image.target}_{image.instrument}_{image.band}_internal.json",
        )
    )


def _targets(config):
    in_dir = Path(config["in_dir"])
    if not in_dir.is_dir():
        raise PlanError(f"in_dir {in_dir} is not a folder; set in_dir to the folder that holds a folder per target")
    found = sorted(d.name for d in in_dir.iterdir() if d.is_dir() and _is_target(config, d))
    wanted = config.get("targets")
    if wanted is None:
        return found
    missing = [t for t in wanted if t not in found]
    if missing:
        raise PlanError(
            f"targets {', '.join(missing)} have no folder <BAND>/{config['in_subdir']} in {in_dir}; "
            f"found there: {', '.join(found) or 'none'}"
        )
    return list(dict.fromkeys(wanted))


def _is_target(config, folder):
    """Whether a folder of in_dir has a folder of a band, or one with mosaics in it and not below in_subdir."""
    if folder.name.startswith("."):
        return any(folder.glob(f"*/{config['in_subdir']}/*_{config['in_step_ext']}.fits"))
    if any(folder.glob(f"*/{config['in_subdir']}")):
        return True
    return not _has_another_use(config, folder) and any(
        JWST.fullmatch(band.name) or any(_is_mosaic(config, name) for name in names_in(band))
        for band in folders_in(folder)
        if not band.name.startswith(".")
    )


def _has_another_use(config, folder):
    """Whether the configuration has a folder for references, kernels, PSFs, masks or results."""
    others = (config.get(key) for key in ("ref_dir", "kernel_dir", "psf_dir", "mask_dir", "out_dir"))
    return any(folder.resolve() == Path(other).resolve() for other in others if other)


def _is_mosaic(config, name):
    """Whether a file has the name of a mosaic, ending in .fits or in something like it."""
    parts = FITS.fullmatch(name)
    return bool(parts) and parts["stem"].lower().endswith(f"_{config['in_step_ext']}".lower()) and "_bgr_" not in name


def _images(config, target):
    """The mosaics of a target, each with "", and what is in the place of others, with the reason it cannot be used."""
    wanted = config.get("bands")
    wanted = None if wanted is None else {band.lower() for band in wanted}
    ending = f"_{config['in_step_ext']}.fits"
    for folder in folders_in(Path(config["in_dir"], target)):
        band, place = folder.name, folder / config["in_subdir"]
        if not (wanted is None or band.lower() in wanted):
            continue

        def image(name, path, file, band=band):
            instrument = _instrument(config, target, Path(file).name, file) if file else ""
            return Image(target, band, name, str(path), instrument, masks(config, target, band))

        names = names_in(place)
        mosaics = [name for name in names if name.endswith(ending) and "_bgr_" not in name]
        yield from ((image(name[: -len(ending)], place / name, place / name), "") for name in mosaics)
        # A band needs no other file than its mosaics; one that has a mosaic's name may be meant to be one.
        known = {FITS.fullmatch(name)["stem"].lower() for name in mosaics}
        others = [n for n in names if _is_mosaic(config, n) and FITS.fullmatch(n)["stem"].lower() not in known]
        yield from ((image(name, place / name, place / name), _other_ending(config, place / name)) for name in others)
        if not (mosaics or others) and _is_band(config, folder):
            place = place if os.path.isdir(place) else folder
            there = _fits_below(config, place)
            yield image(place.name, place, next(iter(there), None)), _without_mosaic(config, place, there)


def _other_ending(config, path):
    parts = FITS.fullmatch(path.name)
    expected = f"{parts['stem'][: -len(config['in_step_ext'])]}{config['in_step_ext']}.fits"
    if not parts["packed"]:
        return f"{path} is not named as mosaics are; expected {expected}: rename it"
    unpack = {".gz": "gunzip", ".fz": "funpack"}.get(parts["packed"].lower(), "unpack")
    return f"{path} is compressed; expected {expected}, which can be read in parts: {unpack} it"


def _without_mosaic(config, folder, there):
    """The reason why the folder of a band, or its in_subdir, has no mosaics: what is in it and what is expected."""
    shown = ", ".join(os.path.relpath(path, folder) for path in there[:3]) + (" and more" if len(there) > 3 else "")
    holds = f"holds {shown or 'no FITS file'}" if os.access(folder, os.R_OK | os.X_OK) else "cannot be read"
    subdir, pattern = config["in_subdir"], f"*_{config['in_step_ext']}.fits"
    if folder.name == subdir:
        reason = f"{folder} {holds}; expected {pattern}: set in_step_ext or rename the mosaics"
    else:
        reason = f"{folder} has no folder {subdir} and {holds}; expected {subdir}/{pattern}: set in_subdir or move them"
    return f"{reason}, or list in 'bands' what to anchor"


def _is_band(config, folder):
    """Whether a folder of a target that has no mosaics is of a band: not what a run makes, nor one of backgrounds."""
    name = folder.name
    if name.startswith(".") or name.lower().endswith("_bgr") or _has_another_use(config, folder):
        return False
    if in_place(config) and {path.name for path in folders_in(folder)} == {config["out_subdir"]}:
        return False  # left over from a mosaic that has been removed
    return bool(
        os.path.isdir(folder / config["in_subdir"]) or JWST.fullmatch(name) or _fits_below(config, folder, enough=1)
    )


def _fits_below(config, folder, enough=4):
    """Paths of FITS files in a folder and those in it, without what a run makes there; no more than are enough."""
    found = []
    made = (config["out_subdir"], f"_{config['out_step_ext']}.fits") if in_place(config) else ()
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - set(made))
        found += [
            str(Path(place, name))
            for name in sorted(names)
            if FITS.fullmatch(name) and not (made and name.endswith(made[1]))
        ]
        if len(found) >= enough:
            break
    return found[:enough]


def _instrument(config, target, name, path):
    """From the file's name, `{target}_{instrument}_lv3_{band}`, else from the INSTRUME card of its primary header."""
    known = {instrument.lower() for instrument in config["instruments"]}
    rest = name[len(target) :] if name.lower().startswith(target.lower()) else name
    named = (token for token in rest.lower().split("_") if token in known)
    return next(named, None) or header_card(path, "INSTRUME").lower()
