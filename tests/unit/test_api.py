"""From files to an offset with the names of `anchoring.api` alone: the numbers of the workflow, and the truth."""

import pytest
from runs import ROOT, Project

from anchoring import api
from simulation.skies import IDEAL

REFERENCE = "irac4_atgauss4"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    return Project(folder, targets=["ngc0628"], bands=["F770W"], references=[REFERENCE], sky=IDEAL)


def fitted(data, settings):
    """The fit of F770W on IRAC 4, as a notebook makes it."""
    mosaic = api.read_image(data / "ngc0628/F770W/lv3/ngc0628_miri_lv3_f770w_i2d_align.fits")
    reference = api.read_reference(data / f"ref/ngc0628_{REFERENCE}.fits")
    wcs, onto = api.celestial_wcs(mosaic.header), api.celestial_wcs(reference.header)
    scale = api.pixel_scale(mosaic.header)
    kernel = api.resample_kernel(*api.read_kernel(data / "kernels/f770w_to_gauss4.fits"), scale)
    convolved, _ = api.convolve_image(mosaic.data, kernel)
    image = api.reproject_onto(convolved, wcs, onto, reference.data.shape)
    beam = api.kernel_fwhm(kernel) * scale / api.pixel_scale(reference.header)
    in_range = api.fixed_range(REFERENCE, settings.estimator)
    measured = api.measure_pair(
        reference.data, image, beam=beam, smoothed=beam, intensity_range=in_range, wcs=onto,
        least_coverage=settings.least_coverage("binned"),
    )  # fmt: skip
    return measured, api.fit_external(measured, "F770W", REFERENCE, settings)


@pytest.mark.parametrize("estimator", ["binned", "errors_in_variables"])
def test_the_library_alone_gives_the_numbers_of_the_workflow(project, estimator):
    measured, fit = fitted(project.folder / "data", api.Settings(estimator))
    project.configure(estimator=estimator, out_dir=estimator)
    project.run(f"{estimator}/ngc0628/ngc0628_offsets.json")
    (record,) = api.read([project.folder / estimator / "ngc0628/ngc0628_offsets.json"])
    in_workflow = record.chosen_fit
    for name in ("slope", "intercept", "rms", "offset"):
        assert getattr(fit, name) == pytest.approx(getattr(in_workflow, name), rel=1e-12, abs=1e-12)
    for name in ("slope_err", "offset_err", "offset_sys"):
        assert getattr(fit, name) == pytest.approx(getattr(in_workflow, name), rel=1e-9)
    assert (fit.flags, fit.used, fit.resolution) == (in_workflow.flags, in_workflow.used, in_workflow.resolution)
    assert api.external_offset(fit.intercept) == fit.offset
    line = api.fit_pair(measured, api.Settings(estimator), drift=api.drift_of("F770W", REFERENCE))
    assert (line.slope, line.intercept) == (fit.slope, fit.intercept)
    (upper, *_) = api.plot_fit(measured, fit, "F770W").axes
    assert upper.get_ylabel() == "F770W [MJy/sr]"
    (truth,) = [row["offset"] for row in project.truth]
    assert record.offset == pytest.approx(truth, abs=0.005)


def test_what_is_listed_is_there_documented_and_typed():
    use = (ROOT / "tests/typed_use.py").read_text()
    for name in api.__all__:
        assert getattr(api, name).__doc__, name
        assert f"api.{name}" in use
