"""What is mended in the Snakemake that runs the workflow stays right for all workflows.

That a run ends at SIGTERM: test_interruptions.py.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from mended import hidden

RULES = Path(__file__).parents[3] / "workflow/runtime"
TABLES = """\
import sys
sys.path.insert(0, {rules!r})
import mended
mended.load_no_tables()
import pandas, numpy

rule all:
    output: "said.txt"
    params: table=pandas.DataFrame({{"a": [{value}]}}), array=numpy.arange(3), number={number}
    script: "say.py"
"""
SAY = """\
table, array = snakemake.params.table, snakemake.params.array
with open(snakemake.output[0], "w") as file:
    print(type(table).__name__, table.a.sum(), array.sum(), file=file)
"""


def test_tables_that_are_parameters_come_to_scripts_and_their_changes_are_seen(tmp_path):
    (tmp_path / "say.py").write_text(SAY)

    def snakemake(*arguments, value=5, number=1):
        (tmp_path / "Snakefile").write_text(TABLES.format(rules=str(RULES), value=value, number=number))
        command = [Path(sys.executable).with_name("snakemake"), "--cores", "1", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    snakemake()
    assert (tmp_path / "said.txt").read_text() == "DataFrame 5 3\n"
    nothing = "Nothing to be done"
    assert nothing in snakemake("--dry-run").stdout
    assert nothing not in snakemake("--dry-run", value=6).stdout
    assert nothing not in snakemake("--dry-run", number=2).stdout


def test_jobs_start_at_once(tmp_path):
    """Where else they would start a minute apart."""
    (tmp_path / "Snakefile").write_text(
        f"import sys\nsys.path.insert(0, {str(RULES)!r})\nimport mended\n"
        "onstart: mended.start_jobs_at_once(workflow.scheduler)\n"
        'rule all:\n    input: [f"{i}.txt" for i in range(4)]\n'
        'rule one:\n    output: "{i}.txt"\n    shell: "touch {output}"\n'
    )
    options = ("--cores", "1", "--max-jobs-per-timespan", "1/1m")
    subprocess.run([Path(sys.executable).with_name("snakemake"), *options], cwd=tmp_path, check=True, timeout=50)


def test_a_hidden_module_is_not_installed_until_it_is_not_hidden():
    name = "this"  # prints a poem where it is imported
    assert name not in sys.modules
    with hidden([name, "sys"]):
        with pytest.raises(ModuleNotFoundError):
            __import__(name)
        assert __import__("sys") is sys
    assert name not in sys.modules
