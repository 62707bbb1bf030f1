"""A model session is lost or renewed in mid-call: what is sent again, what plays on."""

from agent.conversation.commands import (
    EndCallerAudio,
    OpenModel,
    SayToModel,
    SendCallerAudio,
)
from agent.conversation.events import (
    GoAway,
    HandleUpdated,
    ModelEvent,
    ReplyAudio,
    SessionLost,
    SessionRefused,
    TurnComplete,
)
from agent.conversation.renewal import YOUNG_MS
from telephony.call.commands import SendClear, SendMedia
from tests.telephony.call.conftest import SILENCE, VOICE, Phone, audio, of, speech

WORDS = "one two three four five six seven eight nine ten"


def lost(session: int) -> ModelEvent:
    return SessionLost(session, 1006, "reset")


def test_a_broken_off_reply_plays_on_and_is_cleared_when_the_new_one_begins(
    greeted: Phone,
) -> None:
    greeted.says(VOICE, 600)
    greeted.tells(lambda session: ReplyAudio(session, speech(1_000)))
    done = greeted.tells(lost)
    greeted.wait(150)
    done += greeted.ready()
    assert of(SendClear, done) == []
    begins = greeted.tells(audio)
    kinds = [type(c) for c in begins if isinstance(c, SendClear | SendMedia)]
    assert kinds[0] is SendClear
    assert {c.reply for c in of(SendMedia, begins)} == {3}


def test_what_the_caller_said_and_had_no_answer_to_is_sent_again(greeted: Phone) -> None:
    greeted.says(VOICE, 600)
    greeted.says(SILENCE, 600)
    greeted.tells(lost)
    done = greeted.ready()
    again = of(SendCallerAudio, done)
    assert sum(len(c.pcm) for c in again) >= 1_190 * 32
    assert {c.session for c in again} == {greeted.session}
    assert of(EndCallerAudio, done) == [EndCallerAudio(greeted.session)]


def test_what_was_answered_whole_is_not_sent_again(greeted: Phone) -> None:
    greeted.says(VOICE, 600)
    greeted.says(SILENCE, 1_000)
    greeted.replies(WORDS, 3_000)
    greeted.says(SILENCE, 200)
    greeted.tells(lost)
    done = greeted.ready()
    assert sum(len(c.pcm) for c in of(SendCallerAudio, done)) <= 220 * 32
    assert not of(SendClear, done)
    assert not of(EndCallerAudio, done)
    greeted.plays_out()
    assert greeted.sent_ms(2) == 3_000


def test_a_loss_in_mid_utterance_loses_and_ends_nothing(greeted: Phone) -> None:
    greeted.says(VOICE, 600)
    greeted.tells(lost)
    assert of(SendCallerAudio, greeted.says(VOICE, 400)) == []
    done = greeted.ready()
    assert sum(len(c.pcm) for c in of(SendCallerAudio, done)) >= 990 * 32
    assert of(EndCallerAudio, done) == []


def test_a_reply_received_whole_plays_on_without_a_gap_through_a_renewal(greeted: Phone) -> None:
    greeted.says(SILENCE, YOUNG_MS)
    greeted.replies(WORDS, 3_000)
    greeted.tells(TurnComplete, lambda session: HandleUpdated(session, "h1", resumable=True))
    done = greeted.tells(lambda session: GoAway(session, 50_000))
    assert len(of(OpenModel, done)) == 1
    while greeted.marks:
        assert greeted.played_at_ms >= greeted.now_ms, "a gap"
        done += greeted.plays(max(0, greeted.due_ms[greeted.marks[0]] - greeted.now_ms))
    assert of(SendClear, done) == []
    assert greeted.sent_ms(2) == 3_000
    assert greeted.lines[-1] == ("agent", WORDS, WORDS)


def test_what_the_caller_says_during_a_renewal_is_held_and_sent_on(greeted: Phone) -> None:
    greeted.says(SILENCE, YOUNG_MS)
    greeted.tells(lambda session: HandleUpdated(session, "h1", resumable=True))
    greeted.tells(lambda session: GoAway(session, 50_000))
    assert of(SendCallerAudio, greeted.says(VOICE, 300)) == []
    done = greeted.ready()
    assert sum(len(c.pcm) for c in of(SendCallerAudio, done)) >= 290 * 32
    assert not any(c.live for c in of(SendCallerAudio, done))


def test_a_refused_session_is_dialled_again_when_its_time_has_come(phone: Phone) -> None:
    phone.starts()
    dials = of(OpenModel, phone.tells(lambda session: SessionRefused(session, 1011, "")))
    dials += of(OpenModel, phone.wait(1_000))
    assert [dial.session for dial in dials] == [phone.session]
    assert len(of(SayToModel, phone.ready())) == 1
