"""What a dead worker owed is asked for by the next one: its checkpoint tells it."""

from dataclasses import replace

import pytest

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import AppendLine
from agent.conversation.listener_events import CallerSpoke
from agent.conversation.persona import GO_ON_CUE, REST_CUE
from agent.conversation.transcript import UNWRITTEN, Line
from tests.agent.conversation.conftest import WALL_TIME_MS, Converse, Talk, audio, lost, of

LEFT = Checkpoint(
    3, 60_000, WALL_TIME_MS - 900, True, "h7", 1, owes_answer=True, owed_ms=58_000, owed_line=2
)
AGENT_LINE = Line(1, "agent", "Hello.", "Hello.", 500, 3)


def test_a_question_that_is_no_line_yet_is_one_for_the_next_worker(converse: Converse) -> None:
    left = replace(LEFT, owed_words="A room?")
    talk = converse(left, [AGENT_LINE])
    question = Line(2, "caller", "A room?", "A room?", 58_000, 0)
    assert talk.opened.history == (question,)
    talk.ready()
    done = talk.answer(epoch=4)
    assert of(AppendLine, done) == [AppendLine(replace(question, epoch=4))]
    assert talk.cues == [GO_ON_CUE]
    talk.tells(audio, lost)
    assert talk.opened.history == (replace(question, epoch=4),)


def test_what_nobody_wrote_down_is_asked_for_by_the_next_worker(converse: Converse) -> None:
    talk = converse(LEFT, [AGENT_LINE])
    talk.ready()
    talk.answer(epoch=4)
    assert talk.cues == [GO_ON_CUE]


@pytest.mark.parametrize(
    "left",
    [
        replace(LEFT, owed_ms=20_000),  # heard long ago, and the model made nothing of it
        replace(LEFT, owed_words="Hello?", owed_line=1),  # lines that came later tell
        replace(LEFT, owes_answer=False),
    ],
)
def test_what_is_not_owed_any_more_is_not_asked_for(converse: Converse, left: Checkpoint) -> None:
    talk = converse(left, [AGENT_LINE])
    talk.ready()
    talk.answer(epoch=4)
    assert (talk.cues, talk.lines) == ([], [])


def test_what_the_caller_says_is_owed_in_the_checkpoint_until_it_is_answered(
    greeted: Talk, converse: Converse
) -> None:
    greeted.now_ms = 5_000
    greeted.happens(CallerSpoke(300))
    assert (greeted.checkpoint.owes_answer, greeted.checkpoint.owed_words) == (True, "")
    greeted.happens(CallerSpoke(300))
    assert greeted.checkpoint.owed_words == UNWRITTEN
    greeted.now_ms = 6_000
    greeted.says("A room?")
    assert greeted.checkpoint.owed_words == "A room?"
    other = converse(greeted.checkpoint, greeted.conversation.lines)
    other.answer(epoch=2)
    assert other.lines == [("caller", "A room?", "A room?")]
    greeted.replies("Yes.")
    greeted.hears_all(2)
    assert not greeted.checkpoint.owes_answer


def test_the_rest_of_a_reply_is_owed_by_the_next_worker(converse: Converse) -> None:
    talk = converse(replace(LEFT, owes_answer=False, owes_rest=True), [AGENT_LINE])
    talk.ready()
    talk.answer(epoch=4)
    assert talk.cues == [REST_CUE]
