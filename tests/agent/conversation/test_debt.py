"""What the caller is owed, and until when."""

import pytest

from agent.conversation.debt import GREETED_AFTER_MS, QUESTION_MS, Debt
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


@pytest.mark.parametrize(
    ("greeted", "wordless", "heard", "broken_off"),
    [
        (True, False, None, True),
        (True, True, None, False),
        (False, False, None, False),
        (True, False, "A room.", False),
        (True, False, "A", True),
    ],
)
def test_a_greeting_that_was_broken_off_is_owed_its_end_and_is_no_question(
    onset: Onset, heard: str | None, *, greeted: bool, wordless: bool, broken_off: bool
) -> None:
    lines = () if heard is None else (line("agent", heard),)
    debt = Debt(onset, greeted=greeted, wordless=wordless, lines=lines)
    assert (debt.greeting_left, debt.open_question) == (broken_off, False)
    assert debt.owes is broken_off
    debt.answered(1)
    assert not debt.owes


def speaks(debt: Debt, from_ms: int, ms: int) -> None:
    for now_ms in range(from_ms + 20, from_ms + ms + 1, 20):
        debt.caller_spoke(now_ms, 20)


@pytest.mark.parametrize(
    ("ms", "waits", "sure"),
    [
        (WORD_MS - 20, False, False),
        (WORD_MS, True, False),
        (QUESTION_MS - 20, True, False),
        (QUESTION_MS, True, True),
    ],
)
def test_the_longer_a_caller_was_heard_the_surer_it_is_that_an_answer_is_owed(
    debt: Debt, ms: int, waits: bool, sure: bool
) -> None:
    speaks(debt, 1_000, ms)
    assert (debt.caller_waits, debt.sure) == (waits, sure)


def test_what_the_model_was_told_of_is_owed_however_short_it_was(debt: Debt) -> None:
    speaks(debt, 1_000, WORD_MS)
    debt.caller_finished()
    assert (debt.caller_waits, debt.sure) == (True, True)


def test_an_answer_is_owed_until_one_has_come(debt: Debt) -> None:
    speaks(debt, 1_000, QUESTION_MS)
    debt.caller_finished()
    debt.answered(2_000)
    assert (debt.caller_waits, debt.sure) == (False, False)


def test_what_is_said_after_an_answer_began_is_owed_one_of_its_own(
    debt: Debt,
) -> None:
    speaks(debt, 1_000, 2_000)
    debt.answered(2_000)
    assert (debt.caller_waits, debt.sure) == (True, True)
    debt.answered(2_900)
    assert (debt.caller_waits, debt.sure) == (False, False)


def test_what_we_asked_for_is_owed_until_it_can_be_heard(debt: Debt) -> None:
    debt.ask()
    debt.left_in_the_middle()
    assert debt.sure
    debt.reply_sounds()
    assert (debt.sure, debt.rest) == (False, False)


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
    debt = Debt(onset, greeted=True, lines=[line("agent", "A room."), line(role, heard)])
    assert debt.open_question is owed
    debt.answered(1)
    assert not debt.open_question
