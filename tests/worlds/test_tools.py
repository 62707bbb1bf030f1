"""Tools in whole calls: whatever the caller, the session and the worker do, every result is told
and no act runs twice. `python -m tests.worlds.tools` plays all cases and prints their table.
"""

from random import Random

import pytest

from tests.worlds.tools import (
    HAPPENS,
    LONGEST_SILENCE_MS,
    SCHEDULINGS,
    Case,
    cases,
    longest_silence_ms,
    problems,
    table,
)

PLAYED = 16
"""How many of the cases are played, chosen by a seed."""


def test_no_result_is_lost_and_no_act_runs_twice() -> None:
    chosen = Random(15).sample(cases(), PLAYED)
    assert {case.happens for case in chosen} == set(HAPPENS)
    assert {case.scheduling for case in chosen} == set(SCHEDULINGS)
    found = [(case, problems(case)) for case in chosen]
    assert {case: problem for case, (_, problem) in found if problem} == {}


@pytest.mark.parametrize("takes_ms", [5_000, 60_000])
def test_while_a_tool_runs_the_caller_never_hears_nothing_for_long(takes_ms: int) -> None:
    assert longest_silence_ms(takes_ms) <= LONGEST_SILENCE_MS


def test_the_table_counts_what_is_lost_and_what_ran_twice() -> None:
    case = Case("talks", scheduling="SILENT")
    _, line = table([(case, ("said", [])), (case, ("LOST", ["LOST", "TWICE"]))])
    assert line.split()[:5] == ["NON_BLOCKING", "SILENT", "talks", "2", "1"]
    assert line.split()[5:] == ["1", "LOST", "1,", "said", "1"]
