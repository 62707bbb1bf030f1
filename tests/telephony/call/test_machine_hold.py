"""A persona that barges in quickly: the ear holds a reply, and it goes on or is cut."""

from dataclasses import replace

import pytest

from agent.conversation.barge_in import HOLD_LIMIT_MS
from agent.conversation.events import Interrupted, TurnComplete
from agent.conversation.persona import DEFAULT_PERSONA
from telephony.call.commands import SendClear, SendMedia
from telephony.call.events import StreamEnded
from telephony.call.talk_over import ONSETS, OVER_MS, SURE_MS
from tests.telephony.call.conftest import SILENCE, VOICE, Phone, of

ONSET_MS = ONSETS["quick"].lasts_ms
WORDS = "one two three four five six seven eight nine ten"


@pytest.fixture
def talking() -> Phone:
    """Reply 2 of 3 s has been heard for 1 s; its turn is closed."""
    phone = Phone(persona=replace(DEFAULT_PERSONA, barge_in="quick"))
    phone.greets()
    phone.replies(WORDS, 3_000)
    phone.tells(TurnComplete)
    phone.plays(1_000)
    return phone


def test_the_agent_is_silent_as_soon_as_the_caller_begins(talking: Phone) -> None:
    done = talking.says(VOICE, ONSET_MS)
    assert of(SendClear, done) == [SendClear("MZ1")]
    assert of(SendMedia, talking.says(VOICE, 300)) == []


def test_after_a_cough_the_reply_goes_on_and_is_heard_whole(talking: Phone) -> None:
    talking.says(VOICE, 300)
    done = talking.says(SILENCE, OVER_MS + 20)
    assert {command.reply for command in of(SendMedia, done)} == {2}
    talking.plays_out()
    assert talking.lines[-1] == ("agent", WORDS, WORDS)


def test_speech_that_lasts_cuts_the_reply_with_no_second_clear(talking: Phone) -> None:
    talking.says(VOICE, ONSET_MS)
    done = talking.says(VOICE, SURE_MS)
    assert of(SendClear, done) == []
    assert talking.lines[-1] == ("agent", WORDS, "one two three four")


def test_an_interruption_cuts_what_is_held_with_no_second_clear(talking: Phone) -> None:
    talking.says(VOICE, 200)
    assert of(SendClear, talking.tells(Interrupted, TurnComplete)) == []
    assert talking.lines[-1] == ("agent", WORDS, "one two three four")


def test_a_line_that_falls_silent_altogether_lets_the_reply_go_on(talking: Phone) -> None:
    talking.says(VOICE, 300)
    assert of(SendMedia, talking.wait(HOLD_LIMIT_MS))


def test_a_stream_that_breaks_while_a_reply_is_held_is_followed_by_its_rest(talking: Phone) -> None:
    talking.says(VOICE, 300)
    talking.step(StreamEnded("MZ1", "close"))
    talking.wait(300)
    assert {command.reply for command in of(SendMedia, talking.starts("MZ2", 2))} == {2}
    talking.plays_out()
    assert talking.lines[-1] == ("agent", WORDS, WORDS)


def test_the_default_persona_waits_for_the_server(greeted: Phone) -> None:
    greeted.replies(WORDS, 3_000)
    greeted.plays(1_000)
    assert of(SendClear, greeted.says(VOICE, 400)) == []


def test_a_patient_agent_speaks_through_an_mhm_and_stops_for_more() -> None:
    phone = Phone(persona=replace(DEFAULT_PERSONA, barge_in="patient"))
    phone.greets()
    phone.replies(WORDS, 3_000)
    phone.tells(TurnComplete)
    phone.plays(1_000)
    assert of(SendClear, phone.says(VOICE, 400) + phone.says(SILENCE, 500)) == []
    assert of(SendClear, phone.says(VOICE, ONSETS["patient"].lasts_ms + 20)) == [SendClear("MZ1")]


def test_a_caller_who_speaks_already_when_a_reply_begins_talks_over_it() -> None:
    phone = Phone(persona=replace(DEFAULT_PERSONA, barge_in="quick"))
    phone.greets()
    phone.says(VOICE, 200)
    phone.replies(WORDS, 3_000)
    phone.tells(TurnComplete)
    assert of(SendClear, phone.says(VOICE, 800)) == [SendClear("MZ1")]
