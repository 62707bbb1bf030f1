"""When a session that still works is left."""

from random import Random

import pytest

from agent.conversation.renewal import (
    GO_AWAY_MARGIN_MS,
    RENEW_BY_MS,
    RENEW_FROM_MS,
    YOUNG_MS,
    Renewal,
)
from agent.conversation.resumption import Attempt, Resumption

MINUTE_MS = 60_000
BEGAN_MS = 5_000


@pytest.fixture
def renewal() -> Renewal:
    """Of a session that began at `BEGAN_MS` and can be resumed."""
    renewal = Renewal()
    renewal.started(BEGAN_MS)
    renewal.resumable(True)
    return renewal


def told_to_go(renewal: Renewal, now_ms: int, time_left_ms: int) -> None:
    """The server will end the session that began at `BEGAN_MS`."""
    renewal.told_to_go(now_ms, time_left_ms, now_ms - BEGAN_MS)


def test_the_figures_leave_a_minute_to_the_servers_ten() -> None:
    assert RENEW_FROM_MS == 8 * MINUTE_MS
    assert RENEW_FROM_MS < RENEW_BY_MS < 9 * MINUTE_MS


def test_without_a_session_there_is_nothing_to_renew(renewal: Renewal) -> None:
    renewal.stopped()
    assert renewal.deadline_ms() is None
    assert not renewal.due(BEGAN_MS + 20 * MINUTE_MS, pause=True)


def test_at_eight_minutes_a_pause_is_taken(renewal: Renewal) -> None:
    assert renewal.deadline_ms() == BEGAN_MS + RENEW_FROM_MS
    assert not renewal.due(BEGAN_MS + RENEW_FROM_MS - 1, pause=True)
    assert renewal.due(BEGAN_MS + RENEW_FROM_MS, pause=True)


def test_without_a_pause_it_waits_until_it_must(renewal: Renewal) -> None:
    assert not renewal.due(BEGAN_MS + RENEW_FROM_MS, pause=False)
    assert renewal.deadline_ms() == BEGAN_MS + RENEW_BY_MS
    assert not renewal.due(BEGAN_MS + RENEW_BY_MS - 1, pause=False)
    assert renewal.due(BEGAN_MS + RENEW_BY_MS, pause=False)


def test_a_pause_that_cannot_be_resumed_from_is_let_pass(renewal: Renewal) -> None:
    renewal.resumable(False)
    assert not renewal.due(BEGAN_MS + RENEW_FROM_MS, pause=True)
    assert renewal.due(BEGAN_MS + RENEW_BY_MS, pause=True)


@pytest.mark.parametrize(
    ("time_left_ms", "forced_after_ms"),
    [(50_000, 40_000), (20_000, 10_000), (10_000, 5_000), (1_000, 500), (0, 0)],
)
def test_a_warning_is_heeded_at_the_next_pause_or_by_the_time_left(
    renewal: Renewal, time_left_ms: int, forced_after_ms: int
) -> None:
    assert min(GO_AWAY_MARGIN_MS, time_left_ms // 2) == time_left_ms - forced_after_ms
    now_ms = BEGAN_MS + MINUTE_MS
    told_to_go(renewal, now_ms, time_left_ms)
    assert renewal.due(now_ms, pause=True)
    assert renewal.due(now_ms, pause=False) is (forced_after_ms == 0)
    assert renewal.deadline_ms() == now_ms + forced_after_ms
    assert renewal.due(now_ms + forced_after_ms, pause=False)


def test_a_warning_never_puts_a_renewal_off(renewal: Renewal) -> None:
    told_to_go(renewal, BEGAN_MS + RENEW_FROM_MS, 30 * MINUTE_MS)
    assert renewal.due(BEGAN_MS + RENEW_BY_MS, pause=False)


def test_a_second_warning_may_only_shorten_the_first(renewal: Renewal) -> None:
    told_to_go(renewal, BEGAN_MS, 50_000)
    told_to_go(renewal, BEGAN_MS + 1_000, 300_000)
    assert renewal.due(BEGAN_MS + 40_000, pause=False)


def test_a_new_session_has_its_own_eight_minutes(renewal: Renewal) -> None:
    told_to_go(renewal, BEGAN_MS, 50_000)
    renewal.stopped()
    renewal.started(BEGAN_MS + MINUTE_MS)
    renewal.resumable(True)
    assert renewal.deadline_ms() == BEGAN_MS + MINUTE_MS + RENEW_FROM_MS
    assert not renewal.due(BEGAN_MS + 2 * MINUTE_MS, pause=True)


@pytest.mark.parametrize(
    ("age_ms", "left_ms", "from_ms"),
    [
        (1_000, 300_000, 240_000),
        (1_000, 50_000, 12_500),
        (1_000, 9_000, 2_250),
        (YOUNG_MS, 50_000, 0),
        (YOUNG_MS, 300_000, 240_000),
    ],
)
def test_a_warning_is_no_order(renewal: Renewal, age_ms: int, left_ms: int, from_ms: int) -> None:
    renewal.resumable(True)
    told_ms = BEGAN_MS + age_ms
    told_to_go(renewal, told_ms, left_ms)
    assert not renewal.due(told_ms + from_ms - 1, pause=True)
    assert renewal.due(told_ms + from_ms, pause=True)


def test_a_renewal_is_no_failure() -> None:
    resumption = Resumption(Random(1), "h1")
    assert {resumption.renewed() for _ in range(100)} == {Attempt("h1", 0)}
