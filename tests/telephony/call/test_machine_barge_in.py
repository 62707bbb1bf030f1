"""The caller talks over the agent: one clear, no stale audio, the right words."""

import pytest

from agent.conversation.events import (
    AgentSaid,
    CallerSaid,
    GenerationComplete,
    Interrupted,
    ReplyAudio,
    TurnComplete,
)
from agent.conversation.turns import Floor
from telephony.call.commands import SendClear, SendMedia
from telephony.twilio.messages import Mark
from tests.telephony.call.conftest import SILENCE, VOICE, Phone, audio, of, speech

WORDS = "one two three four five six seven eight nine ten"


def test_an_interruption_of_unheard_audio_is_exactly_one_clear(greeted: Phone) -> None:
    greeted.replies(WORDS, 3_000)
    greeted.wait(900)
    done = greeted.tells(Interrupted, audio, TurnComplete)
    assert of(SendClear, done) == [SendClear("MZ1")]
    assert of(SendMedia, done) == []
    assert of(SendClear, greeted.wait(5_000)) == []


def test_an_interruption_of_nothing_unheard_is_no_clear(greeted: Phone) -> None:
    assert of(SendClear, greeted.tells(Interrupted, TurnComplete)) == []
    greeted.replies("Yes.", 300)
    greeted.plays_out()
    assert of(SendClear, greeted.tells(Interrupted, TurnComplete)) == []


def test_no_audio_of_an_interrupted_reply_follows_its_clear(greeted: Phone) -> None:
    greeted.tells(lambda session: ReplyAudio(session, speech(10_000)))
    greeted.wait(500)
    greeted.tells(Interrupted)
    after = greeted.tells(audio, audio, GenerationComplete, TurnComplete)
    after += greeted.wait(3_000)
    after += greeted.tells(audio)
    assert {c.reply for c in of(SendMedia, after)} == {3}


@pytest.mark.parametrize("heard_ms", [0, 240, 450, 900, 1_300, 1_700, 2_900])
def test_the_heard_text_is_right_to_a_word(greeted: Phone, heard_ms: int) -> None:
    for word in WORDS.split():
        greeted.step(AgentSaid(greeted.session, f"{word} "))
        greeted.tells(lambda session: ReplyAudio(session, speech(300)))
    greeted.tells(GenerationComplete)
    greeted.plays(heard_ms)
    greeted.tells(Interrupted)
    role, text, heard = greeted.lines[-1]
    assert (role, text) == ("agent", WORDS)
    assert text.startswith(heard)
    assert abs(len(heard.split()) - heard_ms / 300) <= 1


def test_marks_that_a_clear_flushed_are_no_hearing_of_the_next_reply(greeted: Phone) -> None:
    greeted.replies(WORDS, 3_000)
    flushed = list(greeted.marks)
    greeted.tells(Interrupted, TurnComplete)
    greeted.replies("Yes.", 300)
    greeted.step(*(Mark("MZ1", name) for name in flushed))
    assert greeted.floor is Floor.AGENT
    greeted.plays_out()
    assert greeted.lines[-1] == ("agent", "Yes.", "Yes.")


def test_words_of_the_caller_over_a_reply_that_only_plays_clear_it(greeted: Phone) -> None:
    greeted.tells(lambda session: CallerSaid(session, "A room?"))
    greeted.replies(WORDS, 3_000)
    greeted.tells(TurnComplete)
    greeted.says(VOICE, 1_300)
    done = greeted.tells(lambda session: CallerSaid(session, "Wait."))
    assert len(of(SendClear, done)) == 1
    assert of(SendClear, greeted.tells(Interrupted, TurnComplete)) == []


def test_twenty_barge_ins_are_twenty_clears_and_the_next_turn_works(greeted: Phone) -> None:
    for turn in range(20):
        greeted.replies(WORDS, 3_000)
        greeted.says(SILENCE, 140 * turn % 2_500)
        before = len(of(SendClear, greeted.commands))
        greeted.tells(Interrupted, audio, TurnComplete)
        assert len(of(SendClear, greeted.commands)) == before + 1
    greeted.replies("Yes.", 300)
    greeted.plays_out()
    assert greeted.lines[-1] == ("agent", "Yes.", "Yes.")


def test_an_interruption_of_a_reply_without_audio_is_no_clear(greeted: Phone) -> None:
    greeted.tells(lambda session: AgentSaid(session, "Yes."))
    assert of(SendClear, greeted.tells(Interrupted, TurnComplete)) == []
    assert greeted.lines[-1] == ("agent", "Yes.", "")
