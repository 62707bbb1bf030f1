"""The keys that a caller presses become a text for the model."""

from dataclasses import replace

from agent.conversation.keys import PAUSE_MS
from agent.conversation.listener_events import KeyPressed
from agent.conversation.persona import DEFAULT_PERSONA, keys_pressed
from tests.agent.conversation.conftest import Talk, lost

PERSONA = replace(DEFAULT_PERSONA, on_keys="tell")


def greeted(**changes: str) -> Talk:
    talk = Talk(None, (), 1, persona=replace(PERSONA, **changes))  # type: ignore[arg-type]  # of the right types
    talk.greets()
    talk.now_ms += 1_000
    return talk


def presses(talk: Talk, keys: str) -> None:
    for key in keys:
        talk.wait(300)
        talk.happens(KeyPressed(key))


def test_keys_are_told_together_after_a_pause() -> None:
    talk = greeted()
    presses(talk, "4711")
    talk.wait(PAUSE_MS - 1)
    assert len(talk.cues) == 1, "the greeting alone"
    talk.wait(1)
    assert talk.cues[1:] == [keys_pressed("4711")]


def test_a_hash_ends_them_at_once() -> None:
    talk = greeted()
    presses(talk, "12#")
    assert talk.cues[1:] == [keys_pressed("12#")]


def test_keys_wait_for_a_session() -> None:
    talk = greeted()
    talk.tells(lost)
    presses(talk, "1#")
    assert len(talk.cues) == 1
    talk.ready()
    assert talk.cues[1:] == [keys_pressed("1#")]


def test_keys_are_ignored_where_the_persona_says_so() -> None:
    talk = greeted(on_keys="ignore")
    presses(talk, "1#")
    talk.wait(PAUSE_MS)
    assert len(talk.cues) == 1
