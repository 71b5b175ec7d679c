"""The PSF of JWST, drawn from its pupil: for kernels where no file of a PSF is there."""

import logging
import warnings

import numpy as np
from astropy.io.fits.verify import VerifyWarning

from .psf import measured_psf

SEGMENT, GAP, STRUT = 1.32, 0.007, 0.1  # m: between flats of a hexagon, between hexagons, width of a strut
STRUTS = (180, 330, 30)  # degrees: where they are behind the pupil
PER_MICRON = 0.0065  # arcsec: a fifth of the FWHM
SIDE = 801
PUPIL = 1024  # samples across the pupil
MIRI_PIXEL = 0.11  # arcsec: MIRI's detectors widen a PSF by about one of their pixels
MIRI_FROM = 5.1  # micron
# MIRI's detectors scatter light of short wavelengths along rows and columns (Gaspar et al. 2021, PASP 133, 014504):
# which part of it at which micron, and how far (e-folding), arcsec; as in PSFs of STPSF, F560W by its ratio to F770W.
SCATTERED = ((5.6, 7.7, 10.0, 11.3), (0.25, 0.16, 0.045, 0.0))
SCATTERED_OVER = 2.8


def jwst_psf(wavelength):
    """A PSF of JWST at one wavelength, without errors of the mirrors: the diffraction of 18 hexagons and three struts.

    Its FWHM is within 7 % of those measured in flight (`bands.FWHM`) from F115W to F2550W; those of F070W and F090W,
    which the pixels of NIRCam widen, are 19 and 8 % larger. What is within 0.25 to 4 arcsec agrees with PSFs of STPSF
    to 0.02 of the light, in F770W and F1000W cut as their files are, what is within 0.5 to 10 arcsec, to 0.0025.

    Parameters
    ----------
    wavelength : float
        Micron.

    Returns
    -------
    psf.PSF
    """
    # Imported here: it takes two seconds, and most runs draw no PSF.
    import poppy

    for name in ("poppy", "numexpr"):
        logging.getLogger(name).setLevel(logging.WARNING)
    scale = PER_MICRON * wavelength
    system = poppy.OpticalSystem(npix=PUPIL)
    mirror = poppy.MultiHexagonAperture(rings=2, flattoflat=SEGMENT, gap=GAP, center=False)
    struts = poppy.AsymmetricSecondaryObscuration(
        secondary_radius=0.0, support_angle=STRUTS, support_width=(STRUT,) * len(STRUTS)
    )
    system.add_pupil(poppy.CompoundAnalyticOptic([mirror, struts]))
    system.add_detector(pixelscale=scale, fov_pixels=SIDE, oversample=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VerifyWarning)  # of comments in a header that nobody sees
        data = system.calc_psf(wavelength=wavelength * 1e-6)[0].data.astype(float)
    if wavelength > MIRI_FROM:
        data = _by_miri(data, scale, np.interp(wavelength, *SCATTERED))
    return measured_psf(data, scale)


def _by_miri(data, scale, scattered):
    """A PSF averaged over pixels of MIRI, and a part of it spread along rows and columns with an exponential."""
    frequency = np.fft.fftfreq(len(data), scale)
    pixel = np.sinc(frequency * MIRI_PIXEL)
    cross = 1 / (1 + (2 * np.pi * frequency * SCATTERED_OVER) ** 2)
    response = np.multiply.outer(pixel, pixel) * (1 - scattered + scattered * np.add.outer(cross, cross) / 2)
    return np.fft.ifft2(np.fft.fft2(data) * response).real
