"""The agent presses keys: stored first, pressed once, and it waits for what comes after them."""

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from agent.conversation.built_in_tools import SENDS
from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import (
    ConversationCommand,
    EndConversation,
    OpenModel,
    SendToolResult,
)
from agent.conversation.events import GenerationComplete, ReplyAudio, TurnComplete
from agent.conversation.listener_events import CallerSpoke, ConversationClosed
from agent.conversation.next_step import NextStep, Stage
from agent.conversation.overdue import STORED_WITHIN_MS
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.send_digits import REST_WITHIN_MS, WORDS_WITHIN_MS
from agent.conversation.tool_events import ActsStored, ToolCalled, ToolCallsCancelled
from tests.agent.conversation.conftest import Talk, of, speech

PERSONA = replace(DEFAULT_PERSONA, tools=(SENDS,))


@pytest.fixture
def talk() -> Talk:
    """A menu has been read out."""
    talk = Talk(None, (), 1, persona=PERSONA)
    talk.greets()
    talk.now_ms += 1_000
    talk.happens(CallerSpoke(900))
    talk.says("For sales, press one.")
    return talk


def wants(talk: Talk, digits: object = "1w2#", id_: str = "d") -> list[ConversationCommand]:
    arguments = json.dumps({"digits": digits}, separators=(",", ":"))
    return talk.tells(lambda session: ToolCalled(session, id_, "send_digits", arguments))


def ended(commands: Iterable[ConversationCommand]) -> list[str]:
    return [each.reason for each in commands if isinstance(each, EndConversation)]


def back(talk: Talk, stage: Stage) -> Talk:
    """The line is here again, at another worker, and the step stands like this."""
    wants(talk)
    talk.happens(ActsStored(1))
    talk.happens(ConversationClosed(goes_on=True))
    stored = Checkpoint.from_json(talk.checkpoint.to_json())
    step = replace(NextStep(1, "digits", "1w2#", "agent"), stage=stage)
    other = Talk(
        replace(stored, next_step=step.to_json()), talk.conversation.lines, 2, persona=PERSONA
    )
    other.answer(2)
    other.ready()
    return other


def test_keys_are_stored_before_the_line_is_left_to_them(talk: Talk) -> None:
    assert ended(wants(talk)) == []
    step = NextStep.from_json(talk.checkpoint.next_step)
    assert step == NextStep(1, "digits", "1w2#", "agent")
    assert ended(talk.happens(ActsStored(1))) == ["put_through"]


def test_what_the_agent_says_is_heard_first_but_not_waited_for_without_end(talk: Talk) -> None:
    wants(talk)
    talk.tells(lambda session: ReplyAudio(session, speech(9_000)), GenerationComplete, TurnComplete)
    assert ended(talk.happens(ActsStored(1)) + talk.wait(WORDS_WITHIN_MS - 1)) == []
    assert ended(talk.wait(1)) == ["put_through"]


def test_a_menu_that_speaks_on_puts_nothing_off(talk: Talk) -> None:
    wants(talk)
    talk.happens(CallerSpoke(900))
    assert ended(talk.happens(ActsStored(1))) == ["put_through"]


@pytest.mark.parametrize("digits", ["", "1" * 33, "12E", "1-2", "+1", "p", "1\n", 12, None])
def test_what_are_no_keys_are_refused(talk: Talk, digits: object) -> None:
    [sent] = of(SendToolResult, wants(talk, digits))
    assert json.loads(sent.result)["status"] == "error"
    assert ended(talk.happens(ActsStored(1))) == []


def test_keys_that_are_not_stored_are_not_pressed_and_the_model_speaks_of_it(talk: Talk) -> None:
    wants(talk)
    [sent] = of(SendToolResult, talk.wait(STORED_WITHIN_MS))
    assert (json.loads(sent.result)["status"], sent.scheduling) == ("error", "WHEN_IDLE")
    assert ended(talk.happens(ActsStored(1))) == []


def test_keys_that_the_model_takes_back_are_not_pressed(talk: Talk) -> None:
    wants(talk)
    talk.tells(lambda session: ToolCallsCancelled(session, ("d",)))
    assert ended(talk.happens(ActsStored(1))) == []
    assert talk.checkpoint.next_step == ""


def test_keys_are_pressed_one_time_after_the_other(talk: Talk) -> None:
    wants(talk)
    [sent] = of(SendToolResult, wants(talk, "3", "e"))
    assert json.loads(sent.result)["status"] == "error"


@pytest.mark.parametrize(
    ("stage", "status"),
    [(Stage.DONE, "ok"), (Stage.UNKNOWN, "unknown"), (Stage.RUNNING, "unknown")],
)
def test_the_agent_knows_and_says_nothing_once_the_line_is_back(
    talk: Talk, stage: Stage, status: str
) -> None:
    other = back(talk, stage)
    [opened] = of(OpenModel, other.commands)
    assert f'"status":"{status}"' in opened.results
    assert other.cues == []
    assert ended(other.happens(ActsStored(9))) == []
    wants(other, "1w2#", "again")
    assert ended(other.happens(ActsStored(other.checkpoint.acts))) == ["put_through"]


def test_keys_of_which_nothing_had_begun_are_pressed_by_the_next_worker(talk: Talk) -> None:
    other = back(talk, Stage.INTENDED)
    assert ended(other.commands + other.wait(WORDS_WITHIN_MS)) == ["put_through"]


def written(talk: Talk) -> list[str]:
    """What stands in the transcript of the other side."""
    return [line.text for line in talk.conversation.lines if line.role == "caller"]


def test_the_rest_of_what_is_being_written_down_comes_first(talk: Talk) -> None:
    wants(talk)
    talk.says(" For the kit")
    assert ended(talk.happens(ActsStored(1))) == []
    talk.now_ms += 130
    talk.says("chen")
    talk.now_ms += 130
    talk.says(", press two.")
    assert ended(talk.wait(250)) == []
    assert ended(talk.wait(10)) == ["put_through"]
    talk.happens(ConversationClosed(goes_on=True))
    assert written(talk) == ["For sales, press one. For the kitchen, press two."]


def test_who_speaks_on_and_on_puts_the_keys_off_for_a_second_only(talk: Talk) -> None:
    wants(talk)
    talk.says(" For")
    talk.happens(ActsStored(1))
    for _ in range(4):
        assert ended(talk.wait(200)) == []
        talk.says(" and")
    assert ended(talk.wait(REST_WITHIN_MS - 800)) == ["put_through"]
