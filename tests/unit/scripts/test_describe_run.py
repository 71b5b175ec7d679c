"""The provenance of a run in which not everything could be anchored."""

import pytest
from crates import Crate
from made import make_image

import describe_run
from anchoring.solving import records


@pytest.mark.parametrize("pictured", [True, False])
def test_an_image_without_an_offset_has_its_figures_and_no_anchored_image(tmp_path, pictured):
    names = ("a.fits", "b.fits", "out/a_anchor.fits", "out/b_anchor.fits", "out/b_fit.png")
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    a, b, anchored_a, anchored_b, figure = (str(tmp_path / name) for name in names)
    offsets = tmp_path / "offsets.json"
    records.write(offsets, [make_image(image=a, status="anchored"), make_image(image=b, status="failed")])
    describe_run.main(
        [offsets],
        made={"image a": ([a], [anchored_a]), "image b": ([b], [anchored_b, *[figure] * pictured])},
        anchored={a: anchored_a, b: anchored_b},
        configuration={"release": {}},
        snakemake_version="9.27.0",
        output=str(tmp_path / "out/ro-crate-metadata.json"),
        threads=1,
    )
    crate = Crate(tmp_path / "out")
    crate.require_true()
    assert "b_anchor.fits" not in crate.hashes
    made = {what: made for what, (_, made) in crate.actions.items()}
    assert made == {"image a": {"a_anchor.fits"}, **({"image b": {"b_fit.png"}} if pictured else {})}
