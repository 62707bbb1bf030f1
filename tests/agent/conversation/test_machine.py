"""Replies, and the lines they leave. Barge-in and sessions have files of their own."""

from agent.conversation.commands import AppendLine, CloseModel, SaveCheckpoint
from agent.conversation.events import (
    AgentSaid,
    GenerationComplete,
    Interrupted,
    ModelEvent,
    ReplyAudio,
    TurnComplete,
    UnknownModelMessage,
    UsageReported,
)
from agent.conversation.listener_commands import (
    FinishReply,
    HoldCallerAudio,
    PlayReply,
    ReleaseCallerAudio,
    StopPlayback,
)
from agent.conversation.listener_events import ConversationClosed, TimePassed
from agent.conversation.turns import Floor, Generation
from tests.agent.conversation.conftest import Talk, audio, of, speech

WORDS = "one two three four five six seven eight nine ten"


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
    held = [greeted.floor]
    greeted.replies("A room is free.")
    greeted.tells(TurnComplete)
    assert greeted.conversation.generation is Generation.IDLE
    held.append(greeted.floor)
    greeted.hears_all(2)
    assert [*held, greeted.floor] == [Floor.CALLER, Floor.AGENT, Floor.CALLER]


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
    assert greeted.floor is Floor.CALLER


def test_the_next_reply_queues_behind_one_that_still_plays(greeted: Talk) -> None:
    greeted.replies("A room is free.")
    greeted.tells(TurnComplete)
    done = greeted.replies("Shall I book it?")
    assert of(PlayReply, done) == [PlayReply(3, speech(1000))]
    assert of(StopPlayback, done) == []
    greeted.hears_all(2)
    assert greeted.floor is Floor.AGENT
    greeted.hears_all(3)
    assert [text for _, text, _ in greeted.lines[1:]] == ["A room is free.", "Shall I book it?"]


def test_what_follows_a_complete_reply_is_a_new_one_within_the_same_turn(greeted: Talk) -> None:
    greeted.tells(audio, GenerationComplete)
    assert greeted.tells(audio) == [PlayReply(3, speech(100))]


def test_notices_and_stale_sessions_change_nothing(greeted: Talk) -> None:
    conversation, session = greeted.conversation, greeted.session
    notices: list[ModelEvent] = [
        UsageReported(session, 1, 2, 3, 4),
        UnknownModelMessage(session, "newField"),
        ReplyAudio(session + 1, speech(20)),
        Interrupted(session - 1),
    ]
    assert [conversation.step(event, 5_000) for event in notices] == [[]] * len(notices)


def test_an_empty_piece_of_text_begins_no_reply(greeted: Talk) -> None:
    """Such a piece only says that the transcription has finished."""
    assert greeted.tells(lambda session: AgentSaid(session, "", finished=True)) == []
    assert greeted.floor is Floor.CALLER


def test_a_reply_whose_end_the_player_had_no_room_for_is_cut_there(greeted: Talk) -> None:
    greeted.replies(WORDS, 3_000)
    greeted.hears_all(2, 1_500)
    assert greeted.lines[1:] == [("agent", WORDS, "one two three four five")]


# The order of lines.


def test_the_question_is_a_line_before_its_answer(greeted: Talk) -> None:
    greeted.says("Is a room")
    greeted.says(" free?")
    greeted.replies("Yes.")
    greeted.hears_all(2)
    assert greeted.lines[1:] == [
        ("caller", "Is a room free?", "Is a room free?"),
        ("agent", "Yes.", "Yes."),
    ]


def test_a_question_transcribed_late_is_still_a_line_before_its_answer(greeted: Talk) -> None:
    greeted.tells(audio)
    greeted.says("Is a room free?")
    greeted.replies("Yes.")
    greeted.tells(TurnComplete)
    greeted.hears_all(2, 1_100)
    greeted.happens(ConversationClosed())
    assert [(role, text) for role, text, _ in greeted.lines[1:]] == [
        ("caller", "Is a room free?"),
        ("agent", "Yes."),
    ]


def test_a_late_question_and_the_barge_in_on_its_answer_are_two_lines(greeted: Talk) -> None:
    greeted.tells(audio)
    greeted.says("Is a room free?")
    greeted.tells(lambda session: AgentSaid(session, "Yes, it is."))
    greeted.tells(Interrupted, TurnComplete)
    greeted.says("Wait, two rooms.")
    greeted.happens(ConversationClosed())
    assert [(role, text) for role, text, _ in greeted.lines[1:]] == [
        ("caller", "Is a room free?"),
        ("agent", "Yes, it is."),
        ("caller", "Wait, two rooms."),
    ]


def test_lines_are_numbered_without_gaps_and_timed_from_the_beginning(greeted: Talk) -> None:
    greeted.now_ms = 4_000
    greeted.says("Is a room free?")
    greeted.now_ms = 6_000
    greeted.replies("Yes.")
    greeted.hears_all(2)
    stored = [c.line for c in greeted.commands if isinstance(c, AppendLine)]
    assert [(line.n, line.at_ms, line.epoch) for line in stored] == [
        (1, 0, 1),
        (2, 4_000, 1),
        (3, 6_000, 1),
    ]
    assert greeted.conversation.lines == tuple(stored)


# The end.


def test_closing_makes_every_open_entry_a_line_and_leaves_no_session(greeted: Talk) -> None:
    greeted.replies(WORDS, 3_000)
    greeted.hears(2, 600)
    greeted.says("A late question?")
    done = greeted.happens(ConversationClosed())
    assert greeted.lines[1:] == [
        ("caller", "A late question?", "A late question?"),
        ("agent", WORDS, "one two"),
    ]
    assert CloseModel(greeted.session) in done
    assert HoldCallerAudio() in done


def test_after_closing_it_is_silent(greeted: Talk) -> None:
    greeted.happens(ConversationClosed())
    assert greeted.tells(audio, Interrupted, TurnComplete) == []
    assert greeted.happens(TimePassed()) == []
    assert greeted.conversation.deadline_ms() is None


def test_closing_keeps_what_the_caller_said_last(greeted: Talk) -> None:
    greeted.says("Never mind.")
    greeted.happens(ConversationClosed())
    assert greeted.lines[1:] == [("caller", "Never mind.", "Never mind.")]
