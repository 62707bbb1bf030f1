"""What is missing of a caller's media, and what comes too late, by Twilio's timestamps."""

import pytest

from telephony.call.gaps import LOSS_LIMIT_MS, Gaps
from telephony.call.idling import Idling

FRAME = 160
BEGIN_MS = 117
"""Twilio's timestamps do not begin at 0."""


@pytest.fixture
def gaps() -> Gaps:
    """A stream whose first frame has come."""
    begun = Gaps(Idling())
    assert begun.before(BEGIN_MS, FRAME) == 0
    return begun


def placed(gaps: Gaps, *frames: int) -> list[int | None]:
    """What is missing before each of these frames, which are counted from 0."""
    return [gaps.before(BEGIN_MS + 20 * n, FRAME) for n in frames]


def test_what_comes_in_order_lacks_nothing(gaps: Gaps) -> None:
    assert placed(gaps, 1, 2, 3) == [0, 0, 0]


def test_timestamps_that_wobble_are_no_losses_and_do_not_add_up(gaps: Gaps) -> None:
    at_ms = [BEGIN_MS + 20 * n + (n % 3 - 1) for n in range(1, 200)]
    assert {gaps.before(ms, FRAME) for ms in at_ms} == {0}


def test_a_lost_frame_is_missing_before_the_next(gaps: Gaps) -> None:
    assert placed(gaps, 2, 3, 6) == [FRAME, 0, 2 * FRAME]


def test_what_comes_after_its_time_was_filled_is_left_out(gaps: Gaps) -> None:
    assert placed(gaps, 3, 1, 2, 4) == [2 * FRAME, None, None, 0]


def test_a_long_gap_is_a_pause_in_which_nothing_was_sent(gaps: Gaps) -> None:
    frames = LOSS_LIMIT_MS // 20
    assert placed(gaps, 1 + frames) == [frames * FRAME]
    assert placed(gaps, 3 + 2 * frames) == [0]


def test_what_was_filled_already_is_not_missing(gaps: Gaps) -> None:
    gaps.filled(5 * FRAME)
    assert placed(gaps, 6) == [0]


def test_what_was_filled_for_something_that_was_only_late_counts_for_no_loss(gaps: Gaps) -> None:
    gaps.filled(5 * FRAME)
    assert placed(gaps, 1, 3) == [0, FRAME]


@pytest.mark.parametrize("step_ms", [0, -20])
def test_a_caller_whose_timestamps_make_no_sense_is_heard_all_the_same(
    gaps: Gaps, step_ms: int
) -> None:
    assert {gaps.before(BEGIN_MS + step_ms * n, FRAME) for n in range(1, 500)} == {0}
