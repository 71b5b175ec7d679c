"""Labels of references and names of resolutions: taken apart and compared in this one place.

    label       name [ "_at" resolution ]     irac4_atgauss4, w3_atgauss15, mips24
    resolution  "gauss" FWHM, or a band       gauss4, gauss7p5 (a Gaussian of FWHM 7.5 arcsec), f2100w
    kernel      band "_to_" resolution        f770w_to_gauss4

Upper and lower case are the same. The number at the end of a resolution has a point or a p as its decimal mark and may
have redundant zeros: gauss1.00, gauss1p0 and GAUSS1 are one resolution.
"""

import functools
import re

LABEL = re.compile(r"(.+)_at(.+)", re.IGNORECASE)
NUMBER = re.compile(r"(.*?)(?:0*(\d+)(?:[p.](\d+))?)", re.DOTALL)  # at the end of a resolution
GAUSSIAN = re.compile(r"gauss(\d+(?:p\d+)?)")


@functools.cache
def normalised(name):
    """One spelling of a resolution, a label or a kernel's name: lower case, p as decimal mark, no redundant zeros."""
    parts = NUMBER.fullmatch(name.lower())
    if not parts:
        return name.lower()
    start, number, fraction = parts.groups()
    fraction = (fraction or "").rstrip("0")
    return f"{start}{number}p{fraction}" if fraction else f"{start}{number}"


def split_label(label):
    """(name, resolution) of a label, in its own case; the resolution is "" if the label has none."""
    parts = LABEL.fullmatch(label)
    return parts.groups() if parts else (label, "")


def resolution_of(label):
    """The normalised resolution of an external reference: that in its label, else the reference's own."""
    name, resolution = split_label(label)
    return normalised(resolution or name)


def gaussian_fwhm(resolution):
    """FWHM, arcsec, of a resolution such as gauss7p5; None if it is not a Gaussian's."""
    parts = GAUSSIAN.fullmatch(normalised(resolution))
    return float(parts[1].replace("p", ".")) if parts else None


def split_pair(key):
    """(band, label) of a key of the configuration such as F1000W/F770W; the band is "" if the key is only a label."""
    band, slash, label = key.partition("/")
    return (band, label) if slash else ("", key)


def value_for_pair(settings, band, label):
    """Value of a mapping for a band on a reference: that of band/label, else that of the label, as `value_for`."""
    for wanted in (band, ""):
        of_band = {split_pair(key)[1]: value for key, value in settings.items() if _is_band(split_pair(key)[0], wanted)}
        value = value_for(of_band, label)
        if value is not None:
            return value
    return None


def _is_band(name, wanted):
    return name.lower() == wanted.lower()


def value_for(settings, label):
    """Value of a mapping for a reference, by its label with or without the resolution; None if there is none."""
    settings = {normalised(key): value for key, value in settings.items()}
    names = (normalised(label), split_label(normalised(label))[0])
    return next((settings[name] for name in names if name in settings), None)
