"""The agent greets once, and answers for a worker that is gone."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import AppendLine, SaveCheckpoint, SayToModel
from agent.conversation.events import GenerationComplete, Interrupted, ModelEvent, TurnComplete
from agent.conversation.listener_commands import ResumeCallerAudio
from agent.conversation.listener_events import CallerSpoke, ListenerLeft
from agent.conversation.persona import (
    CUT_OFF_CUE,
    DEFAULT_PERSONA,
    GO_ON_CUE,
    GREETING_LEFT_CUE,
)
from agent.conversation.transcript import Line
from tests.agent.conversation.conftest import (
    WALL_TIME_MS,
    Converse,
    Talk,
    audio,
    lost,
    of,
    texts,
)

GREETING_CUE = DEFAULT_PERSONA.greeting_cue
GREETING = "Hello, this is Ada."


# The greeting.


def test_the_greeting_cue_waits_for_the_session(talk: Talk) -> None:
    talk.answer()
    assert talk.cues == []
    talk.ready()
    assert talk.cues == [GREETING_CUE]


def test_the_greeting_cue_waits_for_the_listener(talk: Talk) -> None:
    talk.ready()
    assert talk.cues == []
    talk.answer()
    assert talk.cues == [GREETING_CUE]


def test_the_greeting_cue_goes_out_once(talk: Talk) -> None:
    talk.answer()
    talk.ready()
    talk.happens(ListenerLeft())
    talk.answer(epoch=2)
    talk.wait(1_000)
    assert talk.cues == [GREETING_CUE]


def test_the_cue_goes_before_what_the_caller_said_meanwhile(talk: Talk) -> None:
    talk.answer()
    cue, resume = talk.ready()
    assert cue == SayToModel(talk.session, GREETING_CUE)
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


# Over sessions.


def test_a_greeting_lost_before_300_ms_is_given_again_by_the_next_session(talk: Talk) -> None:
    talk.answer()
    talk.ready()
    talk.tells(audio)
    talk.hears(1, 299)
    talk.tells(lost)
    talk.ready()
    assert talk.cues == [GREETING_CUE, GREETING_CUE]


def test_a_greeting_lost_after_300_ms_is_never_given_again(talk: Talk) -> None:
    talk.answer()
    talk.ready()
    talk.tells(audio)
    talk.hears(1, 300)
    talk.tells(lost)
    talk.ready()
    assert talk.cues == [GREETING_CUE]


def test_a_greeting_that_is_here_whole_is_not_asked_for_again(talk: Talk) -> None:
    talk.answer()
    talk.ready()
    talk.replies(GREETING)
    talk.tells(lost)
    talk.ready()
    assert talk.cues == [GREETING_CUE]


def test_a_cue_that_was_lost_before_any_audio_is_given_again(talk: Talk) -> None:
    talk.answer()
    talk.ready()
    talk.tells(lost)
    talk.ready()
    assert talk.cues == [GREETING_CUE, GREETING_CUE]


def test_nobody_is_greeted_in_mid_conversation(talk: Talk) -> None:
    """The caller spoke over the greeting's first words, and was answered."""
    talk.answer()
    talk.ready()
    talk.replies(GREETING)
    talk.hears(1, 200)
    talk.tells(Interrupted, TurnComplete)
    talk.exchange("A room?", "Yes.", 2, "h1")
    talk.tells(lost)
    talk.ready()
    assert talk.cues == [GREETING_CUE]


# Another worker.


def checkpoint(*, greeted: bool = True, handle: str = "h7", handle_lines: int = 1) -> Checkpoint:
    return Checkpoint(3, 60_000, WALL_TIME_MS - 900, greeted, handle, handle_lines)


AGENT_LINE = Line(1, "agent", "Hello.", "Hello.", 500, 3)
CALLER_LINE = Line(2, "caller", "A room?", "A room?", 9_000, 3)


def test_another_worker_resumes_from_the_handle_with_the_lines_after_it(converse: Converse) -> None:
    talk = converse(checkpoint(), [AGENT_LINE, CALLER_LINE])
    assert talk.opened.handle == "h7"
    assert talk.opened.history == (CALLER_LINE,)


def test_a_caller_who_was_not_greeted_is_greeted_by_the_next_worker(converse: Converse) -> None:
    talk = converse(checkpoint(greeted=False, handle_lines=0))
    talk.ready()
    talk.answer(epoch=4)
    assert talk.cues == [GREETING_CUE]


def test_a_caller_who_was_cut_off_and_calls_again_is_told_so_in_place_of_a_greeting(
    converse: Converse,
) -> None:
    lines = [replace(AGENT_LINE, epoch=0), replace(CALLER_LINE, epoch=0)]
    talk = converse(replace(checkpoint(greeted=False, handle_lines=0), epoch=0, handle=""), lines)
    talk.ready()
    talk.answer(epoch=1)
    assert talk.cues == [CUT_OFF_CUE]


def test_a_caller_who_was_greeted_is_not_greeted_by_the_next_worker(converse: Converse) -> None:
    talk = converse(checkpoint(), [AGENT_LINE])
    talk.ready()
    talk.answer(epoch=4)
    assert talk.cues == []


def test_a_caller_who_had_the_last_word_is_answered_by_the_next_worker(converse: Converse) -> None:
    talk = converse(checkpoint(), [AGENT_LINE, CALLER_LINE])
    talk.ready()
    assert of(SayToModel, talk.answer(epoch=4)) == [SayToModel(talk.session, GO_ON_CUE)]
    talk.exchange("Still there?", "Yes.", 1, "h8")
    talk.tells(lost)
    talk.ready()
    assert talk.cues == [GO_ON_CUE]


@pytest.mark.parametrize("of_the_answer", [[], [audio]])
def test_an_answer_that_is_owed_is_asked_for_again_until_it_came(
    converse: Converse, of_the_answer: list[Callable[[int], ModelEvent]]
) -> None:
    """There is no audio of it here that could be sent again."""
    talk = converse(checkpoint(), [AGENT_LINE, CALLER_LINE])
    talk.answer(epoch=4)
    talk.ready()
    talk.tells(*of_the_answer, lost)
    talk.ready()
    assert talk.cues == [GO_ON_CUE, GO_ON_CUE]


def test_lines_and_time_go_on_where_the_other_worker_stopped(converse: Converse) -> None:
    talk = converse(checkpoint(), [AGENT_LINE, CALLER_LINE])
    talk.ready()
    talk.answer(epoch=4)
    talk.now_ms = 250
    talk.replies("Yes.")
    talk.hears_all(1)
    assert of(AppendLine, talk.commands) == [
        AppendLine(Line(3, "agent", "Yes.", "Yes.", 60_900 + 250, 4))
    ]
    assert talk.checkpoint.epoch == 4
    assert talk.checkpoint.elapsed_ms == 60_900 + 250
    assert talk.checkpoint.wall_time_ms == WALL_TIME_MS + 250


def test_another_worker_goes_on_from_any_moment(greeted: Talk, converse: Converse) -> None:
    greeted.exchange("A room?", "Yes.", 2, "h1")
    greeted.says("For two?")
    greeted.replies("For two.")
    greeted.hears_all(3)
    saved = Checkpoint.from_json(greeted.checkpoint.to_json())
    other = converse(saved, greeted.conversation.lines)
    assert other.opened.handle == "h1"
    assert texts(other.opened.history) == ["For two?", "For two."]
    other.ready()
    other.answer(epoch=2)
    assert other.cues == []


def test_the_greeting_that_was_given_again_counts_once_it_is_heard(talk: Talk) -> None:
    talk.answer()
    talk.ready()
    talk.tells(audio, lost)
    talk.ready()
    talk.tells(audio)
    talk.hears(2, 300)
    assert talk.checkpoint.greeted


# Another worker, after a greeting that is no line.


def next_worker(talk: Talk, converse: Converse, epoch: int = 2) -> Talk:
    """The worker dies; another one goes on from what is stored."""
    other = converse(Checkpoint.from_json(talk.checkpoint.to_json()), talk.conversation.lines)
    other.ready()
    other.answer(epoch)
    return other


@pytest.fixture
def wordless(talk: Talk) -> Talk:
    """A caller who has heard 300 ms of a greeting whose words have not come."""
    talk.answer()
    talk.ready()
    talk.tells(*[audio] * 10)
    talk.hears(1, 300)
    return talk


def test_nobody_is_answered_after_a_greeting_whose_words_never_came(
    wordless: Talk, converse: Converse
) -> None:
    wordless.tells(GenerationComplete, TurnComplete)
    wordless.hears_all(1)
    assert wordless.lines == []
    second = next_worker(wordless, converse)
    assert next_worker(second, converse, epoch=3).cues == second.cues == []


def test_a_greeting_that_broke_off_with_its_worker_is_finished_and_nobody_is_answered(
    wordless: Talk, converse: Converse
) -> None:
    second = next_worker(wordless, converse)
    third = next_worker(second, converse, epoch=3)
    assert second.cues == third.cues == [GREETING_LEFT_CUE]
    assert second.lines == third.lines == []
    third.replies("I am Ada.")
    third.hears_all(1)
    assert next_worker(third, converse, epoch=4).cues == []


def test_who_spoke_after_a_greeting_whose_words_never_came_is_answered(
    wordless: Talk, converse: Converse
) -> None:
    wordless.tells(GenerationComplete, TurnComplete)
    wordless.hears_all(1)
    wordless.now_ms = 5_000
    wordless.happens(CallerSpoke(300))
    assert next_worker(wordless, converse).cues == [GO_ON_CUE]
