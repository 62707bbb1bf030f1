"""The mutation check itself: it sees what differs, and takes nothing else for it."""

from dataclasses import replace

import pytest

from tests.mutants.judges import by_replays
from tests.mutants.plant import Mutant, PatchError, check, mutants, planted

MUTANTS = {mutant.name: mutant for mutant in mutants()}


def test_without_a_fault_every_recorded_call_replays_equal() -> None:
    with planted(None) as copy:
        assert by_replays(copy) == ""


def test_a_planted_fault_is_seen() -> None:
    with planted(MUTANTS["01-no-clear"]) as copy:
        assert ".call, expected clears 1, got 0" in by_replays(copy)


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
