"""The mutation check itself: it sees what differs, and takes nothing else for it."""

import re
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.faults.repeated import REPEATED
from tests.mutants.judges import CrashError, by_replays, by_tests
from tests.mutants.plant import Mutant, PatchError, check, mutants, planted
from tests.places import there

MUTANTS = {mutant.name: mutant for mutant in mutants()}


def test_a_planted_fault_is_seen_and_without_one_the_calls_replay_equal() -> None:
    with planted(None) as copy:
        assert by_replays(copy, "barge-in-*") == ""
    with planted(MUTANTS["01-no-clear"]) as copy:
        assert ".call, expected clears 1, got 0" in by_replays(copy, "barge-in-*")


JUDGES = "tests/telephony/call/test_talk_over.py"


def test_the_tests_that_a_patch_names_see_its_fault_and_nothing_else() -> None:
    mutant = MUTANTS["193-noise-holds-on"]
    assert mutant.tests == [JUDGES]
    with planted(None) as copy:
        assert by_tests(copy, mutant.tests) == ""
        with pytest.raises(CrashError, match="no tests ran"):
            by_tests(copy, [f"{JUDGES}::test_that_is_not_there"])
    with planted(mutant) as copy:
        assert f"FAILED {JUDGES}::test_" in by_tests(copy, mutant.tests)


def test_a_patch_that_does_not_fit_is_refused() -> None:
    mutant = MUTANTS["01-no-clear"]
    stale = replace(mutant, patch=mutant.patch.replace("SendClear", "SendNothing"))
    with pytest.raises(PatchError, match="patch does not apply"), planted(stale):
        pass


def stale(mutant: Mutant) -> str:
    """Why a patch does not apply; "" if it does."""
    try:
        check(mutant)
    except PatchError as error:
        return str(error)
    return ""


def test_every_patch_applies() -> None:
    whys = {name: stale(mutant) for name, mutant in MUTANTS.items()}
    assert {name: why for name, why in whys.items() if why} == {}


def test_every_patch_says_what_breaks() -> None:
    assert [name for name, mutant in MUTANTS.items() if not mutant.reason.endswith(".")] == []


def test_every_test_that_a_patch_names_is_there() -> None:
    assert [test for mutant in MUTANTS.values() for test in mutant.tests if not there(test)] == []


def test_pytest_finds_every_test_that_a_patch_names_with_its_parameters() -> None:
    named = sorted({test for mutant in MUTANTS.values() for test in mutant.tests})
    options = ("--collect-only", "-q", "-p", "no:cacheprovider", "-n", "0", "--color=no")
    command = [sys.executable, "-m", "pytest", *options, *named]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert found.returncode == 0, found.stderr or found.stdout


def test_no_patch_is_judged_by_a_row_that_is_left_out_of_these_tests() -> None:
    rows = {
        name: int(row[1])
        for name, mutant in MUTANTS.items()
        for test in mutant.tests
        if (row := re.search(r"test_rows.py::.*\[(\d+)\]$", test)) is not None
    }
    assert [name for name, number in rows.items() if number in REPEATED] == []
