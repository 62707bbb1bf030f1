"""The caller talks over the model: in virtual time."""

from dataclasses import replace
from random import Random

import pytest

from agent.simulator.behaviour import EXACT, Behaviour
from agent.simulator.client import TALKATIVE, VirtualClient
from agent.simulator.model import GeminiServer
from agent.simulator.script import shipped
from agent.simulator.voice import clip, texts


def talking(behaviour: Behaviour = EXACT, *, for_ms: int) -> VirtualClient:
    """A model that has been saying its long answer for so long."""
    made = VirtualClient(GeminiServer(shipped("booking"), behaviour, Random(1)))
    made.greet()
    made.received.clear()
    made.speak("table", silence_ms=0)
    made.send({"realtimeInput": {"audioStreamEnd": True}})
    made.run(1_000 + for_ms)
    assert made.pcm
    made.received.clear()
    return made


def test_speech_while_generating_interrupts_and_nothing_of_that_reply_follows() -> None:
    made = talking(for_ms=1_000)
    at_ms = made.now_ms
    made.speak("half-past", silence_ms=0)

    assert made.outline[:4] == ["modelTurn", "interrupted", "turnComplete", "handle"]
    [interrupted_ms] = made.when("interrupted")
    assert at_ms + 150 <= interrupted_ms <= at_ms + 400
    assert made.when("turnComplete") == [interrupted_ms + 5]
    assert max(made.when("modelTurn")) <= interrupted_ms
    assert "generationComplete" not in made.outline


def test_speech_during_the_assumed_playback_interrupts_too() -> None:
    made = talking(for_ms=5_000)
    made.speak("half-past", silence_ms=3_000)
    made.run(8_000)

    assert made.outline == [
        "interrupted", "turnComplete", "handle", "voiceActivity", "inputTranscription",
        "no handle", "modelTurn", "generationComplete", "turnComplete", "handle",
    ]  # fmt: skip
    assert made.said == texts()["agent/name"]
    assert made.session.heard[-1].coverage > 0.98


def test_speech_after_the_assumed_playback_interrupts_nothing() -> None:
    made = talking(for_ms=12_000)
    made.speak("half-past")
    assert "interrupted" not in made.outline


def test_the_history_keeps_what_was_sent_and_no_more() -> None:
    made = talking(for_ms=500)
    made.speak("half-past", silence_ms=0)
    assert made.session.memory is not None
    kept = made.session.memory.entries[-1].text
    whole = texts()["agent/times"]
    assert whole.startswith(kept)
    assert 0 < len(kept) < len(whole) / 2


def test_stale_audio_may_come_with_the_interruption() -> None:
    made = talking(replace(EXACT, stale_audio=True), for_ms=1_000)
    made.speak("half-past", silence_ms=0)
    [message] = [m for _, m in made.received if "interrupted" in str(m.get("serverContent"))]
    assert set(message["serverContent"]) == {"interrupted", "modelTurn"}  # type: ignore[call-overload]  # a table
    assert made.outline.count("modelTurn") == 2


def test_where_activity_does_not_interrupt_the_reply_goes_on_and_the_next_one_follows() -> None:
    made = VirtualClient(
        GeminiServer(shipped("booking"), EXACT),
        TALKATIVE | {"realtimeInputConfig": {"activityHandling": "NO_INTERRUPTION"}},
    )
    made.greet()
    made.received.clear()
    made.speak("table")
    made.run(1_500)
    made.speak("half-past")
    made.run(20_000)
    assert "interrupted" not in made.outline
    assert made.pcm == clip("agent/times").pcm + clip("agent/name").pcm
    first_over_ms, _ = made.when("turnComplete")
    between = [at for at in made.when("modelTurn") if first_over_ms <= at < first_over_ms + 1_000]
    assert between == []


def test_the_clients_own_activity_start_interrupts() -> None:
    made = VirtualClient(
        GeminiServer(shipped("booking"), EXACT),
        TALKATIVE | {"realtimeInputConfig": {"automaticActivityDetection": {"disabled": True}}},
    )
    made.greet()
    made.say("Are you there?")
    made.run(1_500)
    at_ms = made.now_ms
    made.send({"realtimeInput": {"activityStart": {}}})
    made.run(1_000)
    assert made.when("interrupted") == [at_ms + EXACT.interrupt_ms]


def test_complete_content_interrupts_at_once_and_is_answered() -> None:
    made = talking(for_ms=1_000)
    at_ms = made.now_ms
    turn = {"role": "user", "parts": [{"text": texts()["caller/morgan"]}]}
    made.send({"clientContent": {"turns": [turn], "turnComplete": True}})
    made.run(9_000)
    assert made.when("interrupted") == [at_ms]
    assert made.when("turnComplete")[0] == at_ms + 5
    assert made.said == texts()["agent/confirm"]


def test_a_text_while_a_reply_plays_is_answered_after_it() -> None:
    made = talking(for_ms=1_000)
    made.say(texts()["caller/morgan"])
    made.run(30_000)
    assert "interrupted" not in made.outline
    assert made.said.endswith(texts()["agent/confirm"])
    assert made.outline.count("turnComplete") == 2


def test_a_cough_interrupts_nothing() -> None:
    made = talking(for_ms=1_000)
    loud = clip("caller/half-past", 16_000).pcm[32_000 : 32_000 + 60 * 32]
    made.audio(loud + bytes(32_000))
    assert "interrupted" not in made.outline


@pytest.mark.parametrize("seed", range(40))
def test_wherever_a_reply_is_interrupted_nothing_stale_follows_and_the_next_turn_works(
    seed: int,
) -> None:
    random = Random(seed)
    made = talking(replace(EXACT, jitter=0.5), for_ms=random.randint(200, 10_000))
    made.speak("half-past", silence_ms=2_500)
    made.run(9_000)

    [interrupted_ms] = made.when("interrupted")
    answered_ms = made.session.heard[-1].ended_ms + 1_000
    assert not [at for at in made.when("modelTurn") if interrupted_ms < at < answered_ms]
    assert [at for at in made.when("turnComplete") if at == interrupted_ms + 5]
    assert made.pcm.endswith(clip("agent/name").pcm)
    assert made.understood == [texts()["caller/half-past"]]
