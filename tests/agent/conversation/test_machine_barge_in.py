"""The caller talks over the agent: what stops, what is dropped, what was heard."""

from collections.abc import Callable

import pytest

from agent.conversation.barge_in import TOLD_LATE_MS, WRITTEN_LATE_MS
from agent.conversation.commands import SayToModel
from agent.conversation.events import (
    AgentSaid,
    CallerActivityStarted,
    CallerSaid,
    GenerationComplete,
    Interrupted,
    ModelEvent,
    ReplyAudio,
    TurnComplete,
)
from agent.conversation.listener_commands import PlayReply, ReleaseCallerAudio, StopPlayback
from agent.conversation.listener_events import CallerSpoke, TimePassed
from agent.conversation.pace import LEAST_PATIENCE_MS
from agent.conversation.turns import DROP_LIMIT_MS, Floor
from tests.agent.conversation.conftest import (
    Talk,
    audio,
    lost,
    of,
    speech,
)

WORDS = "one two three four five six seven eight nine ten"
type Sign = Callable[[int], ModelEvent]


def wait_is_said(session: int) -> ModelEvent:
    """The caller's words are written down."""
    return CallerSaid(session, "Wait.")


def test_interrupted_stops_cuts_and_stores_in_one_step(greeted: Talk) -> None:
    greeted.now_ms = 7_000
    greeted.replies(WORDS, 3_000)
    greeted.now_ms = 8_000
    greeted.hears(2, 900)
    done = greeted.tells(Interrupted)
    assert of(StopPlayback, done) == [StopPlayback(2)]
    assert ReleaseCallerAudio(7_000) in done
    assert greeted.lines[1:] == [("agent", WORDS, "one two three")]
    assert greeted.floor is Floor.CALLER


@pytest.mark.parametrize("before", [[], [GenerationComplete], [GenerationComplete, TurnComplete]])
@pytest.mark.parametrize("after", [[], [GenerationComplete]])
def test_an_interruption_is_one_stop_wherever_it_comes(
    greeted: Talk, before: list[Sign], after: list[Sign]
) -> None:
    greeted.tells(lambda session: AgentSaid(session, "A room is free."), audio, *before)
    done = greeted.tells(Interrupted, audio, *after, TurnComplete)
    assert of(StopPlayback, done) == [StopPlayback(2)]
    assert of(PlayReply, done) == []
    assert greeted.lines[1:] == [("agent", "A room is free.", "")]
    assert greeted.tells(audio) == [PlayReply(3, speech(100))]


@pytest.mark.parametrize("spoken_ms", [0, 60])
def test_an_answer_that_was_interrupted_before_anyone_heard_it_is_still_owed(
    greeted: Talk, spoken_ms: int
) -> None:
    greeted.happens(CallerSpoke(900))
    greeted.now_ms += 700
    greeted.says("Is a room free?")
    greeted.tells(audio)
    greeted.hears(2, 20)
    if spoken_ms:  # then somebody talks over it, and it counts as heard
        greeted.happens(CallerSpoke(spoken_ms))
    greeted.tells(Interrupted, TurnComplete)
    greeted.now_ms += LEAST_PATIENCE_MS
    asked = of(SayToModel, greeted.happens(TimePassed()))
    assert bool(asked) is not bool(spoken_ms)
    assert greeted.conversation.debt.told is not bool(spoken_ms)


def test_an_interruption_of_nothing_stops_nothing(greeted: Talk) -> None:
    assert greeted.tells(Interrupted) == []
    greeted.tells(TurnComplete)
    assert greeted.tells(audio) == [PlayReply(2, speech(100))]


def test_an_interruption_forgets_the_replies_queued_behind_it_too(greeted: Talk) -> None:
    greeted.replies("A room is free.")
    greeted.tells(TurnComplete)
    greeted.replies("Shall I book it?")
    greeted.hears(2, 1_000)
    assert StopPlayback(3) in greeted.tells(Interrupted)
    assert greeted.lines[1:] == [
        ("agent", "A room is free.", "A room is free."),
        ("agent", "Shall I book it?", ""),
    ]


def test_stale_audio_and_text_are_dropped_until_the_turn_is_closed(greeted: Talk) -> None:
    greeted.tells(audio, Interrupted)
    assert greeted.tells(audio, lambda session: AgentSaid(session, "stale"), audio) == []
    greeted.tells(TurnComplete)
    assert greeted.conversation.deadline_ms() != DROP_LIMIT_MS
    assert greeted.replies("New.")
    greeted.hears_all(3)
    assert greeted.lines[1:] == [("agent", "New.", "New.")]


def test_stale_audio_is_dropped_for_a_second_where_the_turn_never_closes(greeted: Talk) -> None:
    greeted.tells(audio, Interrupted)
    greeted.wait(DROP_LIMIT_MS - 1)
    assert greeted.tells(audio) == []
    greeted.wait(1)
    assert greeted.tells(audio) == [PlayReply(3, speech(100))]


def test_the_limit_of_a_drop_holds_also_where_its_tick_comes_late(greeted: Talk) -> None:
    """After a stall of the loop, what was received is stepped before the timer."""
    greeted.tells(audio, Interrupted)
    greeted.now_ms += DROP_LIMIT_MS
    assert greeted.tells(audio) == [PlayReply(3, speech(100))]


def test_fifty_barge_ins_are_fifty_stops(greeted: Talk) -> None:
    for i in range(50):
        greeted.replies(WORDS, 3_000)
        greeted.now_ms += 1_000
        greeted.hears(2 + i, 600)
        done = greeted.tells(Interrupted, audio, TurnComplete)
        assert of(StopPlayback, done) == [StopPlayback(2 + i)]
        assert len(of(PlayReply, done)) == 0
    assert greeted.lines[1:] == [("agent", WORDS, "one two")] * 50


def test_words_of_the_caller_after_the_turn_over_a_playing_reply_are_a_barge_in(
    greeted: Talk,
) -> None:
    greeted.replies(WORDS, 3_000)
    greeted.tells(TurnComplete)
    greeted.now_ms += 1_500
    greeted.happens(CallerSpoke(600))
    greeted.hears(2, 1_500)
    greeted.now_ms += WRITTEN_LATE_MS
    assert StopPlayback(2) in greeted.says("No, wait.")
    greeted.replies("Yes?")
    assert greeted.lines[1:] == [
        ("agent", WORDS, "one two three four five"),
        ("caller", "No, wait.", "No, wait."),
    ]


def test_words_of_the_caller_while_it_generates_are_a_late_transcription(greeted: Talk) -> None:
    greeted.tells(audio)
    assert greeted.says("a room") == []
    greeted.tells(GenerationComplete)
    assert greeted.says(" for two") == []
    assert greeted.floor is Floor.AGENT


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_transcription_is_no_barge_in(greeted: Talk, text: str) -> None:
    greeted.replies("A room is free.")
    greeted.tells(TurnComplete)
    assert greeted.says(text) == []


def test_activity_over_a_reply_that_only_plays_is_a_barge_in(greeted: Talk) -> None:
    greeted.replies("A room is free.", 3_000)
    greeted.now_ms += TOLD_LATE_MS + 1
    assert StopPlayback(2) in greeted.tells(CallerActivityStarted)
    assert of(StopPlayback, greeted.tells(Interrupted)) == []


def test_activity_told_late_is_of_what_the_reply_answers(greeted: Talk) -> None:
    greeted.replies("Yes.", 300)
    greeted.now_ms += TOLD_LATE_MS
    assert greeted.tells(CallerActivityStarted) == []


def test_a_question_told_late_does_not_cut_the_end_of_its_short_answer(greeted: Talk) -> None:
    greeted.replies("Yes.", 300)
    greeted.tells(TurnComplete)
    greeted.now_ms += 200
    assert greeted.says("Is a room free?") == []
    greeted.hears_all(2)
    assert [text for _, text, _ in greeted.lines[1:]] == ["Is a room free?", "Yes."]


@pytest.mark.parametrize("late_ms", [1_300, 2_500, 6_000])
def test_a_question_told_late_does_not_cut_its_long_answer(greeted: Talk, late_ms: int) -> None:
    greeted.now_ms = 5_000
    greeted.happens(CallerSpoke(1_500))
    greeted.now_ms += 1_200
    greeted.replies(WORDS, 8_000)
    greeted.tells(TurnComplete)
    greeted.now_ms += late_ms
    assert of(StopPlayback, greeted.says("Is a room free?")) == []
    greeted.hears_all(2, 8_000)
    assert [text for _, text, _ in greeted.lines[1:]] == ["Is a room free?", WORDS]


def test_words_after_those_of_the_question_are_a_barge_in_where_there_was_speech(
    greeted: Talk,
) -> None:
    greeted.replies(WORDS, 8_000)
    greeted.tells(TurnComplete)
    greeted.now_ms += 1_000
    assert of(StopPlayback, greeted.says("Is a room") + greeted.says(" free?")) == []
    greeted.now_ms += 1_000
    greeted.happens(CallerSpoke(600))
    assert StopPlayback(2) in greeted.says("No, wait.")


def test_activity_while_it_generates_is_left_to_the_server(greeted: Talk) -> None:
    greeted.tells(audio)
    assert greeted.tells(CallerActivityStarted) == []


def test_activity_into_silence_is_nothing(greeted: Talk) -> None:
    assert greeted.tells(CallerActivityStarted) == []


def test_the_reply_after_a_broken_off_one_can_be_talked_over(greeted: Talk) -> None:
    greeted.tells(audio, lost)
    greeted.ready()
    greeted.replies(WORDS, 3_000)
    greeted.tells(TurnComplete)
    greeted.now_ms += WRITTEN_LATE_MS + 1
    greeted.happens(CallerSpoke(300))
    assert StopPlayback(3) in greeted.says("Wait.")


@pytest.mark.parametrize("sign", [Interrupted, CallerActivityStarted, wait_is_said])
def test_a_broken_off_reply_can_be_talked_over_and_the_next_is_heard_whole(
    greeted: Talk, sign: Sign
) -> None:
    greeted.now_ms = 7_000
    greeted.tells(lambda session: ReplyAudio(session, speech(6_000)))
    greeted.now_ms += 1_000
    greeted.tells(lost)
    assert of(StopPlayback, greeted.ready()) == []
    greeted.now_ms += 1_000
    assert of(StopPlayback, greeted.tells(sign)) == []
    greeted.happens(CallerSpoke(600))
    assert of(StopPlayback, greeted.tells(sign)) == [StopPlayback(2)]
    greeted.now_ms += 500
    assert of(PlayReply, greeted.tells(audio)) == [PlayReply(3, speech(100))]


def test_an_interruption_of_nothing_makes_nothing_stale(greeted: Talk) -> None:
    greeted.now_ms += 5_000
    greeted.tells(Interrupted)
    greeted.now_ms += 600
    greeted.replies("Yes.", 3_000)
    greeted.tells(TurnComplete)
    greeted.hears_all(2, 3_000)
    assert greeted.lines[-1] == ("agent", "Yes.", "Yes.")


def test_a_thought_that_the_caller_interrupted_is_no_empty_turn(greeted: Talk) -> None:
    greeted.now_ms += 5_000
    greeted.happens(CallerSpoke(600))
    assert of(SayToModel, greeted.tells(Interrupted, TurnComplete) + greeted.wait(100)) == []
