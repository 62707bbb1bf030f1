"""A sample of the ear's corpus: who talks over the agent is heard at once, and a cough, an "mhm", a
television, a room and an echo stop it for a moment at most. `python -m tests.benchmarks.ear` hears
all of it.
"""

import pytest

from tests.benchmarks.ear.corpus import Case, corpus
from tests.benchmarks.ear.measure import noticed

PAUSE_MS = 700
"""So long a cough may hold the agent."""


def sample() -> list[Case]:
    """One case of each kind, whose turn is over at the server: there the ear alone decides."""
    found: dict[str, Case] = {}
    for case in corpus():
        if case.over:
            found.setdefault(case.kind, case)
    return list(found.values())


@pytest.mark.parametrize("case", sample(), ids=lambda case: case.name)
def test_a_quick_agent_stops_for_a_caller_and_for_nothing_else(case: Case) -> None:
    told = noticed(case, "quick")
    assert told.dropped is case.barge_in
    assert told.lost_ms == 0
    if case.barge_in:
        assert told.holds > 0
    elif case.at_ms is None:
        assert told.holds == 0
    else:
        assert max(told.pauses_ms, default=0) <= PAUSE_MS


@pytest.mark.parametrize("case", [c for c in sample() if not c.barge_in], ids=lambda c: c.name)
def test_a_patient_agent_speaks_through_all_that_is_none(case: Case) -> None:
    assert noticed(case, "patient").holds == 0
