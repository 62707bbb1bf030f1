"""The agent collects digits that the caller types: once, whatever ends them and whoever dies."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from agent.conversation.built_in_tools import COLLECTS
from agent.conversation.checkpoint import Checkpoint
from agent.conversation.collect import BETWEEN_MS, FIRST_MS, SPOKE
from agent.conversation.commands import ConversationCommand, SendToolResult
from agent.conversation.events import GenerationComplete, ReplyAudio
from agent.conversation.listener_commands import StopPlayback
from agent.conversation.listener_events import CallerSpoke, KeyPressed, ListenerLeft
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.tool_events import ToolCalled, ToolCallsCancelled
from tests.agent.conversation.conftest import Talk, of, speech

PERSONA = replace(DEFAULT_PERSONA, tools=(COLLECTS,), on_keys="tell", silence_s=10.0)


@pytest.fixture
def talk() -> Talk:
    """The caller has asked for their order."""
    talk = Talk(None, (), 1, persona=PERSONA)
    talk.greets()
    talk.now_ms += 1_000
    talk.happens(CallerSpoke(900))
    talk.says("Where is my order?")
    return talk


def wants(talk: Talk, id_: str = "c", **arguments: object) -> list[ConversationCommand]:
    text = json.dumps({"what": "the order", **arguments}, sort_keys=True)
    return talk.tells(lambda session: ToolCalled(session, id_, "collect_digits", text))


def presses(talk: Talk, keys: str, gap_ms: int = 300) -> list[ConversationCommand]:
    done: list[ConversationCommand] = []
    for key in keys:
        done += talk.wait(gap_ms) + talk.happens(KeyPressed(key))
    return done


def results(commands: Iterable[ConversationCommand]) -> list[dict[str, Any]]:
    sent = [each for each in commands if isinstance(each, SendToolResult)]
    return [json.loads(each.result) for each in sent]


def digits(commands: Iterable[ConversationCommand]) -> list[object]:
    return [each["data"] for each in results(commands)]


def test_the_key_that_ends_them_gives_the_digits_at_once(talk: Talk) -> None:
    wants(talk)
    assert digits(presses(talk, "4711#")) == [{"complete": True, "digits": "4711"}]
    assert digits(presses(talk, "5") + talk.wait(60_000)) == [], "told once"


def test_another_key_may_end_them(talk: Talk) -> None:
    wants(talk, ends_with="*")
    assert digits(presses(talk, "12#3*")) == [{"complete": True, "digits": "123"}]


def test_the_length_gives_them_at_once(talk: Talk) -> None:
    wants(talk, max_digits=3)
    assert digits(presses(talk, "123")) == [{"complete": True, "digits": "123"}]


def test_a_pause_gives_what_was_typed_by_then(talk: Talk) -> None:
    wants(talk, min_digits=4)
    assert digits(presses(talk, "12", gap_ms=BETWEEN_MS - 1) + talk.wait(BETWEEN_MS - 1)) == []
    assert digits(talk.wait(1)) == [{"complete": False, "digits": "12"}]


def test_a_caller_who_types_nothing_is_waited_for_while_the_agent_is_not_heard(talk: Talk) -> None:
    wants(talk)
    talk.tells(lambda session: ReplyAudio(session, speech(2_000)), GenerationComplete)
    talk.now_ms += 2_000
    talk.hears_all(2, 2_000)
    assert results(talk.wait(FIRST_MS - 1)) == []
    [told] = results(talk.wait(1))
    assert (told["status"], told["retryable"]) == ("timeout", True)


def test_the_first_key_cuts_the_agent_short(talk: Talk) -> None:
    talk.replies("Please type the number of your order, and then the hash key.", 3_000)
    wants(talk)
    talk.hears(2, 700)
    assert of(StopPlayback, presses(talk, "4")) == [StopPlayback(2)]
    assert of(SendToolResult, presses(talk, "711#"))[0].scheduling == "INTERRUPT"
    assert talk.lines[-1][2] != talk.lines[-1][1], "the line ends where it was cut"


def test_what_was_typed_just_before_counts(talk: Talk) -> None:
    presses(talk, "47")
    talk.now_ms += 500
    wants(talk)
    assert digits(presses(talk, "11#")) == [{"complete": True, "digits": "4711"}]
    assert talk.cues[1:] == [], "the model is not told of these keys besides"


def test_a_caller_who_speaks_ends_it_and_the_model_answers_what_it_hears(talk: Talk) -> None:
    wants(talk, min_digits=4)
    presses(talk, "47")
    talk.wait(1_000)
    talk.happens(CallerSpoke(900))
    done = talk.wait(BETWEEN_MS - 1) + talk.says("One one.")
    assert digits(done) == [{"complete": False, "digits": "47"}]
    assert (results(done)[0]["hint"], of(SendToolResult, done)[0].scheduling) == (SPOKE, "SILENT")


def test_words_that_come_late_end_nothing(talk: Talk) -> None:
    wants(talk)
    assert digits(talk.says("And hurry.")) == []
    assert digits(presses(talk, "1#")) == [{"complete": True, "digits": "1"}]


def test_who_asks_again_is_given_what_is_typed_then(talk: Talk) -> None:
    wants(talk)
    presses(talk, "1#")
    wants(talk, "again")
    assert digits(presses(talk, "2#")) == [{"complete": True, "digits": "2"}]


def test_only_one_thing_is_typed_at_a_time_and_lengths_have_to_agree(talk: Talk) -> None:
    [told] = results(wants(talk, min_digits=5, max_digits=4))
    assert (told["status"], "min_digits" in told["hint"]) == ("error", True)
    wants(talk)
    assert results(wants(talk, "other", max_digits=3))[0]["status"] == "error"


def test_another_worker_goes_on_with_what_was_typed(talk: Talk) -> None:
    wants(talk)
    presses(talk, "47")
    stored = Checkpoint.from_json(talk.checkpoint.to_json())
    other = Talk(stored, talk.conversation.lines, 2, persona=PERSONA)
    other.answer(2)
    other.ready()
    presses(other, "11#")
    told = [cue for cue in other.cues if "4711" in cue]
    assert len(told) == 1
    assert digits(other.wait(60_000)) == []


def test_a_line_that_is_away_for_long_ends_nothing(talk: Talk) -> None:
    wants(talk)
    presses(talk, "47")
    talk.happens(ListenerLeft())
    talk.now_ms += 5_000
    talk.answer(2)
    assert digits(presses(talk, "11#")) == [{"complete": True, "digits": "4711"}]


def test_what_was_typed_is_told_though_the_model_took_its_call_back(talk: Talk) -> None:
    wants(talk)
    presses(talk, "47")
    talk.tells(lambda session: ToolCallsCancelled(session, ("c",)))
    talk.wait(BETWEEN_MS)
    assert any('"digits":"47"' in cue for cue in talk.cues)
    wants(talk, "d")
    talk.tells(lambda session: ToolCallsCancelled(session, ("d",)))
    assert digits(talk.wait(60_000)) == []


def test_who_types_is_not_asked_whether_they_are_there(talk: Talk) -> None:
    wants(talk)
    talk.replies("Type it.", 500)
    talk.hears_all(2, 500)
    presses(talk, "123456", gap_ms=BETWEEN_MS - 1)
    assert talk.cues[1:] == []
