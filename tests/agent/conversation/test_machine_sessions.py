"""A session is lost or refused; the conversation goes on."""

from functools import partial

import pytest

from agent.conversation.commands import CloseModel, GiveUp, Impasse, OpenModel, SayToModel
from agent.conversation.events import (
    AgentSaid,
    CallerActivityStarted,
    GenerationComplete,
    Interrupted,
    ReplyAudio,
    SessionLost,
    TurnComplete,
)
from agent.conversation.link import HUNG, OPENING_LIMIT_MS
from agent.conversation.listener_commands import (
    FinishReply,
    HoldCallerAudio,
    PlayReply,
    ReleaseCallerAudio,
    ResumeCallerAudio,
    StopPlayback,
)
from agent.conversation.listener_events import CallerSpoke, Heard, ListenerLeft
from agent.conversation.persona import DEFAULT_PERSONA, REST_CUE
from agent.conversation.renewal import RENEW_BY_MS
from agent.conversation.resumption import AWAY
from tests.agent.conversation.conftest import Talk, audio, lost, of, speech, texts

GREETING_CUE = DEFAULT_PERSONA.greeting_cue
GREETING = "Hello, this is Ada."


# Lost sessions.


def test_a_session_lost_in_silence_is_resumed_at_once_and_told_nothing_twice(
    greeted: Talk,
) -> None:
    greeted.exchange("A room?", "Yes.", 2, "h1")
    first = greeted.session
    done = greeted.tells(lost)
    assert done == [HoldCallerAudio(), OpenModel(greeted.session, DEFAULT_PERSONA, "h1", ())]
    assert greeted.session != first
    assert greeted.ready() == [ResumeCallerAudio(greeted.session)]


def test_a_lost_session_needs_no_close_and_its_late_events_are_stale(greeted: Talk) -> None:
    old = greeted.session
    assert of(CloseModel, greeted.tells(lost)) == []
    assert greeted.conversation.step(ReplyAudio(old, speech(20)), greeted.now_ms) == []
    assert greeted.conversation.step(SessionLost(old, 1006, ""), greeted.now_ms) == []


def test_a_session_without_a_handle_is_followed_by_a_fresh_one_that_knows_all(
    greeted: Talk,
) -> None:
    greeted.tells(lost)
    assert greeted.opened.handle == ""
    assert texts(greeted.opened.history) == [GREETING]


def test_a_resumed_session_gets_the_turns_since_its_handle(greeted: Talk) -> None:
    greeted.exchange("A room?", "Yes.", 2, "h1")
    greeted.says("For two?")
    greeted.now_ms += 1_000
    greeted.replies("For two.")
    greeted.hears_all(3)
    greeted.tells(lost)
    assert greeted.opened.handle == "h1"
    assert texts(greeted.opened.history) == ["For two?", "For two."]


def test_a_reply_cut_off_by_the_loss_plays_on_until_the_new_one_begins(greeted: Talk) -> None:
    greeted.exchange("A room?", "Yes.", 2, "h1")
    greeted.says("For two?")
    greeted.tells(audio)
    done = greeted.tells(lost)
    assert FinishReply(3) in done
    assert not any(isinstance(c, StopPlayback | ReleaseCallerAudio) for c in done)
    assert texts(greeted.opened.history) == []
    assert of(StopPlayback, greeted.ready()) == []
    greeted.hears(3, 80)
    begins = greeted.tells(audio)
    assert begins[0] == StopPlayback(3)
    assert of(StopPlayback, greeted.tells(audio)) == []


def test_the_new_reply_keeps_all_its_words_and_the_broken_one_only_its_own(greeted: Talk) -> None:
    """The text of a message comes ahead of its audio."""
    greeted.tells(lambda session: AgentSaid(session, "Wonderful "), audio, lost)
    greeted.ready()
    greeted.replies("Wonderful news.")
    greeted.hears_all(3)
    assert [text for _, text, _ in greeted.lines[1:]] == ["Wonderful", "Wonderful news."]


def test_a_broken_reply_that_was_heard_to_its_end_is_not_cleared(greeted: Talk) -> None:
    greeted.tells(audio, lost)
    greeted.hears_all(2, 100)
    greeted.ready()
    assert of(StopPlayback, greeted.tells(audio)) == []


def test_what_is_sent_again_is_no_barge_in_on_the_broken_reply(greeted: Talk) -> None:
    greeted.says("For two?")
    greeted.tells(audio, lost)
    greeted.ready()
    assert greeted.tells(CallerActivityStarted) == []
    assert of(StopPlayback, greeted.says("For two?")) == []


def test_a_loss_in_mid_reply_leaves_no_line_twice(greeted: Talk) -> None:
    greeted.now_ms = 3_000
    greeted.says("A room for two?")
    greeted.now_ms = 4_000
    greeted.tells(lambda session: AgentSaid(session, "Certainly"), audio, lost)
    greeted.ready()
    greeted.says("A room for two?")
    greeted.tells(audio, lambda session: AgentSaid(session, "Certainly, sir."), GenerationComplete)
    greeted.hears_all(3, 100)
    assert greeted.lines[1:] == [
        ("caller", "A room for two?", "A room for two?"),
        ("agent", "Certainly", ""),
        ("agent", "Certainly, sir.", "Certainly, sir."),
    ]


def test_a_loss_in_mid_utterance_leaves_each_word_once(greeted: Talk) -> None:
    greeted.now_ms = 3_000
    greeted.says("A room")
    greeted.tells(lost)
    greeted.ready()
    greeted.says("A room for two?")
    greeted.replies("Yes.")
    greeted.hears_all(2)
    assert [text for _, text, _ in greeted.lines[1:]] == ["A room", "for two?", "Yes."]


def test_a_reply_received_whole_plays_on_and_is_not_asked_for_again(greeted: Talk) -> None:
    greeted.now_ms = 3_000
    greeted.says("A room?")
    greeted.now_ms = 4_000
    assert ReleaseCallerAudio(4_000) in greeted.replies("Yes, for two.")
    done = greeted.tells(lost)
    assert not any(isinstance(c, StopPlayback | FinishReply) for c in done)
    assert greeted.ready() == [ResumeCallerAudio(greeted.session)]
    greeted.hears_all(2)
    assert greeted.lines[-1] == ("agent", "Yes, for two.", "Yes, for two.")


def test_the_new_session_knows_the_answer_that_still_plays(greeted: Talk) -> None:
    """Or it could not repeat it, and no later session could either."""
    greeted.now_ms = 3_000
    greeted.says("Your address?")
    greeted.now_ms = 4_000
    greeted.replies("Twelve, Elm Street.")
    greeted.tells(lost)
    assert texts(greeted.opened.history) == [GREETING, "Your address?", "Twelve, Elm Street."]


def test_a_session_lost_while_nobody_listens_is_replaced_all_the_same(greeted: Talk) -> None:
    greeted.happens(ListenerLeft())
    greeted.tells(lost)
    assert greeted.ready() == [ResumeCallerAudio(greeted.session)]


def test_the_rest_alone_of_an_answer_that_was_half_heard_is_asked_for(greeted: Talk) -> None:
    greeted.exchange("A room?", "Yes.", 2, "h1")
    greeted.says("For how many?")
    greeted.tells(lambda session: AgentSaid(session, "For two people, and"))
    greeted.tells(lambda session: ReplyAudio(session, speech(1_100)))
    greeted.happens(Heard(3, 700, sent_ms=1_100))
    done = greeted.tells(lost)
    assert FinishReply(3, 1_100) in done
    known = [line.heard for line in greeted.opened.history]
    assert known == ["For how many?", "For two people, and"]
    assert of(SayToModel, greeted.ready()) == [SayToModel(greeted.session, REST_CUE)]
    greeted.now_ms += 1_500
    assert of(StopPlayback, greeted.replies(" a dog.")) == []
    greeted.hears_all(3, 1_100)
    greeted.hears_all(4)
    assert greeted.lines[-2:] == [
        ("agent", "For two people, and", "For two people, and"),
        ("agent", "a dog.", "a dog."),
    ]


def test_the_rest_of_the_rest_is_known_by_all_that_came_before(greeted: Talk) -> None:
    greeted.exchange("A room?", "Yes.", 2, "h1")
    greeted.says("For how many?")
    for text, reply in [("For two people,", 3), (" and a small dog", 4)]:
        greeted.tells(partial(AgentSaid, text=text), partial(ReplyAudio, pcm=speech(1_000)))
        greeted.happens(Heard(reply, 1_000, sent_ms=1_000))
        greeted.tells(lost)
        greeted.ready()
        greeted.now_ms += 1_500
    heard = of(PlayReply, greeted.replies("For two people, and a small dog and a cat.", 3_000))
    assert sum(len(command.pcm) for command in heard) / 48 < 1_500
    greeted.hears_all(5, 3_000)
    assert greeted.lines[-1][1] == "and a cat."


def test_an_answer_whose_question_will_not_be_written_down_is_gone_on_with(greeted: Talk) -> None:
    greeted.happens(CallerSpoke(900))
    greeted.now_ms += 2_000
    greeted.tells(lambda session: AgentSaid(session, "For two people, and"))
    greeted.tells(lambda session: ReplyAudio(session, speech(1_100)))
    greeted.happens(Heard(2, 1_100, sent_ms=1_100))
    greeted.tells(lost)
    assert of(SayToModel, greeted.ready()) == [SayToModel(greeted.session, REST_CUE)]
    greeted.hears_all(2, 1_100)
    assert [line[:2] for line in greeted.lines[1:]] == [
        ("caller", "…"), ("agent", "For two people, and")
    ]  # fmt: skip


def test_who_talked_over_the_half_of_an_answer_wants_no_rest(greeted: Talk) -> None:
    greeted.exchange("A room?", "Yes.", 2, "h1")
    greeted.says("For how many?")
    greeted.tells(lambda session: AgentSaid(session, "For two people, and"))
    greeted.tells(lambda session: ReplyAudio(session, speech(1_100)), lost)
    greeted.now_ms += 800
    greeted.happens(CallerSpoke(700))
    assert of(SayToModel, greeted.ready()) == []


# Refusals.


def test_a_refused_handle_means_a_fresh_session_with_the_transcript_as_heard(
    greeted: Talk,
) -> None:
    greeted.exchange("A room?", "one two three four five six", 2, "h1")
    greeted.replies("seven eight nine ten")
    greeted.hears(3, 500)
    greeted.tells(Interrupted, TurnComplete, lost)
    greeted.refused(1008)
    assert greeted.opened.handle == ""
    assert texts(greeted.opened.history) == [
        GREETING, "A room?", "one two three four five six", "seven eight",
    ]  # fmt: skip
    greeted.ready()
    assert greeted.cues == [GREETING_CUE]


def test_a_handle_refused_as_in_use_is_left(greeted: Talk) -> None:
    greeted.exchange("A room?", "Yes.", 2, "h1")
    greeted.tells(lost)
    assert greeted.opened.handle == "h1"
    assert len(of(OpenModel, greeted.refused(1011))) == 1
    assert greeted.opened.handle == ""


def test_a_refused_session_is_not_closed(talk: Talk) -> None:
    assert of(CloseModel, talk.refused(1011)) == []


def test_the_caller_is_not_kept_without_a_model_for_longer_than_the_budget(talk: Talk) -> None:
    talk.answer()
    for _ in range(1_000):
        if of(GiveUp, talk.refused(1011)):
            break
        if (deadline_ms := talk.conversation.deadline_ms()) is not None:
            talk.wait(deadline_ms - talk.now_ms)
    else:
        pytest.fail("the caller was kept for 1000 refusals")
    assert 0 < talk.now_ms <= AWAY.budget_ms
    assert 5 <= len(of(OpenModel, talk.commands)) < 50


@pytest.mark.parametrize("resumes", [False, True])
def test_a_dial_that_is_not_answered_is_followed_by_another(greeted: Talk, resumes: bool) -> None:
    if resumes:
        greeted.exchange("A room?", "Yes.", 2, "h1")
    greeted.tells(lost)
    dialled_ms, hanging = greeted.now_ms, greeted.session
    assert greeted.wait(OPENING_LIMIT_MS - 1) == []
    assert CloseModel(hanging, HUNG) in greeted.wait(1)
    greeted.wait(500)
    assert (greeted.session, greeted.opened.handle) == (hanging + 1, "")
    done = greeted.wait(AWAY.budget_ms)
    assert done[-1] == GiveUp(Impasse.MODEL_UNAVAILABLE)
    assert len(of(OpenModel, done)) <= 2
    assert dialled_ms + AWAY.budget_ms <= greeted.now_ms


def test_a_dial_that_is_not_answered_is_followed_by_one_of_the_fallback_at_once() -> None:
    talk = Talk(None, [], 1, has_fallback=True)
    talk.answer()
    assert talk.wait(OPENING_LIMIT_MS)[-1] == talk.opened
    assert talk.opened.fallback


def test_a_key_that_is_refused_is_given_up_at_once(talk: Talk) -> None:
    done = talk.refused(403)
    assert done[-1] == GiveUp(Impasse.MODEL_REFUSED)
    assert of(OpenModel, done) == []


def test_one_lost_session_a_turn_is_never_given_up(greeted: Talk) -> None:
    for turn in range(100):
        greeted.now_ms += 4_000
        greeted.replies("Yes.")
        greeted.hears_all(2 + turn)
        assert of(GiveUp, greeted.tells(lost)) == []
        greeted.ready()


def test_an_outage_long_past_does_not_shorten_the_next(greeted: Talk) -> None:
    greeted.tells(lost)
    greeted.ready()
    greeted.wait(RENEW_BY_MS)  # silence, then a forced renewal
    assert of(GiveUp, greeted.refused(1011)) == []
