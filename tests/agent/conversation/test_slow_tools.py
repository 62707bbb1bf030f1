"""A tool that takes very long: a look-up is given up, an act runs on and its end is told."""

import json

import pytest

from agent.conversation.commands import CancelTool, RunTool, SendToolResult
from agent.conversation.events import ReplyAudio, TurnComplete
from agent.conversation.hints import LASTS
from agent.conversation.overdue import OVER_AFTER_MS
from agent.conversation.tool_events import ActsStored, ToolFinished
from tests.agent.conversation.conftest import Talk, lost, of, speech
from tests.agent.conversation.test_tool_use import LOOK_UP, PERSONA, SHIPPED, calls, results


@pytest.fixture
def talk() -> Talk:
    """A conversation with tools, whose greeting was heard."""
    talk = Talk(None, (), 1, persona=PERSONA)
    talk.greets()
    talk.now_ms += 1_000
    return talk


def hangs_for_long(talk: Talk) -> None:
    """The model answers what it is asked meanwhile."""
    talk.happens(ActsStored(1))
    for _ in range(OVER_AFTER_MS // 1_000):
        talk.wait(1_000)
        talk.tells(lambda session: ReplyAudio(session, speech(100)), TurnComplete)


def test_a_look_up_that_hangs_is_given_up(talk: Talk) -> None:
    calls(talk)
    hangs_for_long(talk)
    assert of(CancelTool, talk.commands) == [CancelTool(1)]
    last = of(SendToolResult, talk.commands)[-1]
    assert (json.loads(last.result)["status"], last.goes_on) == ("timeout", False)


def test_an_act_that_hangs_runs_on_and_its_end_is_told(talk: Talk) -> None:
    calls(talk, "book")
    hangs_for_long(talk)
    last = of(SendToolResult, talk.commands)[-1]
    assert (json.loads(last.result)["hint"], last.goes_on) == (LASTS, True)
    assert talk.wait(60_000 - OVER_AFTER_MS) == []
    calls(talk, "book", id_="b")
    again = of(SendToolResult, talk.commands)[-1]
    assert (again.id, json.loads(again.result)["hint"], again.goes_on) == ("b", LASTS, True)
    assert results([*talk.happens(ToolFinished(1, "ok", SHIPPED))]) == [("a", "ok"), ("b", "ok")]
    assert of(CancelTool, talk.commands) == []
    assert of(RunTool, talk.commands) == [RunTool(1, "book", '{"order":"7"}')]


def test_a_session_that_did_not_call_an_act_that_hangs_is_told_by_a_text(talk: Talk) -> None:
    calls(talk, "book")
    talk.tells(lost)
    talk.ready()
    hangs_for_long(talk)
    assert LASTS in talk.cues[-1]
    talk.happens(ToolFinished(1, "ok", SHIPPED))
    assert "shipped" in talk.cues[-1]


def test_a_look_up_that_takes_longer_and_is_asked_for_again_is_said_to_run(talk: Talk) -> None:
    calls(talk)
    assert calls(talk, id_="b") == []
    talk.wait(LOOK_UP.timeout_ms)
    calls(talk, id_="c")
    again = of(SendToolResult, talk.commands)[-1]
    assert (again.id, json.loads(again.result)["status"], again.goes_on) == ("c", "timeout", True)
