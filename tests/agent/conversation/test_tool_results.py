"""Results that come, or are taken back, while nobody listens: they are told when somebody does."""

import json

import pytest

from agent.conversation.commands import SayToModel, SendToolResult
from agent.conversation.events import SessionReady
from agent.conversation.listener_events import ListenerLeft
from agent.conversation.tool_events import ActsStored, ToolCallsCancelled, ToolFinished
from tests.agent.conversation.conftest import Talk, lost, of
from tests.agent.conversation.test_tool_use import SHIPPED, calls, talk

__all__ = ["talk"]


def waits_for(talk: Talk, name: str) -> None:
    """The model has called a tool, and it runs."""
    calls(talk, name)
    talk.happens(ActsStored(1))


def test_a_result_that_comes_while_nobody_listens_is_sent_once_somebody_does(talk: Talk) -> None:
    waits_for(talk, "look_up")
    talk.happens(ListenerLeft())
    assert of(SendToolResult, talk.happens(ToolFinished(1, "ok", SHIPPED))) == []
    talk.now_ms += 2_000
    [sent] = of(SendToolResult, talk.answer(epoch=2))
    assert (sent.id, json.loads(sent.result)["status"]) == ("a", "ok")
    assert of(SendToolResult, talk.answer(epoch=3)) == []


@pytest.mark.parametrize(("name", "told"), [("book", 1), ("look_up", 0)])
def test_what_was_done_and_is_taken_back_while_nobody_listens_is_told_once_somebody_does(
    talk: Talk, name: str, told: int
) -> None:
    waits_for(talk, name)
    talk.happens(ToolFinished(1, "ok", SHIPPED))
    talk.happens(ListenerLeft())
    talk.tells(lambda session: ToolCallsCancelled(session, ("a",)))
    talk.now_ms += 2_000
    said = of(SayToModel, talk.answer(epoch=2))
    assert ["shipped" in each.text for each in said] == [True] * told
    assert of(SayToModel, talk.answer(epoch=3)) == []


def test_what_was_taken_back_while_nobody_listened_is_not_counted_as_told(talk: Talk) -> None:
    waits_for(talk, "book")
    talk.happens(ToolFinished(1, "ok", SHIPPED))
    talk.happens(ListenerLeft())
    talk.tells(lambda session: ToolCallsCancelled(session, ("a",)))
    talk.now_ms += 1_000
    talk.replies("And what else?")
    talk.hears_all(2)
    assert of(SayToModel, talk.answer(epoch=2))


def test_a_session_that_is_ready_while_nobody_listens_is_told_once_somebody_does(
    talk: Talk,
) -> None:
    waits_for(talk, "look_up")
    talk.replies("One moment.")
    talk.hears_all(2)
    talk.happens(ListenerLeft())
    talk.tells(lost)
    talk.happens(ToolFinished(1, "ok", SHIPPED))
    talk.tells(SessionReady)
    [said] = of(SayToModel, talk.answer(epoch=2))
    assert "shipped" in said.text


def test_what_was_sent_and_is_being_said_is_not_told_again_to_who_comes_back(talk: Talk) -> None:
    waits_for(talk, "look_up")
    talk.happens(ToolFinished(1, "ok", SHIPPED))
    talk.now_ms += 1_000
    talk.replies("It is shipped.")
    talk.happens(ListenerLeft())
    talk.now_ms += 1_000
    back = talk.answer(epoch=2)
    assert of(SayToModel, back) == []
    assert of(SendToolResult, back) == []
