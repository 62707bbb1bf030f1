"""The next attempt: which handle, how long to wait, when to give up."""

from random import Random

import pytest

from agent.conversation.choice import Choice
from agent.conversation.commands import GiveUp, Impasse
from agent.conversation.events import SessionLost, SessionRefused
from agent.conversation.resumption import (
    AWAY,
    HALVES,
    MAX_BACKOFF_MS,
    QUOTA,
    STABLE_AFTER_MS,
    UNREACHABLE,
    Attempt,
    Patience,
    Resumption,
)

LONG_MS = STABLE_AFTER_MS
RESET = SessionLost(1, 1006, "connection reset")
FRESH_AT_ONCE = Attempt("", 0)
OVER_QUOTA = "RESOURCE_EXHAUSTED: Maximum concurrent sessions exceeded."


def refusal(code: int, retry_after_ms: int | None = None, reason: str = "no") -> SessionRefused:
    """An answer to the only session there is."""
    return SessionRefused(1, code, reason, retry_after_ms)


def lost(
    resumption: Resumption,
    now_ms: int,
    lived_ms: int,
    loss: SessionLost = RESET,
    *,
    resumed: bool = True,
    spoke: bool = False,
) -> Attempt | GiveUp:
    """The session is gone."""
    return resumption.lost(loss, now_ms, lived_ms, resumed=resumed, spoke=spoke)


def wait_ms(then: Attempt | GiveUp) -> int:
    """How long before the next attempt; there has to be one."""
    assert isinstance(then, Attempt)
    return then.wait_ms


def live(resumption: Resumption, refused: SessionRefused) -> tuple[list[int], GiveUp]:
    """Refuse every attempt at once. Returns the waits, and how it ended."""
    now_ms, waits = 0, list[int]()
    while isinstance(then := resumption.refused(refused, now_ms), Attempt):
        waits.append(then.wait_ms)
        now_ms += then.wait_ms
    return waits, then


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
    assert lost(resumable, 1_000, LONG_MS) == Attempt("h2", 0)


@pytest.mark.parametrize("code", [1007, 1008, 1011])
def test_a_handle_that_is_refused_is_dropped_at_once(resumable: Resumption, code: int) -> None:
    assert lost(resumable, 0, LONG_MS) == Attempt("h1", 0)
    assert resumable.refused(refusal(code), 10) == FRESH_AT_ONCE
    assert resumable.handle == ""


MISTAKES = (
    "models/gemini-9-live is not found for API version v1beta, or is not supported for bidiGener",
    "Your API key was reported as leaked. Please use another API key.",
    "API key expired. Please renew the API key.",
    "Operation is not implemented, or supported, or enabled.",
)
PASSING = (
    "The operation was aborted.",
    "BidiGenerateContent session not found",
    "Requested entity was not found.",
    "",
)


@pytest.mark.parametrize("reason", MISTAKES)
def test_a_close_1008_that_names_a_mistake_of_ours_is_given_up_at_once(
    fresh: Resumption, resumable: Resumption, reason: str
) -> None:
    for either in (fresh, resumable):
        assert either.refused(refusal(1008, reason=reason), 0) == GiveUp(Impasse.MODEL_REFUSED)


@pytest.mark.parametrize("reason", MISTAKES)
def test_a_close_1008_that_names_a_mistake_turns_to_the_second_model(reason: str) -> None:
    two = Resumption(Random(1), choice=Choice(two=True))
    assert two.refused(refusal(1008, reason=reason), 0) == Attempt("", 0, fallback=True)


@pytest.mark.parametrize("reason", PASSING)
def test_any_other_close_1008_is_tried_again(
    fresh: Resumption, resumable: Resumption, reason: str
) -> None:
    assert isinstance(fresh.refused(refusal(1008, reason=reason), 0), Attempt)
    assert resumable.refused(refusal(1008, reason=reason), 0) == FRESH_AT_ONCE


@pytest.mark.parametrize("code", [1007, 400, 401, 403, 404])
def test_what_asking_again_cannot_help_is_given_up_at_once(fresh: Resumption, code: int) -> None:
    assert fresh.refused(refusal(code), 0) == GiveUp(Impasse.MODEL_REFUSED)


def test_waiting_grows_up_to_a_limit_and_ends_with_the_budget(fresh: Resumption) -> None:
    waits, end = live(fresh, refusal(1011))
    assert end == GiveUp(Impasse.MODEL_UNAVAILABLE)
    assert sum(waits) <= AWAY.budget_ms
    assert len(waits) >= 5
    limits = [min(MAX_BACKOFF_MS, 250 * 2**i) for i in range(len(waits))]
    assert all(wait <= limit for wait, limit in zip(waits, limits, strict=True))


@pytest.mark.parametrize("refused", [refusal(429), refusal(1011, reason=OVER_QUOTA)])
@pytest.mark.parametrize("seed", range(50))
def test_a_full_quota_is_asked_three_times_and_no_caller_waits_long_for_it(
    refused: SessionRefused, seed: int
) -> None:
    waits, end = live(Resumption(Random(seed), "h1"), refused)
    assert end == GiveUp(Impasse.MODEL_QUOTA)
    assert len(waits) <= QUOTA.attempts - 1
    assert sum(waits) <= QUOTA.budget_ms


def test_a_full_quota_at_the_end_of_an_outage_is_asked_again(fresh: Resumption) -> None:
    for at_ms in range(0, 6_000, 1_000):
        fresh.refused(refusal(1011), at_ms)
    assert isinstance(fresh.refused(refusal(429), 6_000), Attempt)


@pytest.mark.parametrize("seed", range(50))
def test_what_cannot_be_reached_is_given_up_soon(seed: int) -> None:
    waits, end = live(Resumption(Random(seed)), SessionRefused(1, 0, "no name", unreachable=True))
    assert end == GiveUp(Impasse.MODEL_UNREACHABLE)
    assert len(waits) >= 2
    assert sum(waits) <= UNREACHABLE.budget_ms


def test_a_thousand_calls_do_not_come_back_in_one_instant() -> None:
    firsts = []
    for seed in range(1000):
        resumption = Resumption(Random(seed))
        resumption.refused(refusal(1011), 0)
        firsts.append(wait_ms(resumption.refused(refusal(1011), 10)))
    assert max(firsts.count(wait) for wait in set(firsts)) < 20


def test_the_same_seed_waits_the_same() -> None:
    runs = []
    for _ in range(2):
        resumption = Resumption(Random(7))
        runs.append([resumption.refused(refusal(1011), 0) for _ in range(6)])
    assert runs[0] == runs[1]


def test_who_is_asked_to_wait_waits_and_not_all_for_the_same_time() -> None:
    waits = {
        wait_ms(Resumption(Random(seed)).refused(refusal(503, 3_000), 0)) for seed in range(50)
    }
    assert 3_000 <= min(waits) < max(waits) <= 3_250


def test_who_is_asked_to_wait_waits_also_with_a_handle(resumable: Resumption) -> None:
    lost(resumable, 0, LONG_MS)
    assert wait_ms(resumable.refused(refusal(503, 3_000), 10)) >= 3_000


@pytest.mark.parametrize(("code", "rule"), [(503, AWAY), (429, QUOTA)])
def test_who_would_have_to_wait_beyond_the_budget_gives_up(
    fresh: Resumption, code: int, rule: Patience
) -> None:
    assert fresh.refused(refusal(code, rule.budget_ms + 1), 0) == GiveUp(rule.reason)


def test_a_session_that_is_lost_again_soon_waits_before_the_next(resumable: Resumption) -> None:
    assert lost(resumable, 0, LONG_MS) == Attempt("h1", 0)
    again = [lost(resumable, i * 100, 50, resumed=False) for i in range(1, 6)]
    assert any(wait_ms(attempt) > 0 for attempt in again)


@pytest.mark.parametrize("code", [1006, 1007, 1008, 1011])
def test_a_handle_whose_session_dies_at_once_is_left(resumable: Resumption, code: int) -> None:
    lost(resumable, 0, LONG_MS)
    assert lost(resumable, 300, 50, SessionLost(1, code, "no")) == FRESH_AT_ONCE


def test_a_session_that_spoke_is_resumed_however_soon_it_was_lost(resumable: Resumption) -> None:
    for n in range(HALVES):
        assert lost(resumable, n * 2_000, 1_500, spoke=True) == Attempt("h1", 0)
    waits = [wait_ms(lost(resumable, 9_000 + n, 1_500, spoke=True)) for n in range(6)]
    assert max(waits) > 0


def test_a_reason_counts_also_where_it_comes_after_the_setup(resumable: Resumption) -> None:
    wrong = SessionLost(1, 1008, "models/x is not found for API version v1beta")
    assert lost(resumable, 0, 50, wrong) == GiveUp(Impasse.MODEL_REFUSED)
    quota = SessionLost(1, 1011, OVER_QUOTA)
    waits = [lost(resumable, n * 100, 50, quota) for n in range(QUOTA.attempts)]
    assert waits[-1] == GiveUp(Impasse.MODEL_QUOTA)


def test_after_a_stable_session_counting_begins_anew(resumable: Resumption) -> None:
    lost(resumable, 0, LONG_MS)
    lost(resumable, 100, 50)
    resumable.handed_out("h2")
    assert lost(resumable, 60_000, STABLE_AFTER_MS) == Attempt("h2", 0)


def test_after_an_answer_counting_begins_anew(resumable: Resumption) -> None:
    lost(resumable, 0, LONG_MS)
    lost(resumable, 100, 50)
    resumable.settled()
    resumable.handed_out("h2")
    assert lost(resumable, 5_000, 4_000, spoke=True) == Attempt("h2", 0)


def test_an_answered_turn_ends_the_outage_for_the_budget_too(fresh: Resumption) -> None:
    assert wait_ms(fresh.refused(refusal(1011), 0)) >= 0
    fresh.settled()
    assert wait_ms(fresh.refused(refusal(1011), AWAY.budget_ms * 2)) >= 0
