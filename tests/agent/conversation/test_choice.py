"""Which of two models is asked, and what becomes of handles and waits."""

from random import Random

import pytest

from agent.conversation.choice import FAILING_MS, FAILURES, Choice
from agent.conversation.commands import GiveUp, Impasse
from agent.conversation.events import SessionRefused
from agent.conversation.resumption import AWAY, Attempt, Resumption

DOWN = SessionRefused(1, 1011, "Internal error encountered.")


def two_models(handle: str = "") -> Resumption:
    """A conversation that may fall back."""
    return Resumption(Random(1), handle, Choice(two=True))


def test_with_one_model_there_is_nothing_to_turn_to() -> None:
    choice = Choice()
    assert not any(choice.failed(at_ms, stays_away=True) for at_ms in range(0, 9_000, 1_000))
    assert not choice.unfit()
    assert not choice.fallback


def test_a_model_that_failed_often_enough_is_left_and_so_is_the_other_then() -> None:
    choice = Choice(two=True)
    assert [choice.failed(0) for _ in range(2 * FAILURES)] == 2 * [False, False, True]
    assert not choice.fallback


def test_a_model_that_fails_slowly_is_left_after_a_while() -> None:
    choice = Choice(two=True)
    assert not choice.failed(0)
    assert choice.failed(FAILING_MS)


def test_an_answer_starts_the_count_anew() -> None:
    choice = Choice(two=True)
    choice.failed(0)
    choice.failed(0)
    choice.settled()
    assert not choice.failed(FAILING_MS)


def test_the_fallback_is_asked_without_a_wait_and_without_the_others_handle() -> None:
    resumption = two_models("h1")
    resumption.left(0, 60_000, spoke=False)
    assert resumption.refused(DOWN, 10) == Attempt("", 0)  # the handle alone may be at fault
    attempts = [resumption.refused(DOWN, at_ms) for at_ms in (20, 30, 40)]
    assert [one.fallback for one in attempts if isinstance(one, Attempt)] == [False, False, True]
    assert attempts[-1] == Attempt("", 0, fallback=True)
    resumption.handed_out("h2")
    resumption.settled()
    assert resumption.left(90_000, 60_000, spoke=False) == Attempt("h2", 0, fallback=True)


@pytest.mark.parametrize(
    "refused",
    [
        SessionRefused(1, 429, "Resource has been exhausted"),
        SessionRefused(1, 503, "Service Unavailable", 30_000),
        SessionRefused(1, 404, "models/gone is not found"),
    ],
    ids=["no room", "asks for a wait", "does not exist"],
)
def test_a_model_that_is_known_to_stay_away_is_left_at_once(refused: SessionRefused) -> None:
    assert two_models().refused(refused, 0) == Attempt("", 0, fallback=True)


def test_what_neither_model_takes_is_given_up() -> None:
    resumption = two_models()
    refused = SessionRefused(1, 403, "API key not valid")
    assert resumption.refused(refused, 0) == Attempt("", 0, fallback=True)
    assert resumption.refused(refused, 100) == GiveUp(Impasse.MODEL_REFUSED)


def test_a_name_that_is_not_found_is_the_same_for_both() -> None:
    refused = SessionRefused(1, 0, "no name", unreachable=True)
    resumption, now_ms = two_models(), 0
    while isinstance(then := resumption.refused(refused, now_ms), Attempt):
        assert not then.fallback
        now_ms += then.wait_ms
    assert then == GiveUp(Impasse.MODEL_UNREACHABLE)


def test_when_both_are_down_waits_grow_and_the_budget_ends_it() -> None:
    resumption, now_ms, asked = two_models(), 0, list[bool]()
    while isinstance(then := resumption.refused(DOWN, now_ms), Attempt):
        asked.append(then.fallback)
        now_ms += then.wait_ms
    assert then == GiveUp(Impasse.MODEL_UNAVAILABLE)
    assert {True, False} == set(asked)
    assert now_ms <= AWAY.budget_ms
    assert len(asked) < 20
