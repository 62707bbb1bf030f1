"""The agent takes a message: what the caller says between its beginning and its end."""

import json
from dataclasses import replace

import pytest

from agent.conversation.built_in_tools import TAKE_MESSAGE, TAKES_MESSAGE
from agent.conversation.commands import ConversationCommand, RunTool, SendToolResult
from agent.conversation.events import CallerSaid
from agent.conversation.listener_events import CallerSpoke
from agent.conversation.message import Message, messages_of
from agent.conversation.persona import DEFAULT_PERSONA, words_of
from agent.conversation.tool_events import ToolCalled
from agent.conversation.tools import Ledger
from tests.agent.conversation.conftest import Talk, of

CONSENT = "May I pass on what you say?"
PERSONA = replace(DEFAULT_PERSONA, tools=(TAKES_MESSAGE,), message_consent=CONSENT)


@pytest.fixture
def talk() -> Talk:
    talk = Talk(None, (), 1, persona=PERSONA)
    talk.greets()
    talk.now_ms += 1_000
    return talk


def asks(talk: Talk, action: str, **more: str) -> list[ConversationCommand]:
    talk.now_ms += 100
    arguments = json.dumps({"action": action, **more}, sort_keys=True, separators=(",", ":"))
    return talk.tells(
        lambda session: ToolCalled(session, f"f{talk.now_ms}", TAKE_MESSAGE, arguments)
    )


def hint(commands: list[ConversationCommand]) -> str:
    [sent] = of(SendToolResult, commands)
    found: str = json.loads(sent.result)["hint"]
    return found


def taken(talk: Talk) -> list[Message]:
    """What whoever reads the stored checkpoint knows."""
    return messages_of(Ledger.from_text(talk.checkpoint.tools, (), over=True))


def says(talk: Talk, words: str) -> None:
    """The caller says something, and the agent answers."""
    talk.now_ms += 2_000
    talk.happens(CallerSpoke(900))
    talk.tells(lambda session: CallerSaid(session, words))
    talk.replies("Go on.")
    talk.now_ms += 2_000


def test_the_caller_is_asked_in_the_owners_words_before_a_message_begins(talk: Talk) -> None:
    done = asks(talk, "begin")
    assert words_of(hint(done)) == CONSENT
    assert of(RunTool, done) == []
    [message] = taken(talk)
    assert (message.until_ms, message.call_back) == (None, "")


def test_a_message_has_what_the_caller_said_between_its_beginning_and_its_end(talk: Talk) -> None:
    says(talk, "Is the cook there?")
    asks(talk, "begin")
    says(talk, "Yes, please.")
    says(talk, "The heating is broken.")
    done = asks(talk, "end", call_back="5550123", name="Anna Bell")
    assert "5 5 5 0 1 2 3" in hint(done)
    says(talk, "And what is the soup of the day?")
    [message] = taken(talk)
    assert (message.call_back, message.name) == ("5550123", "Anna Bell")
    lines = message.lines(talk.conversation.lines)
    assert [line.text for line in lines] == ["Yes, please.", "The heating is broken."]


def test_a_number_that_was_read_back_wrong_is_corrected_and_changes_nothing_else(
    talk: Talk,
) -> None:
    asks(talk, "begin")
    asks(talk, "end", call_back="5550123", name="Anna")
    [first] = taken(talk)
    asks(talk, "end", call_back="5550132")
    [second] = taken(talk)
    assert second == replace(first, number=3, call_back="5550132")


def test_without_a_number_the_caller_is_told_which_one_is_called_back(talk: Talk) -> None:
    asks(talk, "begin")
    assert "the number that they call from" in hint(asks(talk, "end"))


def test_a_caller_who_does_not_agree_leaves_no_message(talk: Talk) -> None:
    asks(talk, "begin")
    says(talk, "No.")
    asks(talk, "cancel")
    assert taken(talk) == []


@pytest.mark.parametrize("action", ["end", "cancel"])
def test_what_was_not_begun_can_not_end(talk: Talk, action: str) -> None:
    done = asks(talk, action)
    [sent] = of(SendToolResult, done)
    assert json.loads(sent.result)["status"] == "error"
    assert "Call it with action begin first" in hint(done)


@pytest.mark.parametrize(
    "more", [{"call_back": "call my office"}, {"call_back": "+1" * 20}, {"name": "x" * 101}]
)
def test_what_is_no_number_is_refused(talk: Talk, more: dict[str, str]) -> None:
    asks(talk, "begin")
    assert "expected a text that matches" in hint(asks(talk, "end", **more))
    assert [message.until_ms for message in taken(talk)] == [None]


def test_a_second_message_ends_the_first_and_shares_no_line_with_it(talk: Talk) -> None:
    asks(talk, "begin")
    says(talk, "The heating is broken.")
    talk.now_ms += 20_000
    asks(talk, "begin")
    says(talk, "And the lamp, too.")
    first, second = taken(talk)
    lines = talk.conversation.lines
    assert [line.text for line in first.lines(lines)] == ["The heating is broken."]
    assert [line.text for line in second.lines(lines)] == ["And the lamp, too."]
    assert first.until_ms == second.from_ms


def test_another_message_may_follow_at_once(talk: Talk) -> None:
    asks(talk, "begin")
    asks(talk, "cancel")
    asks(talk, "begin")
    says(talk, "The heating is broken.")
    asks(talk, "end")
    asks(talk, "begin")
    says(talk, "And the lift.")
    asks(talk, "end")
    told = [
        [line.text for line in message.lines(talk.conversation.lines)] for message in taken(talk)
    ]
    assert told == [["The heating is broken."], ["And the lift."]]
    assert all(message.until_ms is not None for message in taken(talk))


def test_a_number_may_be_corrected_back(talk: Talk) -> None:
    asks(talk, "begin")
    says(talk, "Please call back.")
    for number in ("5550123", "5550124", "5550123"):
        asks(talk, "end", call_back=number)
    assert [message.call_back for message in taken(talk)] == ["5550123"]
