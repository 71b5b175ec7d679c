"""Every bad archive image is used or refused as its case says; the message names target, label and file."""

from pathlib import Path

import pytest
from astropy.io import fits
from bad_archives import CASES, FAILED, WORKS, made, prepare


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def level(sound, tmp_path_factory):
    """The sky that is measured where nothing is wrong."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("sound"))
        return made(sound, CASES["sound"])[0].level


@pytest.mark.parametrize("name", CASES)
def test_outcome_and_message_of_each_case(sound, level, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    case = CASES[name]
    origin, reason = made(sound, case)
    assert Path("sky.png").is_file()
    if case.status == WORKS:
        assert reason == ""
        if name != "elsewhere":  # of one tile, whose level is its own
            assert origin.level == pytest.approx(level, abs=1e-4)
        return
    assert case.status == FAILED
    assert reason.startswith("the reference w3_atgauss15 of ngc0628 cannot be made: ")
    assert case.words in reason
    assert "tile_0.fits" in reason or "tile_1.fits" in reason
    assert "expected" in reason
    assert not {"SIMPLE", "REFSKY"} <= set(fits.getheader("out.fits"))
