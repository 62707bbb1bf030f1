"""What a resumed session says again is told from what is new."""

import pytest

from agent.conversation.events import (
    AgentSaid,
    CallerActivityEnded,
    CallerSaid,
    GenerationComplete,
    Interrupted,
    ReplyAudio,
    TurnComplete,
    TurnEvent,
)
from agent.conversation.repetition import AT_ONCE_MS, Repetition

NOW_MS = 5_000
QUESTIONS = ("For two?", "Is it far?")
ANSWERS = ("For two, of course.", "It is a short walk.")

TURN: list[TurnEvent] = [
    CallerSaid(1, "Is it far?"),
    AgentSaid(1, "It is a "),
    ReplyAudio(1, b"\1\0"),
    AgentSaid(1, "short walk."),
    ReplyAudio(1, b"\2\0"),
    GenerationComplete(1),
    TurnComplete(1),
]
"""The last one, as it was and as it may come again."""


@pytest.fixture
def resumed() -> Repetition:
    """Of a session that was resumed after two turns."""
    repetition = Repetition()
    repetition.listens(NOW_MS, QUESTIONS, ANSWERS)
    return repetition


def sifted(repetition: Repetition, told: list[TurnEvent], at_ms: int = NOW_MS) -> list[TurnEvent]:
    return [new for event in told for new in repetition.sift(event, at_ms)]


def test_a_turn_that_comes_again_is_left_out_whole(resumed: Repetition) -> None:
    assert sifted(resumed, TURN) == []


@pytest.mark.parametrize(
    "told",
    [
        [event for event in TURN if not isinstance(event, ReplyAudio)],
        [event for event in TURN if not isinstance(event, CallerSaid)],
        [event for event in TURN if not isinstance(event, GenerationComplete)],
        [AgentSaid(1, "it is a short"), AgentSaid(1, " Walk"), TurnComplete(1)],
    ],
    ids=["words alone", "answer alone", "no generationComplete", "other punctuation"],
)
def test_it_need_not_be_whole(resumed: Repetition, told: list[TurnEvent]) -> None:
    assert sifted(resumed, told) == []


def test_what_follows_is_new_though_it_says_the_same(resumed: Repetition) -> None:
    assert sifted(resumed, TURN + TURN) == TURN


def test_what_follows_an_unclosed_repetition_is_new(resumed: Repetition) -> None:
    new: list[TurnEvent] = [CallerSaid(1, "And parking?")]
    assert sifted(resumed, TURN[:-1] + new) == new


def test_what_departs_is_let_through_whole_and_in_order(resumed: Repetition) -> None:
    told: list[TurnEvent] = [*TURN[:3], AgentSaid(1, "long walk."), ReplyAudio(1, b"\3\0")]
    assert sifted(resumed, told) == told


def test_an_answer_that_is_cut_short_is_no_repetition(resumed: Repetition) -> None:
    told = [*TURN[:3], TurnComplete(1)]
    assert sifted(resumed, told) == told


def test_an_interruption_lets_go_of_what_is_held(resumed: Repetition) -> None:
    told = [*TURN[:3], Interrupted(1)]
    assert sifted(resumed, told) == told


def test_words_of_the_caller_that_come_again_wait_for_the_answer(resumed: Repetition) -> None:
    question, answer = CallerSaid(1, "For two?"), AgentSaid(1, "Or for three?")
    assert resumed.sift(question, NOW_MS) == []
    assert resumed.sift(answer, NOW_MS + 2_000) == [question, answer]


def test_the_same_answer_after_a_thought_is_new(resumed: Repetition) -> None:
    assert sifted(resumed, TURN, NOW_MS + AT_ONCE_MS) == TURN


def test_audio_without_words_is_new(resumed: Repetition) -> None:
    assert resumed.sift(TURN[2], NOW_MS) == [TURN[2]]


def test_signs_of_activity_are_never_held(resumed: Repetition) -> None:
    ended = CallerActivityEnded(1)
    assert sifted(resumed, [*TURN[:2], ended]) == [ended]


def test_a_session_that_was_not_resumed_says_nothing_again() -> None:
    assert sifted(Repetition(), TURN) == TURN


def test_what_is_held_of_a_lost_session_is_lost(resumed: Repetition) -> None:
    sifted(resumed, TURN[:3])
    resumed.stopped()
    assert sifted(resumed, TURN[-1:]) == TURN[-1:]
