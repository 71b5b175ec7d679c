"""Where the range of an internal pair is."""

import measure_pair
from anchoring.solving import records


def test_the_zero_of_an_image_is_minus_its_offset_and_unknown_without_one(tmp_path):
    known = {"target": "", "band": "F770W", "image": "", "instrument": "miri"}
    solved = [
        records.ImageRecord(**known, name="good", status="anchored", offset=0.3),
        records.ImageRecord(**known, name="bad", status="failed", reason="no line"),
    ]
    records.write(tmp_path / "solved.json", solved)
    zeros = [measure_pair.zero_of("internal", {"path": tmp_path / "solved.json", "name": r.name}, "") for r in solved]
    assert zeros == [-0.3, None]
    assert [measure_pair.zero_of(kind, None, "") for kind in ("external", "internal")] == [0.0, None]
