"""The simulated model calls tools: in virtual time, as a client of the wire sees it."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from agent.simulator.behaviour import EXACT, Behaviour
from agent.simulator.client import TALKATIVE, VirtualClient
from agent.simulator.faults import Close
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse
from agent.simulator.server_messages import Message
from agent.simulator.voice import clip

SCRIPT = """
[[turns]]
expect = "q1"
call = { tool = "look_up", arguments = { order = "7" } }
say = "words:It is {status}."
failed = "sorry"
%s
[[turns]]
expect = "q2"
say = "a1"
"""


def asked(
    behavior: str, behaviour: Behaviour = EXACT, more: str = "", declared: str = "look_up"
) -> VirtualClient:
    """A model that was asked for what it needs a tool for; it has called the tool, if it may."""
    declarations = [{"name": declared, "description": "Looks up.", "behavior": behavior}]
    setup: Message = {**TALKATIVE, "tools": [{"functionDeclarations": declarations}]}
    model = GeminiServer(parse(SCRIPT % more), behaviour, Random(1))
    made = VirtualClient(model, setup)
    made.greet()
    made.received.clear()
    made.speak("q1")
    made.run(1_500)
    return made


def calls(made: VirtualClient) -> list[dict[str, Any]]:
    """All calls so far."""
    return [call for each in made.of("toolCall") for call in each["functionCalls"]]  # type: ignore[attr-defined]  # a list


def answer(made: VirtualClient, response: object, **more: object) -> None:
    """Give the newest call a result, and hear what comes of it."""
    call = calls(made)[-1]
    given = {"id": call["id"], "name": call["name"], "response": response, **more}
    made.send({"toolResponse": {"functionResponses": [given]}})
    made.run(6_000)


SHIPPED = {"status": "ok", "data": {"status": "shipped"}}


@pytest.mark.parametrize("behavior", ["BLOCKING", "NON_BLOCKING"])
def test_a_tool_is_called_and_its_result_is_said(behavior: str) -> None:
    made = asked(behavior)
    [call] = calls(made)
    assert (call["name"], call["args"]) == ("look_up", {"order": "7"})
    assert made.said == ""
    answer(made, SHIPPED)
    assert made.said == "It is shipped."


def test_a_tool_that_was_not_declared_is_not_called() -> None:
    made = asked("NON_BLOCKING", declared="another")
    assert calls(made) == []


def test_only_a_model_that_need_not_wait_goes_on_speaking() -> None:
    waits, goes_on = (
        asked(behavior, more='meanwhile = "a4"') for behavior in ("BLOCKING", "NON_BLOCKING")
    )
    for made in (waits, goes_on):
        made.run(5_000)
    assert (waits.said, goes_on.said) == ("", clip("agent/a4").text)


def test_a_turn_is_closed_at_once_only_if_the_model_need_not_wait() -> None:
    assert asked("NON_BLOCKING").outline[-1] == "turnComplete"
    assert asked("BLOCKING").outline[-1] == "toolCall"


@pytest.mark.parametrize(("behavior", "cancelled"), [("BLOCKING", 1), ("NON_BLOCKING", 0)])
def test_a_caller_who_talks_has_a_call_taken_back_that_the_model_waits_for(
    behavior: str, cancelled: int
) -> None:
    made = asked(behavior)
    made.speak("q2")
    made.run(6_000)
    [call] = calls(made)
    assert made.of("toolCallCancellation") == [{"ids": [call["id"]]}] * cancelled
    answer(made, SHIPPED)
    said = [clip("agent/a1").text] + ["It is shipped."] * (1 - cancelled)
    assert made.said == "".join(said)


@pytest.mark.parametrize("behavior", ["BLOCKING", "NON_BLOCKING"])
def test_a_caller_who_talks_over_the_model_has_every_call_taken_back(behavior: str) -> None:
    made = asked(behavior, more='meanwhile = "a4"')
    made.run(500)
    made.speak("q2")
    [call] = calls(made)
    assert made.of("toolCallCancellation") == [{"ids": [call["id"]]}]


@pytest.mark.parametrize(
    ("scheduling", "outline"),
    [
        ("WHEN_IDLE", []),
        ("INTERRUPT", ["interrupted"]),
        ("SILENT", []),
    ],
)
def test_a_result_is_said_as_it_is_scheduled(scheduling: str, outline: list[str]) -> None:
    made = asked("NON_BLOCKING", more='meanwhile = "times"')
    made.run(500)
    answer(made, SHIPPED, scheduling=scheduling)
    made.run(10_000)
    assert [kind for kind in made.outline if kind == "interrupted"] == outline
    assert made.said.endswith("It is shipped.") is (scheduling != "SILENT")


@pytest.mark.parametrize("repeats", [0, 2, 5])
def test_a_call_whose_result_is_empty_is_repeated(repeats: int) -> None:
    made = asked("NON_BLOCKING", replace(EXACT, repeats_empty=repeats))
    for n in range(repeats):
        assert len(calls(made)) == n + 1
        answer(made, {})
    assert len({call["id"] for call in calls(made)}) == repeats + 1
    answer(made, {})
    assert len(calls(made)) == repeats + 1
    assert made.said == clip("agent/sorry").text


def test_a_result_that_goes_on_is_followed_by_another() -> None:
    made = asked("NON_BLOCKING")
    answer(made, {"status": "timeout"}, willContinue=True)
    assert made.said == clip("agent/still-here").text
    answer(made, SHIPPED)
    assert made.said.endswith("It is shipped.")


def test_a_result_that_nobody_asked_for_is_ignored() -> None:
    made = asked("BLOCKING")
    unknown = {"id": "another", "name": "look_up", "response": SHIPPED}
    made.send({"toolResponse": {"functionResponses": [unknown]}})
    made.run(5_000)
    assert (made.said, made.ended) == ("", None)


@pytest.mark.parametrize("behavior", ["BLOCKING", "NON_BLOCKING"])
def test_audio_while_the_model_waits_for_a_result_may_close_the_session(behavior: str) -> None:
    made = asked(behavior, replace(EXACT, blocked_audio="closes"))
    made.audio(bytes(640))
    if behavior == "BLOCKING":
        assert isinstance(made.ended, Close)
        assert made.ended.code == 1008
        assert made.ended.reason.startswith("Operation is not implemented")
    else:
        assert made.ended is None


def test_tokens_of_results_may_be_counted_by_themselves_and_by_modality() -> None:
    apart, not_told = (
        asked("NON_BLOCKING", replace(EXACT, tool_use_tokens=told)) for told in (True, False)
    )
    for made in (apart, not_told):
        answer(made, SHIPPED)
    usage, plain = apart.of("usageMetadata")[-1], not_told.of("usageMetadata")[-1]
    tokens = usage["toolUsePromptTokenCount"]
    assert isinstance(tokens, int)
    assert usage["toolUsePromptTokensDetails"] == [{"modality": "TEXT", "tokenCount": tokens}]
    assert usage["totalTokenCount"] == plain["totalTokenCount"] + tokens  # type: ignore[operator]  # both int
    assert usage["promptTokenCount"] == plain["promptTokenCount"]
    assert "toolUsePromptTokenCount" not in plain
