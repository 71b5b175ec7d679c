"""The records of a network, the adjustment of all pairs of an instrument, and the JSON file that holds them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ..files.atomic import read_json, write_json
from .records import number


@dataclass(frozen=True, kw_only=True)
class NetworkImage:
    """An image with its offset by the adjustment and by the tree (ref_band, then other bands on it)."""

    band: str
    name: str
    image: str  # path
    offset: float | None = number("to add, by the adjustment", "MJy/sr")
    offset_err: float | None = number("statistical error", "MJy/sr")
    offset_sys: float | None = number("systematic error, with that of the zero levels", "MJy/sr")
    zero_err: float | None = number("part of offset_sys by the errors of the zero levels", "MJy/sr")
    tree_offset: float | None = number("offset by the tree", "MJy/sr")
    tree_error: float | None = number("statistical and systematic in quadrature", "MJy/sr")
    reason: str = ""  # why it has no offset by the adjustment


@dataclass(frozen=True, kw_only=True)
class NetworkPair:
    """A pair as an observation of the adjustment."""

    band: str
    name: str
    reference: str  # label of the external reference, or name of the other image
    label: str  # label of the external reference, or band of the other image
    kind: str  # external or internal
    slope: float | None = number("slope of the line")
    intercept: float | None = number("its value where the reference is 0", "MJy/sr")
    residual: float | None = number("-intercept less what the adjusted offsets give", "MJy/sr")
    residual_err: float | None = number("its expected standard deviation", "MJy/sr")
    reason: str = ""  # why the pair is not used

    @property
    def sigmas(self):
        """The residual in units of its expected standard deviation; None if it is not known."""
        return self.residual / self.residual_err if self.residual_err else None


@dataclass(frozen=True, kw_only=True)
class NetworkReference:
    """An external reference and what the others say of its zero level."""

    reference: str  # label
    n_pairs: int | None = number("pairs on it", form="J")
    reference_zero_err: float | None = number("error of its zero level; None where it is taken as exact", "MJy/sr")
    zero: float | None = number("its zero level by all others, positive if it is too high", "MJy/sr")
    zero_err: float | None = number("error of `zero`", "MJy/sr")
    w: float | None = number("zero in units of the expected error, its own included")
    detectable: float | None = number("error of its zero level that would be found in 80 % of all cases", "MJy/sr")
    alike: float | None = number("largest correlation of w with that of another: near 1, they cannot be told apart")
    alike_with: str = ""
    suspect: bool = False  # its zero level is wrong, by the test


@dataclass(frozen=True, kw_only=True)
class Covariance:
    """Covariance of the offsets of two images, or variance of that of one."""

    band_1: str
    name_1: str
    band_2: str
    name_2: str
    covariance: float | None = number("sum of the next three", "MJy2 sr-2")
    statistical: float | None = number("statistical part", "MJy2 sr-2")
    systematic: float | None = number("systematic part without the zero levels", "MJy2 sr-2")
    of_zeros: float | None = number("by the errors of the zero levels of references", "MJy2 sr-2")
    correlation: float | None = number("covariance over the errors of both")


@dataclass(frozen=True, kw_only=True)
class Network:
    """The adjustment of the images of an instrument of a target."""

    target: str
    instrument: str
    solution: str  # tree or adjustment: which of the two fixes the offsets
    images: Sequence[NetworkImage] = ()
    pairs: Sequence[NetworkPair] = ()
    references: Sequence[NetworkReference] = ()
    covariances: Sequence[Covariance] = ()
    disagree: bool = False  # whether references disagree beyond their errors
    chi_squared: float | None = None  # of the residuals
    freedom: int | None = None

    @property
    def suspect(self):
        """Label of the reference whose zero level is wrong by the test, or None."""
        return next((r.reference for r in self.references if r.suspect), None)


PARTS = {"images": NetworkImage, "pairs": NetworkPair, "references": NetworkReference, "covariances": Covariance}


def write(path, network):
    """Write a Network as JSON, all or none."""
    write_json(path, asdict(network))


def read(path):
    """The Network in a file."""
    values = read_json(path)
    parts = {name: [kind(**part) for part in values[name]] for name, kind in PARTS.items()}
    return Network(**{**values, **parts})
