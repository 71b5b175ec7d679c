"""Whatever bytes an input has, it is refused with a reason or gives a number: no other error, no hang.

`make fuzz` tries more.
"""

import fuzz
import pytest

from simulation.skies import IDEAL
from simulation.trees import simulate_tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return fuzz.small_tree(tmp_path_factory.mktemp("fuzzed"))


@pytest.fixture(scope="module")
def sound(tree):
    slope, intercept = tree.answer()
    assert abs(slope - 1) < 0.02
    assert abs(intercept + fuzz.PEDESTAL) < 0.02
    return slope, intercept


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("change", fuzz.OF_FITS, ids=lambda change: change.__name__)
@pytest.mark.parametrize("which", ["image", "reference", "kernel"])
def test_changed_fits_files(tree, sound, which, change):
    outcomes = {fuzz.try_fits(tree, which, change, seed, sound) for seed in range(5)}
    assert "refused" in outcomes or change is not fuzz.cut


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("change", fuzz.OF_TEXT, ids=lambda change: change.__name__)
def test_changed_gzipped_mosaics(tmp_path, sound, change):
    tree = fuzz.small_tree(tmp_path)
    fuzz.gzipped(tree)
    assert tree.answer() == sound
    outcomes = {fuzz.try_fits(tree, "image", change, seed, sound) for seed in range(5)}
    assert "refused" in outcomes


@pytest.mark.parametrize("change", fuzz.OF_TEXT, ids=lambda change: change.__name__)
def test_changed_galaxy_tables(tmp_path, change):
    simulate_tree(
        tmp_path, targets=["ngc0628"], bands=["F770W"], references=[], sky=IDEAL, field=(20.0, 20.0), coarsen=6
    )
    text = (tmp_path / "galaxies.csv").read_bytes()
    config = fuzz.config_of(tmp_path)
    outcomes = {fuzz.try_table(tmp_path, change, seed, config, text) for seed in range(60)}
    assert outcomes >= {"skipped", "refused"}


@pytest.mark.parametrize("change", fuzz.OF_TEXT, ids=lambda change: change.__name__)
def test_changed_configurations(change):
    text = (fuzz.ROOT / "config/config.yaml").read_bytes()
    outcomes = {fuzz.try_config(change, seed, text, fuzz.schema()) for seed in range(10)}
    assert "refused" in outcomes or change is fuzz.other_bytes  # few of these are YAML
