"""Names of bands and instruments in the configuration: those that nothing is called, and those that are not used."""

import difflib

from ..bands import FILTERS
from ..labels import split_pair
from .settings import SHIPPED_INSTRUMENTS, PlanError, instrument_settings, is_ref_band


def unused_names(config, images):
    """A line per band or instrument that the configuration gives something for and that no image of the run has.

    Parameters
    ----------
    config : dict
    images : iterable of Image
        All that were found.

    Raises
    ------
    PlanError
        For a name that cannot be used by any run: no filter of JWST, and no band or instrument of this run.
    """
    images, lines = list(images), []
    instruments = {image.instrument for image in images}
    for instrument in sorted(set(config["instruments"]) - instruments - set(SHIPPED_INSTRUMENTS)):
        settings = instrument_settings(config, instrument)
        if settings.get("ref_band") or isinstance(settings.get("external_bands"), dict):
            lines.append(f"The configuration of instrument {instrument} is not used: this run has no image of it")
        elif settings.get("external_bands"):
            raise PlanError(
                f"external_bands has {instrument!r}, which is no instrument with a ref_band and no filter of JWST; "
                f"{_remedy(instrument)}"
            )
    there = {(image.instrument, image.band.lower()) for image in images}
    bands = {band for _, band in there}
    for (key, band), of in _given(config).items():
        if band.lower() not in bands | FILTERS and any(instrument in SHIPPED_INSTRUMENTS for instrument in of):
            raise PlanError(f"{key} has {band!r}, which is no filter of JWST and no band of this run; {_remedy(band)}")
        if not there & {(instrument, band.lower()) for instrument in of}:
            lines.append(f"{key} of {band} is not used: this run has no image of it")
    return lines


def _given(config):
    """{(key, band): instruments} of bands, other than the ref_band, that something is configured for."""
    found = {}
    for instrument in config["instruments"]:
        given = instrument_settings(config, instrument).get("external_bands")
        for band in given if isinstance(given, dict) else ():
            if not is_ref_band(config, instrument, band):
                found.setdefault(("external_bands", band), []).append(instrument)
    for pair in config.get("colour_drift") or ():
        band, _ = split_pair(pair)
        if band:
            found["colour_drift", band] = list(config["instruments"])
    return found


def _remedy(name):
    near = difflib.get_close_matches(name.lower(), FILTERS, n=1)
    return f"did you mean {near[0].upper()}?" if near else "expected either: correct the name or remove it"
