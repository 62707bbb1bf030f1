"""The agent ends the call: with a goodbye that was heard, was cut, or was talked over."""

import pytest

from agent.conversation.commands import EndConversation
from agent.conversation.events import GenerationComplete, Interrupted, ReplyAudio, TurnComplete
from agent.conversation.listener_events import TimePassed
from agent.conversation.parting import GOODBYE_WITHIN_MS
from agent.conversation.tool_events import ToolCalled, ToolCallsCancelled
from tests.agent.conversation.conftest import Talk, speech
from tests.agent.conversation.test_tool_use import results, talk

__all__ = ["talk"]  # a fixture


def end(talk: Talk) -> list[object]:
    return [*talk.tells(lambda session: ToolCalled(session, "e", "end_call", "{}"))]


def ended(commands: list[object]) -> list[object]:
    return [each.reason for each in commands if isinstance(each, EndConversation)]


def test_the_call_ends_once_the_goodbye_was_heard(talk: Talk) -> None:
    talk.tells(lambda session: ReplyAudio(session, speech(2_000)))
    assert ended(end(talk)) == []
    talk.tells(GenerationComplete, TurnComplete)
    assert ended([*talk.hears(2, 1_000)]) == []
    assert ended([*talk.hears_all(2, 2_000)]) == ["agent_hangup"]


def test_a_goodbye_that_is_not_said_yet_is_asked_for(talk: Talk) -> None:
    done = end(talk)
    assert (results(done), ended(done)) == ([("e", "ok")], [])
    talk.now_ms += 1_000
    talk.replies("Goodbye.")
    assert ended([*talk.hears_all(2)]) == ["agent_hangup"]


def test_a_goodbye_that_was_heard_is_enough(talk: Talk) -> None:
    talk.replies("Goodbye.")
    talk.hears_all(2)
    assert ended(end(talk)) == ["agent_hangup"]


def test_a_goodbye_that_never_ends_is_cut(talk: Talk) -> None:
    talk.tells(lambda session: ReplyAudio(session, speech(20_000)))
    end(talk)
    assert ended([*talk.wait(GOODBYE_WITHIN_MS - 1)]) == []
    talk.now_ms += 1
    assert ended([*talk.happens(TimePassed())]) == ["agent_hangup"]


@pytest.mark.parametrize("cancels", [True, False])
def test_a_caller_who_talks_over_the_goodbye_keeps_the_call(talk: Talk, *, cancels: bool) -> None:
    talk.tells(lambda session: ReplyAudio(session, speech(2_000)))
    end(talk)
    talk.hears(2, 400)
    if cancels:
        talk.tells(lambda session: ToolCallsCancelled(session, ("e",)))
    done = talk.tells(Interrupted, TurnComplete)
    assert results([*done]) == ([] if cancels else [("e", "cancelled")])
    talk.says("Wait, one more thing.")
    talk.now_ms += 1_000
    talk.replies("Yes?")
    talk.hears_all(3)
    assert ended([*talk.wait(GOODBYE_WITHIN_MS)]) == []
