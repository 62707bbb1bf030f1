"""Whole sessions in virtual time: the order and the times of what the server sends."""

import json
from dataclasses import replace
from random import Random

import pytest
from google.genai import types

from agent.conversation.persona import (
    CUT_OFF_CUE,
    GO_ON_CUE,
    GREETING_LEFT_CUE,
    NUDGE_CUE,
    REST_CUE,
)
from agent.simulator.behaviour import EXACT, Behaviour, TextInThought
from agent.simulator.client import TALKATIVE, VirtualClient
from agent.simulator.faults import Close, GoAway, PhantomInterrupted, ShortTurn
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse, shipped
from agent.simulator.server_messages import Message
from agent.simulator.session import State
from agent.simulator.voice import clip, texts


def client(behaviour: Behaviour = EXACT, script: str = "booking") -> VirtualClient:
    return VirtualClient(GeminiServer(shipped(script), behaviour, Random(1)))


def greeted(behaviour: Behaviour = EXACT, script: str = "booking") -> VirtualClient:
    made = client(behaviour, script)
    made.greet()
    made.received.clear()
    return made


REPLY = ["no handle", "modelTurn", "generationComplete", "turnComplete", "handle"]


def test_the_setup_is_answered_and_a_handle_comes_after_it() -> None:
    made = client()
    made.run(600)
    assert made.received[0] == (400, {"setupComplete": {}})
    assert made.received[1][0] == 410
    assert made.outline == ["setupComplete", "handle"]


def test_a_text_to_a_fresh_session_is_answered_with_the_greeting_and_no_sample_is_lost() -> None:
    made = client()
    made.greet()
    greeting = clip("agent/greeting")
    assert made.pcm == greeting.pcm
    assert made.said == greeting.text
    assert made.outline[2:] == REPLY


@pytest.mark.parametrize("cue", [GO_ON_CUE, GREETING_LEFT_CUE, CUT_OFF_CUE, NUDGE_CUE, REST_CUE])
@pytest.mark.parametrize(("anyway", "said"), [(False, "still-here"), (True, "greeting")])
def test_a_fresh_session_whose_first_text_goes_on_with_a_call_does_not_greet(
    cue: str, said: str, *, anyway: bool
) -> None:
    made = client(replace(EXACT, greets_anyway=anyway))
    made.run(500)
    made.say(cue)
    made.run(9_000)
    assert made.said == clip(f"agent/{said}").text


def test_a_reply_comes_faster_than_it_is_spoken_and_is_complete_when_it_would_be_heard() -> None:
    made = client()
    made.run(500)
    made.greet()
    first_ms = made.when("modelTurn")[0]
    duration_ms = clip("agent/greeting").duration_ms
    assert first_ms == 1_500
    took_ms = made.when("generationComplete")[0] - first_ms
    assert took_ms == pytest.approx(duration_ms / 4.3, rel=0.1)
    assert made.when("turnComplete") == [first_ms + duration_ms]
    assert made.when("sessionResumptionUpdate")[-1] == first_ms + duration_ms + 10


def test_a_reply_slower_than_real_time_is_complete_after_its_last_audio() -> None:
    made = client(replace(EXACT, speed=0.5))
    made.greet()
    assert made.when("turnComplete") == made.when("generationComplete")
    assert made.when("turnComplete")[0] - made.when("modelTurn")[0] > 6_000


def test_a_turn_may_be_complete_with_its_last_audio() -> None:
    made = client(replace(EXACT, turn_complete_at="last audio"))
    made.greet()
    assert made.when("turnComplete") == made.when("generationComplete")


def test_content_that_is_not_complete_is_only_remembered() -> None:
    made = client()
    made.run(500)
    turns = [
        {"role": "model", "parts": [{"text": "Hello, this is Ada"}]},
        {"role": "user", "parts": [{"text": texts()["caller/half-past"]}]},
    ]
    made.send({"clientContent": {"turns": turns, "turnComplete": False}})
    made.run(5_000)
    assert made.outline == ["setupComplete", "handle"]
    assert made.session.memory is not None
    assert [entry.role for entry in made.session.memory.entries] == ["model", "user"]
    made.say("Answer what the caller said last.")
    made.run(9_000)
    assert made.said == texts()["agent/name"]


def test_content_that_is_complete_is_answered() -> None:
    made = greeted()
    turn = {"role": "user", "parts": [{"text": texts()["caller/morgan"]}]}
    made.send({"clientContent": {"turns": [turn], "turnComplete": True}})
    made.run(9_000)
    assert made.said == texts()["agent/confirm"]


def test_a_later_text_is_answered_as_a_nudge() -> None:
    made = greeted()
    made.say("Are you there?")
    made.run(5_000)
    assert made.said == texts()["agent/still-here"]


def test_small_talk_goes_on_where_an_appended_history_stands() -> None:
    made = client(script="small-talk")
    made.run(500)
    turns = [
        {"role": role, "parts": [{"text": texts()[name]}]}
        for role, name in [
            ("model", "agent/greeting"),
            ("user", "caller/q1"),
            ("model", "agent/a1"),
            ("user", "caller/q2"),
            ("model", "agent/a2"),
        ]
    ]
    made.send({"clientContent": {"turns": turns, "turnComplete": False}})
    made.speak("q3")
    made.run(9_000)
    assert made.said == texts()["agent/a3"]


def test_each_turn_is_billed_with_all_that_came_before_it() -> None:
    made = client()
    made.greet()
    made.speak("table", silence_ms=2_000)
    made.run(20_000)
    first, second = made.of("usageMetadata")
    assert first["responseTokenCount"] == round(clip("agent/greeting").duration_ms * 25 / 1000)
    assert second["responseTokenCount"] == round(clip("agent/times").duration_ms * 25 / 1000)
    for usage in (first, second):
        prompt, response = usage["promptTokenCount"], usage["responseTokenCount"]
        assert isinstance(prompt, int)
        assert isinstance(response, int)
        assert usage["totalTokenCount"] == prompt + response
    heard_tokens = len(made.session.heard[0].pcm) / 32_000 * 25
    assert second["promptTokenCount"] == pytest.approx(
        int(str(first["totalTokenCount"])) + heard_tokens, abs=1
    )


@pytest.mark.parametrize("message", [None, {"realtimeInput": {"text": "Hello"}}, {"x": {}}])
def test_a_session_that_does_not_begin_with_a_setup_is_closed(message: object) -> None:
    made = VirtualClient(GeminiServer(None, EXACT), None)
    made.send(message)
    assert isinstance(made.ended, Close)
    assert made.ended.code == 1007
    assert made.session.state is State.OVER


@pytest.mark.parametrize(
    "message", [{"setup": TALKATIVE}, {"realtimeInput": {"activityStart": {}}}, None]
)
def test_an_open_session_is_closed_for_what_it_refuses_and_is_silent_after(message: object) -> None:
    made = greeted()
    made.say("Are you there?")
    made.run(1_200)
    made.send(message)
    assert isinstance(made.ended, Close)
    assert made.ended.code == 1007
    made.received.clear()
    made.speak("table")
    made.run(9_000)
    assert made.received == []
    assert made.session.deadline_ms() is None


def test_a_close_reason_fits_into_a_close_frame() -> None:
    made = client()
    made.inject(Close(1011, "ü" * 100))
    assert made.ended == Close(1011, "ü" * 61)


def test_one_seed_gives_one_run_and_another_seed_another() -> None:
    def run(seed: int) -> list[tuple[int, Message]]:
        made = VirtualClient(GeminiServer(None, Behaviour(), Random(seed)))
        made.greet()
        made.speak("table")
        made.run(20_000)
        return made.received

    assert run(4) == run(4)
    assert run(4) != run(5)


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(lifetime_ms=60_000, go_away_ms=20_000),
        Behaviour(
            stale_audio=True, transcription="words", output_transcription="before", speed=3.5
        ),
    ],
)
def test_every_message_is_valid_for_the_sdk(behaviour: Behaviour) -> None:
    made = client(behaviour)
    made.greet()
    made.speak("table", silence_ms=2_400)
    made.speak("half-past", silence_ms=4_000)
    made.inject(PhantomInterrupted())
    made.inject(ShortTurn())
    made.speak("morgan", silence_ms=4_000)
    made.inject(GoAway(5_000))
    made.run(9_000)

    for _, message in made.received:
        copy = json.loads(json.dumps(message))
        activity = copy.get("voiceActivity", {})
        if "type" in activity:  # the wire's name, which the SDK maps before it validates
            activity["voiceActivityType"] = activity.pop("type")
        types.LiveServerMessage.model_validate(copy)
    assert set(made.outline) >= {
        "setupComplete", "handle", "no handle", "voiceActivity", "inputTranscription", "modelTurn",
        "generationComplete", "interrupted", "turnComplete", "goAway",
    }  # fmt: skip
    assert {} in [message for _, message in made.received]
    assert {"serverContent": {}} in [message for _, message in made.received]


def test_a_model_that_is_told_to_go_on_says_the_rest_of_what_it_said_last() -> None:
    script = parse('[[turns]]\nsay = "a1"')
    said = texts()["agent/a1"].split(" ")
    client = VirtualClient(GeminiServer(script, EXACT))
    client.run(500)
    half = " ".join(said[:5])
    turns = [{"role": "user", "parts": [{"text": "Is it far?"}]}]
    turns.append({"role": "model", "parts": [{"text": half}]})
    client.send({"client_content": {"turns": turns, "turnComplete": False}})
    client.send({"realtime_input": {"text": "[Go on.]"}})
    client.run(6_000)
    assert half + client.said == texts()["agent/a1"]


def asked_twice(text_in_thought: TextInThought) -> list[int]:
    """When replies begin, counted from a text that another one follows after 900 ms."""
    made = greeted(replace(EXACT, text_in_thought=text_in_thought))
    began_ms = made.now_ms
    made.say("One.")
    made.run(900)
    made.say("Two.")
    made.run(12_000)
    audio_ms = made.when("modelTurn")
    begins = [ms for n, ms in enumerate(audio_ms) if n == 0 or ms - audio_ms[n - 1] > 500]
    return [ms - began_ms for ms in begins]


def test_a_text_may_have_the_thought_begin_anew() -> None:
    assert asked_twice("restarts") == [1_900]


def test_a_text_may_be_answered_by_what_is_thought_about() -> None:
    assert asked_twice("joins") == [1_000]


def test_a_text_may_be_answered_after_what_is_thought_about() -> None:
    first, second = asked_twice("follows")
    assert first == 1_000
    assert second > 1_000 + clip("agent/still-here").duration_ms
