"""A reply is gone on with, whatever the model makes of being asked for the rest."""

import pytest

from agent.conversation.events import (
    AgentSaid,
    CallerSaid,
    GenerationComplete,
    Interrupted,
    ReplyAudio,
    TurnComplete,
    TurnEvent,
)
from agent.conversation.rest import Rest

SAID = "It is near. Go down to the water, and turn left."
TAKEN_BACK = " Then ask at the bridge for"


@pytest.fixture
def rest() -> Rest:
    """Of a reply that was left after `SAID`."""
    rest = Rest()
    rest.left(SAID, TAKEN_BACK)
    return rest


def spoken(text: str, word_ms: int = 300) -> list[TurnEvent]:
    """Words with their audio, each sentence followed by a silence; all of it."""
    out: list[TurnEvent] = []
    for word in text.split():
        pause = bytes(48 * 150) if word.endswith(".") else b""
        out.append(AgentSaid(1, f" {word}"))
        out.append(ReplyAudio(1, b"\x00\x10" * (24 * word_ms) + pause))
    return [*out, GenerationComplete(1), TurnComplete(1)]


def sifted(rest: Rest, told: list[TurnEvent]) -> list[TurnEvent]:
    return [new for event in told for new in rest.sift(event)]


def words(told: list[TurnEvent]) -> str:
    return "".join(event.text for event in told if isinstance(event, AgentSaid)).strip()


def audio_ms(told: list[TurnEvent]) -> float:
    return sum(len(event.pcm) / 48 for event in told if isinstance(event, ReplyAudio))


def test_the_next_words_are_let_through_at_once(rest: Rest) -> None:
    told = spoken("Then ask at the bridge for the way.")
    assert sifted(rest, told) == told
    assert not rest.holds


def test_other_words_are_let_through_at_once(rest: Rest) -> None:
    first = spoken("Behind it")[:2]
    assert rest.sift(first[0]) == first[:1]
    assert rest.sift(first[1]) == first[1:]


@pytest.mark.parametrize("again", [SAID, "Go down to the water, and turn left.", "and turn left."])
def test_what_was_said_is_left_out_from_wherever_it_begins(rest: Rest, again: str) -> None:
    new = "Then ask at the bridge."
    told = sifted(rest, spoken(f"{again} {new}"))
    assert words(told) == new
    # The half of the silence before it is kept.
    assert audio_ms(told) == pytest.approx(audio_ms(spoken(new)) + 75, abs=10)
    assert told[-2:] == [GenerationComplete(1), TurnComplete(1)]


def test_while_it_says_again_what_was_said_it_is_held(rest: Rest) -> None:
    sifted(rest, spoken(SAID)[:-2])
    assert rest.holds


def test_words_that_were_said_earlier_too_are_the_rest_if_they_came_next() -> None:
    rest = Rest()
    rest.left("A table at seven. A table at eight.", " A table at seven, and")
    told = spoken("A table at seven, and one at nine.")
    assert sifted(rest, told) == told


def test_words_from_the_middle_of_an_earlier_sentence_are_the_rest() -> None:
    rest = Rest()
    rest.left("I have a table at seven, and a table at eight. Or we have", " a")
    told = spoken("a table at eight, and one at nine.")
    assert sifted(rest, told) == told


def test_each_earlier_sentence_may_be_begun_anew() -> None:
    rest = Rest()
    rest.left("It is near. Turn left. Go on", "")
    sifted(rest, spoken("to the water.")[:-2])
    rest.left("to the water.", "")
    assert words(sifted(rest, spoken("Turn left. Go on to the water. Then ask."))) == "Then ask."
    assert words(sifted(rest, spoken("Then wait."))) == "Then wait."


def test_a_reply_with_nothing_new_is_an_empty_turn(rest: Rest) -> None:
    assert sifted(rest, spoken(SAID)) == [GenerationComplete(1), TurnComplete(1)]


def test_one_word_that_was_the_last_one_is_no_repetition(rest: Rest) -> None:
    told = spoken("Left of it is the bridge.")
    assert sifted(rest, told) == told


def test_audio_whose_words_do_not_come_is_new(rest: Rest) -> None:
    told: list[TurnEvent] = [ReplyAudio(1, bytes(48 * 400)) for _ in range(3)]
    assert [len(rest.sift(event)) for event in told] == [0, 0, 3]


def test_an_interruption_forgets_what_is_held(rest: Rest) -> None:
    sifted(rest, spoken(SAID)[:6])
    assert rest.sift(Interrupted(1)) == [Interrupted(1)]
    assert not rest.holds


def test_the_caller_is_never_held(rest: Rest) -> None:
    sifted(rest, spoken(SAID)[:6])
    assert rest.sift(CallerSaid(1, "Left?")) == [CallerSaid(1, "Left?")]


def test_of_another_session_the_same_is_left_out(rest: Rest) -> None:
    sifted(rest, spoken(SAID)[:6])
    rest.stopped()
    assert words(sifted(rest, spoken(f"{SAID} Then ask."))) == "Then ask."
