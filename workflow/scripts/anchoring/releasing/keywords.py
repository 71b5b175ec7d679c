"""Keywords of the images of a release, as MAST asks for them in the primary header.

Source: MAST, "Common Metadata" (outerspace.stsci.edu/display/MASTDOCS/Common+Metadata), and the list of keywords of
spacetelescope/mast_contributor_tools.
"""

# What a mosaic has of its observation, with other names that are taken for the same.
OF_THE_OBSERVATION = (
    ("DATE-BEG",), ("DATE-END",), ("MJD-BEG", "EXPSTART"), ("MJD-MID", "MJD-AVG", "EXPMID"), ("MJD-END", "EXPEND"),
    ("TIMESYS",), ("XPOSURE", "EFFEXPTM"), ("RADESYS",), ("RA_TARG", "TARG_RA"), ("DEC_TARG", "TARG_DEC"), ("BUNIT",),
)  # fmt: skip


def cards(settings, image, header):
    """(keyword, value, comment) of all that a released image states in its primary header.

    Parameters
    ----------
    settings : mapping
        `release` of the configuration.
    image : mapping
        target, band and instrument.
    header : fits.Header
        Primary header of the image: INSTRUME, FILTER, TELESCOP and PROGRAM of it are kept.
    """
    telescope = header.get("TELESCOP") or settings["observatory"].upper()
    known = [
        ("HLSPID", settings["id"].upper(), "identifier of the collection"),
        ("HLSPNAME", settings["title"], "title of the collection"),
        ("HLSPLEAD", settings["lead"], "project lead"),
        ("HLSPTARG", image["target"], "target"),
        ("HLSPVER", settings["version"], "version of the collection"),
        ("DOI", settings["doi"], "of the collection"),
        ("LICENSE", settings["license"], "of these data"),
        ("LICENURL", settings["license_url"], "of the license"),
        ("REFERENC", settings["reference"], "paper to cite"),
        ("OBSERVAT", settings["observatory"].upper(), "observatory"),
        ("TELESCOP", telescope, "telescope"),
        ("INSTRUME", header.get("INSTRUME") or image["instrument"].upper(), "instrument"),
        ("FILTER", header.get("FILTER") or image["band"].upper(), "filter"),
        ("PROPOSID", settings["program"] or header.get("PROGRAM"), "program"),
    ]
    return [(keyword, value, comment) for keyword, value, comment in known if value is not None]


def missing(headers):
    """Keywords of the observation that MAST asks for and that none of the headers of a file has."""
    return [names[0] for names in OF_THE_OBSERVATION if not any(name in header for header in headers for name in names)]
