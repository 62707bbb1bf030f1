"""Every row of the fault table, each thing once: `make faults` takes the full numbers."""

import pytest

from tests.faults.table import SMALLEST, Figure, Row, all_rows, at_least, at_most, exactly

ROWS = [pytest.param(row, id=str(row.number)) for row in all_rows()]


@pytest.mark.parametrize("row", ROWS)
def test_a_fault_costs_no_more_than_is_demanded(row: Row) -> None:
    figures = row.measure(SMALLEST)
    assert figures
    assert [figure for figure in figures if figure.failed] == []


def test_a_row_stands_in_the_table_once() -> None:
    numbers = [row.number for row in all_rows()]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("figure", "short", "failed"),
    [
        (Figure("lost", 0, exactly(0)), False, False),
        (Figure("lost", 1, exactly(0)), True, True),
        (Figure("gap", 200, at_most(200)), False, False),
        (Figure("gap", 201, at_most(200)), True, True),
        (Figure("gap", 201, at_most(200), wall_time=True), True, False),
        (Figure("resumed", 99.5, at_least(100)), True, True),
        (Figure("resumed", 100, at_least(100)), False, False),
        (Figure("calls", 20, None), False, False),
    ],
)
def test_a_figure_falls_short_of_its_demand(figure: Figure, short: bool, failed: bool) -> None:
    assert (figure.short, figure.failed) == (short, failed)
