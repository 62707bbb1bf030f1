"""The next attempt: which handle, how long to wait, when to give up."""

from random import Random

import pytest

from agent.conversation.resumption import (
    HANDLE_RETRY_MS,
    MAX_BACKOFF_MS,
    OUTAGE_BUDGET_MS,
    STABLE_AFTER_MS,
    Attempt,
    Resumption,
)

LONG_MS = STABLE_AFTER_MS
FRESH_AT_ONCE = Attempt("", 0)


@pytest.fixture
def fresh() -> Resumption:
    """Nothing to resume from."""
    return Resumption(Random(1))


@pytest.fixture
def resumable() -> Resumption:
    """A session that left a handle."""
    resumption = Resumption(Random(1))
    resumption.handed_out("h1")
    return resumption


def test_a_conversation_opens_at_once_with_what_it_inherited() -> None:
    assert Resumption(Random(1)).first() == FRESH_AT_ONCE
    assert Resumption(Random(1), "h1").first() == Attempt("h1", 0)


def test_a_lost_session_is_resumed_at_once_from_the_last_handle(resumable: Resumption) -> None:
    resumable.handed_out("h2")
    assert resumable.lost(1_000, LONG_MS) == Attempt("h2", 0)


def test_a_handle_that_may_still_be_in_use_is_tried_once_more_and_then_dropped(
    resumable: Resumption,
) -> None:
    assert resumable.lost(0, LONG_MS) == Attempt("h1", 0)
    assert resumable.refused(10, 1011, None) == Attempt("h1", HANDLE_RETRY_MS)
    assert resumable.refused(300, 1011, None) == FRESH_AT_ONCE
    assert resumable.handle == ""


@pytest.mark.parametrize("code", [1007, 1008])
def test_a_handle_that_is_unknown_is_dropped_at_once(resumable: Resumption, code: int) -> None:
    resumable.lost(0, LONG_MS)
    assert resumable.refused(10, code, None) == FRESH_AT_ONCE


@pytest.mark.parametrize("code", [1007, 400, 401, 403, 404])
def test_what_asking_again_cannot_help_is_given_up_at_once(fresh: Resumption, code: int) -> None:
    assert fresh.refused(0, code, None) is None


def test_waiting_grows_up_to_a_limit_and_ends_with_the_budget(fresh: Resumption) -> None:
    now_ms, waits = 0, []
    while attempt := fresh.refused(now_ms, 1011, None):
        waits.append(attempt.wait_ms)
        now_ms += attempt.wait_ms
    assert now_ms <= OUTAGE_BUDGET_MS
    assert len(waits) >= 5
    limits = [min(MAX_BACKOFF_MS, 250 * 2**i) for i in range(len(waits))]
    assert all(wait <= limit for wait, limit in zip(waits, limits, strict=True))


def test_a_thousand_calls_do_not_come_back_in_one_instant() -> None:
    firsts = []
    for seed in range(1000):
        resumption = Resumption(Random(seed))
        resumption.refused(0, 1011, None)
        attempt = resumption.refused(10, 1011, None)
        assert attempt
        firsts.append(attempt.wait_ms)
    assert max(firsts.count(wait) for wait in set(firsts)) < 20


def test_the_same_seed_waits_the_same() -> None:
    runs = []
    for _ in range(2):
        resumption = Resumption(Random(7))
        runs.append([resumption.refused(0, 1011, None) for _ in range(6)])
    assert runs[0] == runs[1]


def test_who_is_asked_to_wait_waits(fresh: Resumption) -> None:
    attempt = fresh.refused(0, 429, 3_000)
    assert attempt
    assert attempt.wait_ms == 3_000


def test_who_is_asked_to_wait_waits_also_with_a_handle(resumable: Resumption) -> None:
    resumable.lost(0, LONG_MS)
    attempt = resumable.refused(10, 429, 3_000)
    assert attempt
    assert attempt.wait_ms >= 3_000


def test_who_would_have_to_wait_beyond_the_budget_gives_up(fresh: Resumption) -> None:
    assert fresh.refused(0, 429, OUTAGE_BUDGET_MS + 1) is None


def test_a_session_that_is_lost_again_soon_waits_before_the_next(resumable: Resumption) -> None:
    assert resumable.lost(0, LONG_MS) == Attempt("h1", 0)
    again = [resumable.lost(i * 100, 50) for i in range(1, 6)]
    assert any(attempt and attempt.wait_ms > 0 for attempt in again)


def test_after_a_stable_session_counting_begins_anew(resumable: Resumption) -> None:
    resumable.lost(0, LONG_MS)
    resumable.lost(100, 50)
    assert resumable.lost(60_000, STABLE_AFTER_MS) == Attempt("h1", 0)


def test_after_an_answer_counting_begins_anew(resumable: Resumption) -> None:
    resumable.lost(0, LONG_MS)
    resumable.lost(100, 50)
    resumable.settled()
    assert resumable.lost(5_000, 4_000) == Attempt("h1", 0)


def test_an_answered_turn_ends_the_outage_for_the_budget_too(fresh: Resumption) -> None:
    assert fresh.refused(0, 1011, None)
    fresh.settled()
    assert fresh.refused(OUTAGE_BUDGET_MS * 2, 1011, None)


def test_every_new_handle_has_its_own_two_tries(resumable: Resumption) -> None:
    resumable.lost(0, LONG_MS)
    resumable.refused(10, 1011, None)
    resumable.handed_out("h2")
    resumable.lost(60_000, LONG_MS)
    assert resumable.refused(60_010, 1011, None) == Attempt("h2", HANDLE_RETRY_MS)
