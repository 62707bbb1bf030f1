"""A run ends with the names of the tests that were skipped, and with what would let them run."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TESTS = """
import pytest
from tests.programs import program

@pytest.mark.parametrize("word", ["one", "two"])
def test_it_speaks(word): program("flite")

def test_it_rings(): program("baresip")

def test_it_runs(): pass
"""


def run(folder: Path, workers: int, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_programs.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.skips", f"--numprocesses={workers}"]
    return subprocess.run(  # noqa: S603 - our own interpreter
        [*command, "--rootdir", str(folder), str(folder)],
        cwd=ROOT,
        env={"PATH": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_the_last_lines_name_each_missing_program_and_its_tests(
    tmp_path: Path, workers: int
) -> None:
    done = run(tmp_path, workers)
    assert done.returncode == 0, done.stdout
    counts, heading, *last = done.stdout.splitlines()[-6:]
    assert "1 passed, 3 skipped" in counts
    assert "3 skipped" in heading
    assert last == [
        "baresip is not on the PATH; install it (Debian: apt install baresip-core):",
        "  test_programs.py::test_it_rings",
        "flite is not on the PATH; install it (Debian: apt install flite):",
        "  test_programs.py::test_it_speaks (2)",
    ]


def test_in_ci_what_is_missing_fails(tmp_path: Path) -> None:
    done = run(tmp_path, 0, CI="true")
    assert done.returncode == 1, done.stdout
    assert "3 failed, 1 passed" in done.stdout.splitlines()[-1]
