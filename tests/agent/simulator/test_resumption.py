"""Handles: handed out, resumed from, refused. In virtual time."""

from dataclasses import replace
from typing import Literal

import pytest

from agent.simulator.behaviour import EXACT, Behaviour, Rest
from agent.simulator.client import TALKATIVE, VirtualClient
from agent.simulator.faults import Close, DropHandles, Reset
from agent.simulator.memory import Entry
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse, shipped
from agent.simulator.voice import agent_clip, clip, texts


def connected(
    server: GeminiServer, *, handle: str = "", after: VirtualClient | None = None
) -> VirtualClient:
    now_ms = after.now_ms if after else 0
    setup = TALKATIVE | {"sessionResumption": {"handle": handle} if handle else {}}
    made = VirtualClient(server, setup, now_ms=now_ms)
    made.run(600)
    return made


def greeted(
    behaviour: Behaviour = EXACT, script: str = "booking"
) -> tuple[GeminiServer, VirtualClient]:
    server = GeminiServer(shipped(script), behaviour)
    made = connected(server)
    made.greet()
    return server, made


def test_a_resumed_session_goes_on_with_the_history_and_the_instruction() -> None:
    server = GeminiServer(shipped("booking"), EXACT)
    setup = TALKATIVE | {"systemInstruction": {"parts": [{"text": "Be Ada."}]}}
    first = VirtualClient(server, setup)
    first.greet()
    first.leave()
    second = connected(server, handle=first.handle, after=first)

    assert second.outline == ["setupComplete", "handle"]
    assert second.session.memory == first.session.memory
    assert second.session.memory is not None
    assert second.session.memory.system_instruction == "Be Ada."
    assert second.session.memory.entries[-1] == Entry("model", texts()["agent/greeting"])
    second.say("Are you there?")
    second.run(4_000)
    assert second.said == texts()["agent/still-here"]


def test_small_talk_goes_on_where_it_stood() -> None:
    server, first = greeted(script="small-talk")
    first.speak("q1", silence_ms=8_000)
    first.leave()
    second = connected(server, handle=first.handle, after=first)
    second.speak("q2", silence_ms=8_000)
    assert second.said == texts()["agent/a2"]


def test_every_turn_brings_a_new_handle_and_none_while_a_reply_is_generated() -> None:
    _, made = greeted()
    handles = [str(update["newHandle"]) for update in made.of("sessionResumptionUpdate")]
    assert [bool(handle) for handle in handles] == [True, False, True]
    assert handles[0] != handles[2]
    assert [update["resumable"] for update in made.of("sessionResumptionUpdate")] == [
        True,
        False,
        True,
    ]


def test_only_the_latest_handle_is_good() -> None:
    server, made = greeted()
    old = str(made.of("sessionResumptionUpdate")[0]["newHandle"])
    made.leave()
    assert connected(server, handle=old, after=made).ended == Close(1007, "Invalid session handle")
    assert connected(server, handle=made.handle, after=made).ended is None


def test_an_unknown_handle_is_refused_as_the_behaviour_has_it() -> None:
    gone = Close(1008, "BidiGenerateContent session not found")
    server = GeminiServer(None, replace(EXACT, unknown_handle=gone))
    assert connected(server, handle="nonsense").ended == gone


def test_a_handle_expires() -> None:
    server, made = greeted(replace(EXACT, handle_ttl_ms=60_000))
    made.leave()
    made.run(61_000)
    ended = connected(server, handle=made.handle, after=made).ended
    assert ended == Close(1007, "Invalid session handle")


def test_a_handle_is_refused_while_its_old_socket_is_open_and_taken_after() -> None:
    server, made = greeted()
    refused = connected(server, handle=made.handle, after=made)
    assert isinstance(refused.ended, Close)
    assert refused.ended.code == 1011
    made.leave()
    assert connected(server, handle=made.handle, after=made).ended is None


def test_a_session_cut_in_mid_turn_goes_on_from_before_that_turn() -> None:
    server, first = greeted()
    first.speak("table", silence_ms=2_500)
    assert first.of("modelTurn")
    first.inject(Reset())
    assert first.ended == Reset()
    second = connected(server, handle=first.handle, after=first)
    second.speak("table", silence_ms=0, speed=5)
    second.send({"realtimeInput": {"audioStreamEnd": True}})
    second.run(14_000)
    assert second.pcm == clip("agent/times").pcm


def test_dropped_handles_are_unknown_and_later_ones_are_good() -> None:
    server, first = greeted()
    first.inject(DropHandles())
    first.leave()
    assert isinstance(connected(server, handle=first.handle, after=first).ended, Close)
    second = connected(server, after=first)
    second.leave()
    assert connected(server, handle=second.handle, after=second).ended is None


@pytest.mark.parametrize("resumed", [True, False])
def test_a_fault_of_the_script_comes_once_in_a_conversation(resumed: bool) -> None:
    script = parse(
        "[[turns]]\nexpect = 'table'\nsay = 'times'\nfaults = [{kind = 'reset', at_ms = 300}]"
    )
    server = GeminiServer(script, EXACT)
    first = connected(server)
    first.greet()
    first.speak("table", silence_ms=3_000)
    assert first.ended == Reset()
    second = connected(server, handle=first.handle if resumed else "", after=first)
    if not resumed:
        turns = [{"role": "model", "parts": [{"text": texts()["agent/greeting"]}]}]
        second.send({"clientContent": {"turns": turns, "turnComplete": False}})
    second.speak("table", silence_ms=14_000)
    assert second.ended is None
    assert second.said == texts()["agent/times"]

    other = connected(server, after=second)
    other.greet()
    other.speak("table", silence_ms=3_000)
    assert other.ended == Reset()


@pytest.mark.parametrize(
    ("replays", "words", "has_audio"),
    [
        ("nothing", "", False),
        ("words", "agent/greeting", False),
        ("all", "agent/greeting", True),
    ],
)
def test_the_last_turn_may_be_sent_again(
    replays: Literal["nothing", "words", "all"], words: str, *, has_audio: bool
) -> None:
    server, first = greeted(replace(EXACT, replays=replays))
    first.leave()
    second = connected(server, handle=first.handle, after=first)
    assert second.said == (texts()[words] if words else "")
    assert bool(second.pcm) is has_audio
    assert second.session.memory == first.session.memory


LONG = "a1+a2"
BEGAN = texts()["agent/a1"]


def asked_for_the_rest(rest: Rest) -> VirtualClient:
    """A session that was given the beginning of a reply, and asked to go on with it."""
    server = GeminiServer(parse(f'[[turns]]\nsay = "{LONG}"'), replace(EXACT, rest=rest))
    client = connected(server)
    turns = [
        {"role": role, "parts": [{"text": text}]}
        for role, text in (("user", "Hello."), ("model", BEGAN))
    ]
    client.send({"client_content": {"turns": turns, "turnComplete": False}})
    client.say("Go on.")
    client.run(4_000)
    return client


def test_a_reply_is_gone_on_with_from_the_silence_where_its_beginning_ended() -> None:
    client = asked_for_the_rest("goes on")
    assert client.said == f" {texts()['agent/a2']}"
    spoken, rest = agent_clip(LONG).pcm, bytes(client.pcm)
    assert spoken.endswith(rest)
    assert len(spoken) - len(rest) == len(clip("agent/a1").pcm)


def test_a_reply_may_be_said_anew() -> None:
    assert asked_for_the_rest("anew").said == agent_clip(LONG).text


def test_a_reply_may_be_gone_on_with_only_after_a_second_request() -> None:
    client = asked_for_the_rest("nothing")
    assert client.said == ""
    client.say("Go on.")
    client.run(4_000)
    assert client.said == f" {texts()['agent/a2']}"
