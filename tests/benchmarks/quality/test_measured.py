"""What is measured again: a run that a busy machine stalled, and no other."""

from collections.abc import Iterator, Sequence

import pytest

from tests.benchmarks.quality import __main__ as command
from tests.benchmarks.quality.calls import CallSpoiltError
from tests.benchmarks.quality.figures import Figure
from tests.benchmarks.quality.measure import MOST_STALL_MS
from tests.benchmarks.quality.prompts import Prompt

GOOD, BAD = [Figure("up", "drift", 0, 0)], [Figure("up", "drift", 1, 0)]
STALLED = MOST_STALL_MS + 1

type Run = tuple[list[Figure], float] | CallSpoiltError


def measured(monkeypatch: pytest.MonkeyPatch, *runs: Run) -> tuple[list[Figure], int]:
    """The figures that count when one run after the other comes to this, and how many runs were
    not needed."""
    left: Iterator[Run] = iter(runs)

    def measure(prompts: Sequence[Prompt]) -> tuple[list[Figure], float]:
        run = next(left)
        if isinstance(run, CallSpoiltError):
            raise run
        return run

    monkeypatch.setattr(command, "measure", measure)
    return command.measured([]), len(list(left))


def test_a_figure_that_is_not_as_wanted_is_no_reason_to_measure_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert measured(monkeypatch, (BAD, MOST_STALL_MS), (GOOD, 0)) == (BAD, 1)


def test_a_call_that_broke_off_is_no_reason_to_measure_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(CallSpoiltError, match="broke off"):
        measured(monkeypatch, CallSpoiltError("broke off", MOST_STALL_MS), (GOOD, 0))


@pytest.mark.parametrize("stalled", [(GOOD, STALLED), (BAD, STALLED)])
def test_a_stall_of_the_machine_is_one_whatever_was_measured(
    monkeypatch: pytest.MonkeyPatch, stalled: Run
) -> None:
    spoilt = CallSpoiltError("broke off", STALLED)
    assert measured(monkeypatch, stalled, (BAD, 0), (GOOD, 0)) == (BAD, 1)
    assert measured(monkeypatch, spoilt, stalled, (BAD, 0)) == (BAD, 0)


def test_after_three_stalls_the_last_run_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert measured(monkeypatch, (GOOD, STALLED), (GOOD, STALLED), (BAD, STALLED)) == (BAD, 0)
