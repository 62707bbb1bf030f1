"""Turns: replies, interruptions, and the lines they leave. Sessions: test_machine_sessions.py."""

import pytest

from agent.conversation.commands import (
    AppendLine,
    CloseModel,
    ConversationCommand,
    FinishReply,
    HoldCallerAudio,
    PlayReply,
    ReleaseCallerAudio,
    ResumeCallerAudio,
    SaveCheckpoint,
    SayToModel,
    StopPlayback,
)
from agent.conversation.events import (
    AgentSaid,
    CallerActivityEnded,
    CallerActivityStarted,
    CallerSaid,
    GenerationComplete,
    Interrupted,
    ModelEvent,
    ReplyAudio,
    TurnComplete,
    UnknownModelMessage,
    UsageReported,
)
from agent.conversation.machine import DROP_LIMIT_MS
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.turns import Floor, Generation
from tests.agent.conversation.conftest import Talk, speech

CUE = DEFAULT_PERSONA.greeting_cue
WORDS = "one two three four five six seven eight nine ten"


def audio(session: int) -> ModelEvent:
    return ReplyAudio(session, speech(100))


def says(talk: Talk, text: str) -> list[ConversationCommand]:
    """The caller's words are transcribed."""
    return talk.tells(lambda session: CallerSaid(session, text))


def of(kind: type, commands: list[ConversationCommand]) -> list[ConversationCommand]:
    return [command for command in commands if isinstance(command, kind)]


# The greeting.


def test_the_greeting_cue_waits_for_the_session(talk: Talk) -> None:
    talk.answer()
    assert talk.cues == []
    talk.ready()
    assert talk.cues == [CUE]


def test_the_greeting_cue_waits_for_the_listener(talk: Talk) -> None:
    talk.ready()
    assert talk.cues == []
    talk.answer()
    assert talk.cues == [CUE]


def test_the_greeting_cue_goes_out_once(talk: Talk) -> None:
    talk.answer()
    talk.ready()
    talk.conversation.left(10)
    talk.answer(epoch=2)
    talk.wait(60_000)
    assert talk.cues == [CUE]


def test_the_cue_goes_before_what_the_caller_said_meanwhile(talk: Talk) -> None:
    talk.answer()
    cue, resume = talk.ready()
    assert cue == SayToModel(talk.session, CUE)
    assert resume == ResumeCallerAudio(talk.session)


def test_nothing_is_stored_before_somebody_has_taken_the_call(talk: Talk) -> None:
    talk.ready()
    talk.hands_out("h1")
    assert of(SaveCheckpoint, talk.commands) == []
    talk.answer(epoch=4)
    assert talk.checkpoint.epoch == 4
    assert talk.checkpoint.handle == "h1"
    assert not talk.checkpoint.greeted


@pytest.mark.parametrize(("ms", "greeted"), [(299.9, False), (300, True)])
def test_the_greeting_counts_as_given_once_300_ms_of_it_were_heard(
    talk: Talk, ms: float, greeted: bool
) -> None:
    talk.answer()
    talk.ready()
    talk.replies("Hello, this is Ada.")
    talk.hears(1, ms)
    assert talk.checkpoint.greeted is greeted
    assert talk.conversation.close(1_000)


# A reply.


def test_a_reply_is_played_finished_and_becomes_a_line_once_heard(greeted: Talk) -> None:
    done = greeted.tells(audio, audio, GenerationComplete)
    assert done == [
        PlayReply(2, speech(100)),
        PlayReply(2, speech(100)),
        FinishReply(2),
        ReleaseCallerAudio(0),
    ]
    greeted.tells(lambda session: AgentSaid(session, "Late text."), TurnComplete)
    assert len(greeted.lines) == 1
    greeted.hears_all(2, 200)
    assert greeted.lines[1:] == [("agent", "Late text.", "Late text.")]


def test_the_agent_has_the_floor_until_it_was_heard_and_not_until_the_turn_closes(
    greeted: Talk,
) -> None:
    assert greeted.conversation.floor is Floor.CALLER
    greeted.replies("A room is free.")
    greeted.tells(TurnComplete)
    assert greeted.conversation.generation is Generation.IDLE
    assert greeted.conversation.floor is Floor.AGENT
    greeted.hears_all(2)
    assert greeted.conversation.floor is Floor.CALLER


def test_a_checkpoint_is_saved_at_every_new_handle_and_every_turn_end(greeted: Talk) -> None:
    assert len(of(SaveCheckpoint, greeted.hands_out("h9"))) == 1
    greeted.replies("A room is free.")
    assert len(of(SaveCheckpoint, greeted.hears_all(2))) == 1
    assert greeted.checkpoint.handle == "h9"


def test_a_turn_that_closes_without_generation_complete_ends_the_reply(greeted: Talk) -> None:
    greeted.tells(audio)
    assert FinishReply(2) in greeted.tells(TurnComplete)


def test_generation_and_turn_complete_finish_a_reply_once(greeted: Talk) -> None:
    greeted.tells(audio)
    done = greeted.tells(GenerationComplete, GenerationComplete, TurnComplete)
    assert of(FinishReply, done) == [FinishReply(2)]


def test_an_empty_turn_is_no_reply(greeted: Talk) -> None:
    assert greeted.tells(GenerationComplete, TurnComplete) == []
    assert greeted.conversation.floor is Floor.CALLER


def test_the_next_reply_queues_behind_one_that_still_plays(greeted: Talk) -> None:
    greeted.replies("A room is free.")
    greeted.tells(TurnComplete)
    done = greeted.replies("Shall I book it?")
    assert of(PlayReply, done) == [PlayReply(3, speech(1000))]
    assert of(StopPlayback, done) == []
    greeted.hears_all(2)
    assert greeted.conversation.floor is Floor.AGENT
    greeted.hears_all(3)
    assert [text for _, text, _ in greeted.lines[1:]] == ["A room is free.", "Shall I book it?"]


def test_what_follows_a_complete_reply_is_a_new_one_within_the_same_turn(greeted: Talk) -> None:
    greeted.tells(audio, GenerationComplete)
    assert greeted.tells(audio) == [PlayReply(3, speech(100))]


def test_notices_and_stale_sessions_change_nothing(greeted: Talk) -> None:
    conversation, session = greeted.conversation, greeted.session
    notices: list[ModelEvent] = [
        CallerActivityEnded(session),
        UsageReported(session, 1, 2, 3, 4),
        UnknownModelMessage(session, "newField"),
        ReplyAudio(session + 1, speech(20)),
        Interrupted(session - 1),
    ]
    assert [conversation.step(event, 5_000) for event in notices] == [[]] * len(notices)


def test_an_empty_piece_of_text_begins_no_reply(greeted: Talk) -> None:
    """Such a piece only says that the transcription has finished."""
    assert greeted.tells(lambda session: AgentSaid(session, "", finished=True)) == []
    assert greeted.conversation.floor is Floor.CALLER


# Barge-in.


def test_interrupted_stops_cuts_and_stores_in_one_step(greeted: Talk) -> None:
    greeted.now_ms = 7_000
    greeted.replies(WORDS, 3_000)
    greeted.now_ms = 8_000
    greeted.hears(2, 900)
    done = greeted.tells(Interrupted)
    assert of(StopPlayback, done) == [StopPlayback(2)]
    assert ReleaseCallerAudio(7_000) in done
    assert greeted.lines[1:] == [("agent", WORDS, "one two three")]
    assert greeted.conversation.floor is Floor.CALLER


@pytest.mark.parametrize("before", [[], [GenerationComplete], [GenerationComplete, TurnComplete]])
@pytest.mark.parametrize("after", [[], [GenerationComplete]])
def test_an_interruption_is_one_stop_wherever_it_comes(
    greeted: Talk, before: list[type[TurnComplete]], after: list[type[TurnComplete]]
) -> None:
    greeted.tells(lambda session: AgentSaid(session, "A room is free."), audio, *before)
    done = greeted.tells(Interrupted, audio, *after, TurnComplete)
    assert of(StopPlayback, done) == [StopPlayback(2)]
    assert of(PlayReply, done) == []
    assert greeted.lines[1:] == [("agent", "A room is free.", "")]
    assert greeted.tells(audio) == [PlayReply(3, speech(100))]


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
    greeted.hears(2, 1_500)
    assert StopPlayback(2) in says(greeted, "No, wait.")
    greeted.replies("Yes?")
    assert greeted.lines[1:] == [
        ("agent", WORDS, "one two three four five"),
        ("caller", "No, wait.", "No, wait."),
    ]


def test_words_of_the_caller_while_it_generates_are_a_late_transcription(greeted: Talk) -> None:
    greeted.tells(audio)
    assert says(greeted, "a room") == []
    greeted.tells(GenerationComplete)
    assert says(greeted, " for two") == []
    assert greeted.conversation.floor is Floor.AGENT


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_transcription_is_no_barge_in(greeted: Talk, text: str) -> None:
    greeted.replies("A room is free.")
    greeted.tells(TurnComplete)
    assert says(greeted, text) == []


def test_activity_over_a_reply_that_only_plays_is_a_barge_in(greeted: Talk) -> None:
    greeted.replies("A room is free.")
    assert StopPlayback(2) in greeted.tells(CallerActivityStarted)
    assert of(StopPlayback, greeted.tells(Interrupted)) == []


def test_activity_while_it_generates_is_left_to_the_server(greeted: Talk) -> None:
    greeted.tells(audio)
    assert greeted.tells(CallerActivityStarted) == []


def test_activity_into_silence_is_nothing(greeted: Talk) -> None:
    assert greeted.tells(CallerActivityStarted) == []


# The order of lines.


def test_the_question_is_a_line_before_its_answer(greeted: Talk) -> None:
    says(greeted, "Is a room")
    says(greeted, " free?")
    greeted.replies("Yes.")
    greeted.hears_all(2)
    assert greeted.lines[1:] == [
        ("caller", "Is a room free?", "Is a room free?"),
        ("agent", "Yes.", "Yes."),
    ]


def test_a_question_transcribed_late_is_still_a_line_before_its_answer(greeted: Talk) -> None:
    greeted.tells(audio)
    says(greeted, "Is a room free?")
    greeted.replies("Yes.")
    greeted.tells(TurnComplete)
    greeted.hears_all(2, 1_100)
    greeted.does(greeted.conversation.close(9_000))
    assert [(role, text) for role, text, _ in greeted.lines[1:]] == [
        ("caller", "Is a room free?"),
        ("agent", "Yes."),
    ]


def test_a_late_question_and_the_barge_in_on_its_answer_are_two_lines(greeted: Talk) -> None:
    greeted.tells(audio)
    says(greeted, "Is a room free?")
    greeted.tells(lambda session: AgentSaid(session, "Yes, it is."))
    greeted.tells(Interrupted, TurnComplete)
    says(greeted, "Wait, two rooms.")
    greeted.does(greeted.conversation.close(9_000))
    assert [(role, text) for role, text, _ in greeted.lines[1:]] == [
        ("caller", "Is a room free?"),
        ("agent", "Yes, it is."),
        ("caller", "Wait, two rooms."),
    ]


def test_lines_are_numbered_without_gaps_and_timed_from_the_beginning(greeted: Talk) -> None:
    greeted.now_ms = 4_000
    says(greeted, "Is a room free?")
    greeted.now_ms = 6_000
    greeted.replies("Yes.")
    greeted.hears_all(2)
    stored = [c.line for c in greeted.commands if isinstance(c, AppendLine)]
    assert [(line.n, line.at_ms, line.epoch) for line in stored] == [
        (1, 0, 1), (2, 4_000, 1), (3, 6_000, 1),
    ]
    assert greeted.conversation.lines == tuple(stored)


# The end.


def test_closing_makes_every_open_entry_a_line_and_leaves_no_session(greeted: Talk) -> None:
    greeted.replies(WORDS, 3_000)
    greeted.hears(2, 600)
    says(greeted, "never mind")
    done = greeted.does(greeted.conversation.close(9_000))
    assert greeted.lines[1:] == [
        ("agent", WORDS, "one two"),
        ("caller", "never mind", "never mind"),
    ]
    assert CloseModel(greeted.session) in done
    assert HoldCallerAudio() in done


def test_after_closing_it_is_silent(greeted: Talk) -> None:
    greeted.does(greeted.conversation.close(9_000))
    assert greeted.tells(audio, Interrupted, TurnComplete) == []
    assert greeted.conversation.tick(60_000) == []
    assert greeted.conversation.deadline_ms() is None
