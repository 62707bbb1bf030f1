"""What a caller hears who waits for the model."""

from dataclasses import replace

import pytest

from agent.conversation.commands import OpenModel
from agent.conversation.events import ModelEvent, ReplyAudio, SessionLost, TurnComplete
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.turn_taking import DEFAULT_TURNS, TurnTaking
from agent.conversation.turns import Floor
from telephony.audio.earcon import EARCON, EARCON_MS
from telephony.call.commands import NO_REPLY, Command, SendClear, SendMark, SendMedia
from telephony.call.waiting import (
    ANSWER_DUE_MS,
    GIVEN_UP_AFTER_MS,
    SOUND_AFTER_MS,
    SOUND_EVERY_MS,
)
from tests.telephony.call.conftest import SILENCE, VOICE, Phone, audio, of, speech

OVERDUE_MS = DEFAULT_TURNS.silence_ms + ANSWER_DUE_MS + SOUND_AFTER_MS


def lost(session: int) -> ModelEvent:
    return SessionLost(session, 1006, "reset")


def sounds(commands: list[Command]) -> list[bytes]:
    """What was sent that is of no reply."""
    return [media.ulaw for media in of(SendMedia, commands) if media.reply == NO_REPLY]


def asks(phone: Phone) -> None:
    """The caller says something, and is silent then."""
    phone.says(VOICE, 600)


def test_who_is_answered_by_nobody_hears_so_again_and_again(phone: Phone) -> None:
    phone.starts()
    assert sounds(phone.wait(SOUND_AFTER_MS - 1)) == []
    assert sounds(phone.wait(1)) == [EARCON]
    assert sounds(phone.wait(SOUND_EVERY_MS - 1)) == []
    assert sounds(phone.wait(1)) == [EARCON]


def test_a_session_that_is_soon_back_is_not_announced(greeted: Phone) -> None:
    greeted.tells(lost)
    done = greeted.wait(SOUND_AFTER_MS - 1) + greeted.ready() + greeted.wait(30_000)
    assert sounds(done) == []


def test_a_session_that_is_away_for_longer_is(greeted: Phone) -> None:
    greeted.tells(lost)
    assert sounds(greeted.wait(SOUND_AFTER_MS)) == [EARCON]


def test_a_session_that_is_lost_again_at_once_does_not_end_the_wait(greeted: Phone) -> None:
    greeted.says(SILENCE, 4_000)
    greeted.tells(lost)
    done = greeted.wait(SOUND_AFTER_MS - 1) + greeted.ready() + greeted.wait(1_000)
    assert sounds(done) == []
    assert sounds(greeted.tells(lost)) == [EARCON]


def test_nothing_sounds_while_a_reply_is_still_heard(greeted: Phone) -> None:
    greeted.replies("A long answer.", 4_000)
    greeted.tells(lost)
    assert sounds(greeted.plays(3_900)) == []
    greeted.plays_out()
    assert sounds(greeted.wait(SOUND_AFTER_MS)) == [EARCON]


def test_nothing_sounds_over_the_caller(greeted: Phone) -> None:
    greeted.tells(lost)
    assert sounds(greeted.says(VOICE, 4_000)) == []
    assert sounds(greeted.says(SILENCE, SOUND_AFTER_MS)) == [EARCON]


def test_an_answer_that_is_late_is_announced_and_one_that_is_not_is_not(greeted: Phone) -> None:
    asks(greeted)
    assert sounds(greeted.says(SILENCE, OVERDUE_MS - 40)) == []
    assert sounds(greeted.says(SILENCE, 60)) == [EARCON]


def test_a_greeting_that_is_late_is_announced(phone: Phone) -> None:
    phone.starts()
    phone.ready()
    assert sounds(phone.wait(OVERDUE_MS - 1)) == []
    assert sounds(phone.wait(1)) == [EARCON]


def test_what_is_not_answered_for_long_was_no_question(greeted: Phone) -> None:
    asks(greeted)
    heard = []
    for _ in range(60):
        done = greeted.says(SILENCE, 1_000)
        heard += sounds(done)
        if of(OpenModel, done):  # the next session is to hear it, too
            heard += sounds(greeted.ready())
    assert heard == [EARCON] * ((GIVEN_UP_AFTER_MS - OVERDUE_MS) // SOUND_EVERY_MS + 1)


def test_a_click_on_the_line_is_no_question(greeted: Phone) -> None:
    greeted.says(VOICE, 100)
    assert sounds(greeted.says(SILENCE, 20_000)) == []


def test_a_caller_who_was_answered_does_not_wait(greeted: Phone) -> None:
    asks(greeted)
    greeted.replies("Yes.", 400)
    greeted.plays_out()
    greeted.tells(TurnComplete)
    assert sounds(greeted.says(SILENCE, 60_000)) == []


def test_the_answer_breaks_the_sound_off(phone: Phone) -> None:
    phone.starts()
    phone.wait(SOUND_AFTER_MS)
    phone.ready()
    phone.wait(EARCON_MS // 2)
    done = phone.tells(audio)
    assert [type(c) for c in done if isinstance(c, SendClear | SendMedia)][:2] == [
        SendClear,
        SendMedia,
    ]
    assert of(SendClear, phone.tells(audio)) == []


def test_a_sound_that_is_over_is_not_cleared(phone: Phone) -> None:
    phone.starts()
    phone.wait(SOUND_AFTER_MS)
    phone.ready()
    phone.wait(EARCON_MS)
    assert of(SendClear, phone.tells(audio)) == []


def test_the_sound_is_nobodys_turn(greeted: Phone) -> None:
    asks(greeted)
    greeted.tells(lost)
    greeted.commands.clear()
    done = greeted.says(SILENCE, SOUND_AFTER_MS + 100)
    assert sounds(done) == [EARCON]
    assert of(SendMark, done) == []
    assert greeted.floor is Floor.CALLER
    assert greeted.lines == []
    assert of(SendClear, greeted.says(VOICE, 200)) == []


@pytest.mark.parametrize("broken_off_ms", [50, EARCON_MS])
def test_what_was_heard_of_a_reply_is_counted_through_the_sound(
    greeted: Phone, broken_off_ms: int
) -> None:
    """The model is lost in mid-reply: what it says after the sound is heard to its end."""
    asks(greeted)
    greeted.tells(lambda session: ReplyAudio(session, speech(600)))
    greeted.plays(600)
    greeted.tells(lost)
    greeted.plays_out()
    assert sounds(greeted.says(SILENCE, SOUND_AFTER_MS + 40)) == [EARCON]
    greeted.wait(broken_off_ms)
    greeted.ready()
    greeted.replies("one two three four", 600)
    greeted.plays_out()
    greeted.tells(TurnComplete)
    assert greeted.lines[-1] == ("agent", "one two three four", "one two three four")
    assert greeted.sent_ms(3) == 600


def test_a_new_stream_counts_from_its_own_beginning(greeted: Phone) -> None:
    greeted.tells(lost)
    greeted.wait(SOUND_AFTER_MS)
    greeted.starts("MZ2", epoch=2)
    assert sounds(greeted.wait(SOUND_AFTER_MS - 1)) == []
    assert sounds(greeted.wait(1)) == [EARCON]


def test_nothing_sounds_in_a_pause_that_does_not_end_the_callers_turn() -> None:
    phone = Phone(persona=replace(DEFAULT_PERSONA, turns=TurnTaking(silence_ms=5_000)))
    phone.greets()
    asks(phone)
    assert sounds(phone.says(SILENCE, 5_000 + ANSWER_DUE_MS)) == []
