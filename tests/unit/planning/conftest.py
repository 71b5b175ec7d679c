import pytest
from trees import touch


@pytest.fixture
def tree(tmp_path):
    """Two targets with the ref_band of each instrument and one more band; references and kernels for all."""
    for target in ("ngc0001", "eso097_013"):
        for instrument, band in (("nircam", "F300M"), ("nircam", "F335M"), ("miri", "F770W"), ("miri", "F2100W")):
            name = f"{target}_{instrument}_lv3_{band.lower()}_i2d_align.fits"
            touch(tmp_path / "in" / target / band / "lv3" / name)
        for label in ("irac1_atgauss4", "w1_atgauss7p5", "irac4_atgauss4"):
            touch(tmp_path / "ref" / f"{target}_{label}.fits")
    for kernel in ("f300m_to_gauss4", "f300m_to_gauss7p5", "f770w_to_gauss4", "f300m_to_f2100w", "f335m_to_f2100w",
                   "f770w_to_f2100w"):  # fmt: skip
        touch(tmp_path / "kernels" / f"{kernel}.fits")
    return tmp_path
