"""What archives have of a field: addresses of images, asked by the protocols of IRSA and unWISE."""

import re
from pathlib import PurePosixPath
from urllib.parse import urlencode, urlsplit

from anchoring.images.archive_units import WAVELENGTHS, band_of
from fetching.download import FetchError

COLLECTIONS = {"allwise": "wise_allwise", "seip": "spitzer_seip", "spherex": "spherex_qr2"}
IMAGE = re.compile(r"\.fits?(\.gz)?$", re.IGNORECASE)
# Of files that are no images of intensity.
OTHERS = re.compile(r"unc|cov|std|mask|msk|invvar|ivar|_n-|-n-", re.IGNORECASE)
UNWISE_SCALE, UNWISE_LARGEST = 2.75, 1024  # arcsec; pixels along a side of a cutout


def irsa_images(service, source, band, field, maps=None):
    """{file name: address} of the images of a band around a field, from a Simple Image Access service, version 2.

    The addresses of IRSA cut an image to a square.

    Parameters
    ----------
    service : str
        Address of the service.
    source : str
        Of COLLECTIONS.
    band : str
    field : anchoring.images.field.Field
    maps : str, optional
        Part of the names of uncertainty maps, which are taken too.
    """
    from astropy import units as u
    from astroquery.ipac.irsa import IrsaClass

    wavelength = WAVELENGTHS.get(band_of(band))
    if wavelength is None:
        raise FetchError(f"band {band} has no known wavelength; expected one of {', '.join(WAVELENGTHS)}")
    irsa = IrsaClass()
    irsa.sia_url = service
    where = (field.centre, field.radius * u.arcsec)
    try:
        table = irsa.query_sia(pos=where, collection=COLLECTIONS[source], band=[(wavelength, wavelength) * u.m])
    except Exception as error:  # of pyvo, requests and the parser of VOTables, which have no common base
        raise FetchError(
            f"{service} did not answer a query for {COLLECTIONS[source]}; expected a table of images: try again later, "
            f"or correct irsa in 'fetch' ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
        ) from error
    found = {}
    for row in table:
        address = str(row["access_url"])
        name = PurePosixPath(urlsplit(address).path).name
        is_map = bool(maps) and maps in name
        if IMAGE.search(name) and _is_science(row, wavelength, is_map) and (is_map or not OTHERS.search(name)):
            found[name.removesuffix(".gz")] = f"{address}{'&' if '?' in address else '?'}{_cut(field)}"
    if not found:
        raise FetchError(
            f"{service} has no {band} image of {COLLECTIONS[source]} at RA {field.ra:.4f}, Dec {field.dec:+.4f}; "
            "expected one: choose another source"
        )
    return found


def _is_science(row, wavelength, is_map):
    """Whether a row of ObsCore is an image of intensity, or a map, at a wavelength, m; what is not stated counts."""
    stated = row.colnames
    if {"em_min", "em_max"} <= set(stated) and not float(row["em_min"]) <= wavelength <= float(row["em_max"]):
        return False
    return is_map or "dataproduct_subtype" not in stated or str(row["dataproduct_subtype"]) in ("science", "", "--")


def _cut(field):
    """What IRSA's addresses take for a square that is cut out."""
    centre = f"{field.ra:.6f},{field.dec:.6f}"
    return urlencode({"center": centre, "size": f"{2 * field.half:.0f}arcsec", "gzip": "false"})


def unwise_cutout(template, band, field, maps=None):
    """The address of a cutout of unWISE coadds, a tar file, and which of its files are images or maps of the band."""
    size = min(round(2 * field.half / UNWISE_SCALE), UNWISE_LARGEST)
    number = band_of(band).removeprefix("w")
    address = template.format(ra=f"{field.ra:.6f}", dec=f"{field.dec:.6f}", size=size, band=number)
    kinds = "|".join(["-img-[mu]", *([re.escape(maps)] if maps else [])])
    return address, re.compile(rf".*-w{number}.*({kinds}).*\.fits(\.gz)?").fullmatch
