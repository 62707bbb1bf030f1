"""A sample of the ear's corpus: who talks over the agent is heard at once, and a cough, an "mhm", a
television, a room and an echo stop it for a moment at most. `python -m tests.benchmarks.ear` hears
all of it.
"""

from functools import cache

import pytest

from tests.benchmarks.ear.corpus import KINDS, Case, corpus
from tests.benchmarks.ear.measure import noticed

PAUSE_MS = 700
"""So long a cough may hold the agent."""


@cache
def sample() -> dict[str, Case]:
    """One case of each kind, whose turn is over at the server: there the ear alone decides."""
    found: dict[str, Case] = {}
    for case in corpus():
        if case.over:
            found.setdefault(case.kind, case)
    return found


def test_there_is_a_case_of_each_kind() -> None:
    assert tuple(sample()) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_quick_agent_stops_for_a_caller_and_for_nothing_else(kind: str) -> None:
    case = sample()[kind]
    told = noticed(case, "quick")
    assert told.dropped is case.barge_in
    assert told.lost_ms == 0
    if case.barge_in:
        assert told.holds > 0
    elif case.at_ms is None:
        assert told.holds == 0
    else:
        assert max(told.pauses_ms, default=0) <= PAUSE_MS


@pytest.mark.parametrize("kind", [each for each in KINDS if not each.startswith("barge-in")])
def test_a_patient_agent_speaks_through_all_that_is_none(kind: str) -> None:
    assert noticed(sample()[kind], "patient").holds == 0
