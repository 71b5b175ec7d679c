"""Anchored images of earlier runs are listed, whatever they are called; those of a release are not."""

import numpy as np
from astropy.io import fits

from anchoring.files.leftovers import left_over


def anchored(path):
    path.parent.mkdir(parents=True)
    image = fits.ImageHDU(np.zeros((2, 2), dtype=np.float32), fits.Header({"ANCHOFF": 0.1}), name="SCI")
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
    return str(path)


def test_what_is_not_planned_is_left_over_but_for_a_release(tmp_path):
    planned = anchored(tmp_path / "ngc0628/F770W/lv3/a_anchor.fits")
    earlier = anchored(tmp_path / "ngc0628/F1000W/lv3/hlsp_survey_jwst_miri_ngc0628_f1000w_v1_anchor.fits")
    anchored(tmp_path / "release/survey_v1/ngc0628/hlsp_survey_jwst_miri_ngc0628_f770w_v1_i2d.fits")
    assert left_over(tmp_path, [planned]) == [earlier]
