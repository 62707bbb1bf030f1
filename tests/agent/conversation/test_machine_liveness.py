"""A model that says nothing is nudged, then left, and all of it is told."""

import pytest

from agent.conversation.commands import (
    CloseModel,
    ConversationCommand,
    GiveUp,
    Impasse,
    OpenModel,
    SayToModel,
)
from agent.conversation.events import (
    CallerActivityEnded,
    GenerationComplete,
    ModelEvent,
    ReplyAudio,
    TurnComplete,
)
from agent.conversation.listener_commands import PlayReply, ReleaseCallerAudio, StopPlayback
from agent.conversation.listener_events import CallerSpoke, ListenerLeft
from agent.conversation.liveness import MORE_INPUT_REASON, SPEECH_MS
from agent.conversation.pace import LEAST_PATIENCE_MS
from agent.conversation.persona import DEFAULT_PERSONA, NUDGE_CUE
from agent.conversation.remedies import Trouble
from agent.conversation.turn_taking import DEFAULT_TURNS
from tests.agent.conversation.conftest import Talk, audio, lost, of, speech


def told(commands: list[ConversationCommand]) -> list[tuple[type, str]]:
    """What was done for which trouble."""
    return [
        (type(command), command.trouble)
        for command in commands
        if isinstance(command, CloseModel | SayToModel) and command.trouble
    ]


def empty(session: int) -> ModelEvent:
    return TurnComplete(session)


def rejected(session: int) -> ModelEvent:
    return TurnComplete(session, "RESPONSE_REJECTED")


def silence(session: int) -> ModelEvent:
    return ReplyAudio(session, bytes(24 * 2 * 2_000))


def test_an_answer_that_does_not_come_is_asked_for_and_then_got_elsewhere(greeted: Talk) -> None:
    greeted.exchange("A room?", "Yes.", 2, "h1")
    greeted.tells(CallerActivityEnded)
    assert greeted.wait(LEAST_PATIENCE_MS - 1) == []
    assert greeted.wait(1) == [SayToModel(greeted.session, NUDGE_CUE, Trouble.NO_REPLY)]
    done = greeted.wait(LEAST_PATIENCE_MS)
    assert told(done) == [(CloseModel, Trouble.NO_REPLY)]
    assert greeted.opened.handle == "h1"
    greeted.ready()
    greeted.tells(CallerActivityEnded)
    assert told(greeted.wait(2 * LEAST_PATIENCE_MS)) == [(CloseModel, Trouble.NO_REPLY)]
    greeted.wait(1_000)  # the second dial in a row may wait
    assert greeted.opened.handle == ""


def test_a_dumb_session_that_is_still_in_use_is_followed_by_a_fresh_one(greeted: Talk) -> None:
    greeted.exchange("A room?", "Yes.", 2, "h1")
    greeted.replies("No.")
    greeted.hears_all(3)
    greeted.wait(4_000)
    assert greeted.opened.handle == "h1"
    assert len(of(OpenModel, greeted.refused(1011))) == 1
    assert greeted.opened.handle == ""


def test_a_model_that_never_speaks_is_given_up(greeted: Talk) -> None:
    for _ in range(20):
        greeted.ready()
        greeted.tells(CallerActivityEnded)
        greeted.wait(2 * LEAST_PATIENCE_MS)
    assert of(GiveUp, greeted.commands) == [GiveUp(Impasse.MODEL_UNAVAILABLE)]


def test_a_greeting_that_does_not_come_is_asked_for_again(talk: Talk) -> None:
    talk.answer()
    talk.ready()
    cue = DEFAULT_PERSONA.greeting_cue
    assert talk.wait(LEAST_PATIENCE_MS) == [SayToModel(talk.session, cue, Trouble.NO_REPLY)]


def test_an_empty_turn_is_nudged_at_once(greeted: Talk) -> None:
    greeted.tells(CallerActivityEnded, empty)
    assert told(greeted.wait(0)) == [(SayToModel, Trouble.EMPTY_TURN)]


def test_a_rejected_answer_is_asked_for_again(greeted: Talk) -> None:
    greeted.tells(CallerActivityEnded, audio, rejected)
    assert told(greeted.wait(0)) == [(SayToModel, Trouble.REJECTED)]


def test_a_silent_answer_is_none(greeted: Talk) -> None:
    greeted.says("A room?")
    done = greeted.tells(silence, GenerationComplete)
    assert StopPlayback(2) in done
    assert of(ReleaseCallerAudio, done) == []
    assert told(greeted.wait(0)) == [(SayToModel, Trouble.NO_SOUND)]


def test_a_caller_who_speaks_on_is_not_talked_over_for_an_empty_turn(greeted: Talk) -> None:
    greeted.now_ms += 5_000
    greeted.happens(CallerSpoke(1_500))
    greeted.wait(600)
    greeted.says("I would like")
    done = greeted.wait(400)
    for n in range(150):
        greeted.happens(CallerSpoke(20))
        done += greeted.tells(empty) if n == 20 else []
        done += greeted.wait(20)
    done += greeted.wait(LEAST_PATIENCE_MS + DEFAULT_TURNS.silence_ms - 21)
    assert told(done) == []
    assert told(greeted.wait(1)) == [(SayToModel, Trouble.NO_REPLY)]


def test_a_model_that_waits_for_more_owes_nothing(greeted: Talk) -> None:
    greeted.now_ms += 5_000
    greeted.happens(CallerSpoke(1_500))
    greeted.wait(600)
    greeted.says("I would like")
    greeted.tells(lambda session: TurnComplete(session, MORE_INPUT_REASON), empty)
    assert told(greeted.wait(60_000)) == []
    assert not greeted.conversation.debt.owes
    greeted.happens(CallerSpoke(1_500))
    greeted.wait(600)
    greeted.says(" a room.")
    assert told(greeted.wait(LEAST_PATIENCE_MS)) == [(SayToModel, Trouble.NO_REPLY)]


CRUMBS = [speech(2)[:60], bytes(48 * 400)]


@pytest.mark.parametrize("pcm", CRUMBS, ids=["60 bytes", "400 ms of silence"])
def test_a_crumb_of_audio_is_no_answer(greeted: Talk, pcm: bytes) -> None:
    def crumb(session: int) -> ModelEvent:
        return ReplyAudio(session, pcm)

    greeted.now_ms += 5_000
    greeted.happens(CallerSpoke(1_000))
    greeted.says("A room?")
    greeted.wait(1_000)
    done = greeted.tells(crumb, GenerationComplete, TurnComplete)
    assert of(ReleaseCallerAudio, done) == []
    assert told(greeted.wait(100)) == [(SayToModel, Trouble.NO_SOUND)]
    assert greeted.conversation.debt.sure
    greeted.replies("Yes, we have one.")
    assert not greeted.conversation.debt.sure


@pytest.mark.parametrize("pcm", CRUMBS, ids=["60 bytes", "400 ms of silence"])
def test_a_crumb_that_nobody_asked_for_is_nothing(greeted: Talk, pcm: bytes) -> None:
    greeted.now_ms += 5_000
    greeted.tells(lambda session: ReplyAudio(session, pcm), GenerationComplete, TurnComplete)
    greeted.hears_all(2, 1)
    assert told(greeted.wait(60_000)) == []


def test_a_greeting_that_cannot_be_heard_is_asked_for_again(talk: Talk) -> None:
    talk.answer()
    talk.ready()
    talk.tells(lambda session: ReplyAudio(session, bytes(48 * 400)), TurnComplete)
    cue = DEFAULT_PERSONA.greeting_cue
    assert talk.wait(100) == [SayToModel(talk.session, cue, Trouble.NO_SOUND)]


def test_a_turn_that_stays_open_is_left_in_silence(greeted: Talk) -> None:
    greeted.hands_out("h1")
    greeted.now_ms = 10_000
    greeted.replies("Yes.", ms=1_000)
    greeted.hears_all(2)
    done = greeted.wait(3_500)
    assert told(done) == [(CloseModel, Trouble.OPEN_TURN)]
    assert greeted.opened.handle == "h1"
    assert greeted.opened.history[-1].text == "Yes."
    assert greeted.ready()[-1:] != []
    assert greeted.cues == [DEFAULT_PERSONA.greeting_cue]


def test_what_only_we_have_heard_is_sent_again_and_nobody_is_asked(greeted: Talk) -> None:
    greeted.now_ms += 2_000
    greeted.happens(CallerSpoke(SPEECH_MS))
    done = greeted.wait(LEAST_PATIENCE_MS + DEFAULT_TURNS.silence_ms)
    assert told(done) == [(CloseModel, Trouble.UNHEARD)]
    greeted.ready()
    assert greeted.wait(60_000) == []


def test_words_are_a_sign_that_the_caller_has_finished(greeted: Talk) -> None:
    greeted.now_ms += 1_000
    greeted.happens(CallerSpoke(300))
    greeted.says("A room?")
    limit_ms = LEAST_PATIENCE_MS + DEFAULT_TURNS.silence_ms
    assert told(greeted.wait(limit_ms)) == [(SayToModel, Trouble.NO_REPLY)]


def test_words_that_come_late_ask_nothing(greeted: Talk) -> None:
    greeted.replies("Yes.")
    greeted.tells(TurnComplete)
    greeted.says("A room?")
    assert greeted.wait(60_000) == []


def test_nobody_is_nudged_while_nobody_listens(greeted: Talk) -> None:
    greeted.tells(CallerActivityEnded)
    greeted.happens(ListenerLeft())
    assert greeted.wait(60_000) == []


def test_a_session_that_is_lost_meanwhile_owes_nothing(greeted: Talk) -> None:
    greeted.tells(CallerActivityEnded, lost)
    greeted.ready()
    assert told(greeted.wait(60_000)) == []


def test_a_stalled_reply_is_left_after_it_was_heard(greeted: Talk) -> None:
    greeted.hands_out("h1")
    greeted.now_ms = 10_000
    greeted.tells(lambda session: ReplyAudio(session, speech(2_000)))
    assert of(OpenModel, greeted.wait(4_499)) == []
    assert told(greeted.wait(1)) == [(CloseModel, Trouble.OPEN_TURN)]


def test_an_answer_that_crosses_its_nudge_is_heard_once(greeted: Talk) -> None:
    greeted.tells(CallerActivityEnded)
    assert told(greeted.wait(LEAST_PATIENCE_MS)) == [(SayToModel, Trouble.NO_REPLY)]
    greeted.wait(1_000)
    done = greeted.replies("Yes, we have one.") + greeted.tells(TurnComplete)
    greeted.wait(1_500)
    done += greeted.replies("As I said, we have one.") + greeted.tells(TurnComplete)
    assert {command.reply for command in of(PlayReply, done)} == {2}
    greeted.says("For two?")
    done = greeted.replies("For two, yes.")
    assert {command.reply for command in of(PlayReply, done)} == {3}
