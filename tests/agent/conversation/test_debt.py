"""What the caller is owed, and until when."""

import pytest

from agent.conversation.debt import GREETED_AFTER_MS, Debt
from agent.conversation.onset import WORD_MS, Onset
from agent.conversation.transcript import Line


@pytest.fixture
def onset() -> Onset:
    """A line on which nothing was heard yet."""
    return Onset()


@pytest.fixture
def debt(onset: Onset) -> Debt:
    """Of a new conversation."""
    return Debt(onset, greeted=False, lines=())


def line(role: str, heard: str) -> Line:
    return Line(1, "caller" if role == "caller" else "agent", "A room.", heard, 0, 1)


def test_a_greeting_is_given_once(debt: Debt) -> None:
    assert not debt.heard(GREETED_AFTER_MS - 1)
    assert debt.heard(GREETED_AFTER_MS)
    assert not debt.heard(GREETED_AFTER_MS)
    assert debt.greeted


def test_a_click_makes_a_caller_wait_and_is_no_word(debt: Debt, onset: Onset) -> None:
    onset.sounded(1_000, 20)
    assert debt.caller_waits
    assert not debt.speech


def test_a_word_is_owed_an_answer_until_one_has_come(debt: Debt, onset: Onset) -> None:
    for now_ms in range(1_000, 1_000 + WORD_MS, 20):
        onset.sounded(now_ms, 20)
    assert debt.speech
    debt.answered(2_000)
    assert (debt.caller_waits, debt.speech) == (False, False)


def test_what_is_said_after_an_answer_began_is_owed_one_of_its_own(
    debt: Debt, onset: Onset
) -> None:
    for now_ms in range(1_000, 2_000, 20):
        onset.sounded(now_ms, 20)
    debt.answered(1_500)
    assert debt.speech
    debt.answered(1_900)
    assert (debt.caller_waits, debt.speech) == (True, False)


def test_what_we_asked_for_is_owed_until_it_begins(debt: Debt) -> None:
    debt.ask()
    debt.left_in_the_middle()
    assert debt.speech
    debt.reply_began()
    assert (debt.speech, debt.rest) == (False, False)


def test_nobody_wants_the_rest_of_what_was_talked_over(debt: Debt) -> None:
    debt.left_in_the_middle()
    debt.cut()
    assert not debt.rest


@pytest.mark.parametrize(
    ("role", "heard", "owed"),
    [("caller", "A room.", True), ("agent", "A", True), ("agent", "A room.", False)],
)
def test_a_question_that_another_worker_left_is_open(
    onset: Onset, role: str, heard: str, owed: bool
) -> None:
    debt = Debt(onset, greeted=True, lines=[line(role, heard)])
    assert debt.open_question is owed
    debt.answered(1)
    assert not debt.open_question
