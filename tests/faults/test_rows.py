"""Every row of the fault table, each thing once: `make faults` takes the full numbers."""

from dataclasses import replace

import pytest

from telephony.simulator.ear import Turn
from telephony.simulator.report import Silence, never_rang
from tests.faults.elsewhere import ALL_ROWS, ELSEWHERE, Elsewhere
from tests.faults.figures import gaps
from tests.faults.repeated import REPEATED
from tests.faults.table import SMALLEST, Figure, Row, all_rows, at_least, at_most, exactly
from tests.places import there

REPORT = never_rang("", seed=0)

ROWS = [row for row in all_rows() if row.small and row.number not in REPEATED]


@pytest.mark.parametrize("number", sorted({row.number for row in ROWS}))
def test_a_fault_costs_no_more_than_is_demanded(number: int) -> None:
    for row in ROWS:
        if row.number == number:
            assert_row(row)


def assert_row(row: Row) -> None:
    figures = list(row.measure(SMALLEST))
    assert figures
    assert [figure for figure in figures if figure.failed] == []
    assert not row.beside or not any(figure.wall_time for figure in figures)


def test_each_row_is_measured_or_said_to_be_somewhere_else() -> None:
    measured = {row.number for row in all_rows()}
    assert sorted([*measured, *(row.number for row in ELSEWHERE)]) == list(ALL_ROWS)


def test_a_row_in_virtual_time_says_what_it_costs() -> None:
    assert not any(row.beside and row.virtual for row in all_rows())
    assert all(row.cost_s for row in all_rows() if row.virtual)


@pytest.mark.parametrize("row", [pytest.param(row, id=str(row.number)) for row in ELSEWHERE])
def test_a_row_that_is_tested_somewhere_else_is_found_there(row: Elsewhere) -> None:
    assert row.places or row.lacks.startswith("not built yet: ")
    assert [place for place in row.places if not there(place)] == []


def test_a_row_that_is_left_to_other_tests_is_found_there() -> None:
    assert REPEATED.keys() <= {row.number for row in all_rows()}
    places = [place for places in REPEATED.values() for place in places]
    assert [place for place in places if not there(place)] == []


def test_a_silence_is_a_gap_however_long_unless_the_caller_was_heard_in_it() -> None:
    turns = (Turn(100, 900), Turn(1_900, 4_000, response_ms=600))
    silences = tuple(Silence(at_ms, ms, False) for at_ms, ms in ((900, 1_000), (2_000, 700)))
    assert gaps(replace(REPORT, turns=turns, silences=silences)) == [silences[1]]


@pytest.mark.parametrize(
    ("figure", "short", "failed"),
    [
        (Figure("lost", 0, exactly(0)), False, False),
        (Figure("lost", 1, exactly(0)), True, True),
        (Figure("gap", 200, at_most(200)), False, False),
        (Figure("gap", 201, at_most(200)), True, True),
        (Figure("gap", 201, at_most(200), "ms", wall_time=True), True, False),
        (Figure("gap", 201, at_most(200), known="said anew"), True, False),
        (Figure("resumed", 99.5, at_least(100)), True, True),
        (Figure("resumed", 100, at_least(100)), False, False),
        (Figure("calls", 20, None), False, False),
    ],
)
def test_a_figure_falls_short_of_its_demand(figure: Figure, short: bool, failed: bool) -> None:
    assert (figure.short, figure.failed) == (short, failed)


def test_a_count_is_no_wall_time() -> None:
    with pytest.raises(ValueError, match="a count is never a wall time, got 'calls dropped'"):
        Figure("calls dropped", 1, exactly(0), wall_time=True)
