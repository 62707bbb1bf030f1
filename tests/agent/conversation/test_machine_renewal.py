"""A session is left before the server ends it, and nobody hears it."""

from functools import partial

import pytest

from agent.conversation.commands import CloseModel, GiveUp, OpenModel, SayToModel
from agent.conversation.events import (
    AgentSaid,
    CallerActivityStarted,
    GenerationComplete,
    GoAway,
    HandleUpdated,
    ModelEvent,
    ReplyAudio,
    TurnComplete,
)
from agent.conversation.listener_commands import (
    FinishReply,
    HoldCallerAudio,
    PlayReply,
    ReleaseCallerAudio,
    ResumeCallerAudio,
    StopPlayback,
)
from agent.conversation.listener_events import CallerSpoke, Heard
from agent.conversation.liveness import REST_LIMIT_MS
from agent.conversation.persona import DEFAULT_PERSONA, REST_CUE
from agent.conversation.remedies import Trouble
from agent.conversation.renewal import RENEW_BY_MS, RENEW_FROM_MS, YOUNG_MS
from tests.agent.conversation.conftest import Talk, audio, lost, of, speech

GREETING_CUE = DEFAULT_PERSONA.greeting_cue


def monologue(session: int) -> ModelEvent:
    """The session sends a minute of speech; more is to come."""
    return ReplyAudio(session, speech(60_000))


def test_at_eight_minutes_it_closes_and_then_resumes_at_a_pause(greeted: Talk) -> None:
    greeted.hands_out("h1")
    old = greeted.session
    assert greeted.wait(RENEW_FROM_MS - 1) == []
    assert greeted.wait(1) == [
        CloseModel(old),
        HoldCallerAudio(),
        OpenModel(greeted.session, DEFAULT_PERSONA, "h1", ()),
    ]


def test_it_renews_after_the_turn_it_was_in(greeted: Talk) -> None:
    greeted.hands_out("h1")
    greeted.now_ms = RENEW_FROM_MS - 500
    greeted.tells(audio)
    assert of(OpenModel, greeted.wait(1_000)) == []
    greeted.tells(GenerationComplete, TurnComplete)
    done = greeted.hands_out("h2")
    assert not any(isinstance(c, StopPlayback | FinishReply) for c in done)
    assert greeted.opened.handle == "h2"


@pytest.mark.parametrize(("due_ms", "times"), [(RENEW_FROM_MS, 0), (RENEW_BY_MS, 1)])
def test_it_does_not_renew_while_the_caller_waits_until_it_must(
    greeted: Talk, due_ms: int, times: int
) -> None:
    greeted.now_ms += due_ms - 1_000
    greeted.happens(CallerSpoke(300))
    assert len(of(OpenModel, greeted.hands_out("h1") + greeted.wait(1_500))) == times


@pytest.fixture
def left(greeted: Talk) -> Talk:
    """A conversation whose session had to be left in the middle of an answer, reply 2."""
    greeted.hands_out("h1")
    greeted.now_ms = RENEW_BY_MS - 100
    greeted.says("For two?")
    greeted.tells(
        lambda session: AgentSaid(session, "For two,"),
        lambda session: ReplyAudio(session, speech(600)),
    )
    greeted.happens(Heard(2, 100, sent_ms=600))
    greeted.wait(100)
    return greeted


def test_a_session_left_in_mid_reply_is_asked_for_the_rest_alone(left: Talk) -> None:
    assert FinishReply(2, 600) in left.commands
    assert ReleaseCallerAudio(RENEW_BY_MS - 100) in left.commands
    assert [line.heard for line in left.opened.history][-2:] == ["For two?", "For two,"]
    assert of(SayToModel, left.ready()) == [SayToModel(left.session, REST_CUE)]


def test_the_rest_is_heard_after_what_came_before(left: Talk) -> None:
    left.ready()
    done = left.replies(" of course.")
    assert of(StopPlayback, done) == []
    assert [command.reply for command in of(PlayReply, done)] == [3]
    left.hears_all(2, 600)
    left.hears_all(3)
    assert left.lines[-3:] == [
        ("caller", "For two?", "For two?"),
        ("agent", "For two,", "For two,"),
        ("agent", "of course.", "of course."),
    ]


def test_words_that_cannot_have_been_heard_whole_are_taken_back(greeted: Talk) -> None:
    greeted.hands_out("h1")
    greeted.now_ms = RENEW_BY_MS - 100
    greeted.says("For two?")
    for text, ms in [(" Yes. We", 1_000), (" have a table.", 1_000), (" And a gar", 400)]:
        pcm = speech(ms) + bytes(48 * 200)
        greeted.tells(partial(AgentSaid, text=text), partial(ReplyAudio, pcm=pcm))
    greeted.wait(100)
    assert FinishReply(2, 2_300) in greeted.commands
    assert greeted.opened.history[-1].text == "Yes. We have a table."


def test_a_reply_that_is_said_anew_is_heard_from_where_it_was_left(left: Talk) -> None:
    left.ready()
    left.now_ms += 1_500
    done = left.replies("For two, of course. At seven?", 2_000)
    assert [c.reply for c in of(PlayReply, done)] == [3]
    played = b"".join(c.pcm for c in of(PlayReply, done))
    assert 1_000 < len(played) / 48 < 1_600
    left.hears_all(2, 600)
    left.hears_all(3, 2_000)
    assert left.lines[-1] == ("agent", "of course. At seven?", "of course. At seven?")


def test_a_session_that_does_not_go_on_is_asked_for_the_rest_once_more(left: Talk) -> None:
    left.ready()
    nudged = of(SayToModel, left.wait(REST_LIMIT_MS))
    assert nudged == [SayToModel(left.session, REST_CUE, Trouble.NO_REPLY)]


def test_the_rest_is_asked_for_until_it_comes(left: Talk) -> None:
    left.ready()
    left.tells(lost)
    left.wait(1_000)
    assert of(SayToModel, left.ready()) == [SayToModel(left.session, REST_CUE)]
    left.replies(" of course.")
    left.tells(lost)
    left.wait(1_000)
    assert of(SayToModel, left.ready()) == []


def test_the_rest_of_what_was_talked_over_is_not_asked_for(left: Talk) -> None:
    left.ready()
    left.now_ms += 2_000
    left.tells(CallerActivityStarted, lost)
    left.wait(1_000)
    assert of(SayToModel, left.ready()) == []


def test_told_to_go_it_goes_at_once_where_there_is_a_pause(greeted: Talk) -> None:
    greeted.hands_out("h1")
    greeted.now_ms += YOUNG_MS
    done = greeted.tells(lambda session: GoAway(session, 50_000))
    assert greeted.opened.handle == "h1"
    assert len(of(OpenModel, done)) == 1


def test_told_to_go_in_mid_reply_it_waits_for_the_handle_after_the_turn(greeted: Talk) -> None:
    greeted.now_ms += YOUNG_MS
    greeted.tells(monologue)
    assert greeted.tells(lambda session: GoAway(session, 50_000)) == []
    greeted.tells(lambda session: HandleUpdated(session, "", resumable=False))
    greeted.wait(5_000)
    greeted.tells(GenerationComplete, TurnComplete)
    assert len(of(OpenModel, greeted.hands_out("h2"))) == 1


def test_told_to_go_in_an_endless_reply_it_goes_ten_seconds_before_the_end(greeted: Talk) -> None:
    greeted.tells(monologue)
    greeted.tells(lambda session: GoAway(session, 50_000))
    assert greeted.wait(39_999) == []
    assert len(of(OpenModel, greeted.wait(1))) == 1


def test_a_renewal_in_silence_is_heard_and_seen_by_nobody(greeted: Talk) -> None:
    greeted.exchange("A room?", "Yes.", 2, "h1")
    before = list(greeted.lines)
    greeted.wait(RENEW_FROM_MS - greeted.now_ms + 1_000)
    assert greeted.ready() == [ResumeCallerAudio(greeted.session)]
    assert greeted.lines == before
    assert greeted.opened.history == ()


def test_hours_are_one_conversation_renewed_every_eight_minutes(greeted: Talk) -> None:
    greeted.hands_out("h0")
    for i in range(15):
        done = greeted.wait(RENEW_FROM_MS)
        assert len(of(OpenModel, done)) == 1
        greeted.ready()
        greeted.hands_out(f"h{i}")
    assert of(GiveUp, greeted.commands) == []
    assert greeted.cues == [GREETING_CUE]


def test_a_turn_that_the_last_handle_does_not_hold_is_no_pause(greeted: Talk) -> None:
    greeted.hands_out("h1")
    greeted.now_ms += YOUNG_MS
    greeted.replies("Yes.")
    greeted.tells(TurnComplete)
    assert greeted.tells(lambda session: GoAway(session, 50_000)) == []
    assert len(of(OpenModel, greeted.hands_out("h2"))) == 1
