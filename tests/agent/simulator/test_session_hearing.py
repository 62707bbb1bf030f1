"""Whole sessions in virtual time: what the server hears of the caller, and transcribes."""

from base64 import b64encode
from dataclasses import replace

import pytest

from agent.simulator.behaviour import EXACT
from agent.simulator.client import TALKATIVE, VirtualClient
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse, shipped
from agent.simulator.server_messages import Message
from agent.simulator.voice import clip, texts
from tests.agent.simulator.test_session import REPLY, client, greeted


def test_a_spoken_turn_is_heard_transcribed_and_answered() -> None:
    made = greeted()
    made.speak("table", silence_ms=2_000)
    made.run(20_000)

    [utterance] = made.session.heard
    assert (utterance.phrase, utterance.text) == ("table", texts()["caller/table"])
    assert utterance.coverage > 0.98
    assert made.understood == [utterance.text]
    assert made.said == texts()["agent/times"]
    assert made.outline == ["voiceActivity", "inputTranscription", *REPLY]
    assert [one["type"] for one in made.of("voiceActivity")] == ["ACTIVITY_START", "ACTIVITY_END"]
    assert made.when("modelTurn")[0] == utterance.ended_ms + 1_000


@pytest.mark.parametrize("speed", [4.0, 50.0])
def test_what_is_heard_depends_on_audio_time_alone(speed: float) -> None:
    slow, fast = greeted(), greeted()
    for name in ("table", "half-past", "morgan"):
        slow.speak(name)
        fast.speak(name, speed=speed)
    assert [one.phrase for one in fast.session.heard] == ["table", "half-past", "morgan"]
    assert [one.pcm for one in fast.session.heard] == [one.pcm for one in slow.session.heard]


def test_two_utterances_before_an_answer_are_answered_together() -> None:
    made = greeted()
    made.speak("table", silence_ms=900)
    made.speak("half-past", silence_ms=900)
    made.run(10_000)
    assert made.said == texts()["agent/name"]
    assert made.outline.count("turnComplete") == 1
    assert made.outline.count("interrupted") == 0
    assert made.session.memory is not None
    assert [entry.text for entry in made.session.memory.entries[2:]] == [
        texts()["caller/table"],
        texts()["caller/half-past"],
        texts()["agent/name"],
    ]


def test_the_end_of_the_stream_ends_the_utterance_at_once() -> None:
    made = greeted()
    made.speak("table", silence_ms=0)
    assert made.session.heard == []
    made.send({"realtimeInput": {"audioStreamEnd": True}})
    assert [one.phrase for one in made.session.heard] == ["table"]
    assert made.session.heard[0].ended_ms == made.now_ms


def test_audio_before_the_setup_is_complete_is_lost() -> None:
    made = client()
    made.speak("morgan", silence_ms=0, speed=10)
    made.run(1_000)
    assert (made.session.received_ms, made.session.heard) == (0, [])


def test_audio_at_8_khz_is_understood_too() -> None:
    made = greeted()
    spoken = clip("caller/morgan").pcm + bytes(16_000)
    for at in range(0, len(spoken), 320):
        blob = {
            "data": b64encode(spoken[at : at + 320]).decode(),
            "mimeType": "audio/pcm;rate=8000",
        }
        made.send({"realtimeInput": {"audio": blob}})
    assert [one.phrase for one in made.session.heard] == ["morgan"]


def test_a_turn_of_the_script_may_say_what_is_transcribed_and_how_long_is_thought() -> None:
    script = parse("[[turns]]\nsay = 'a1'\nhear = 'Beg your pardon?'\nthink_ms = 3000")
    made = VirtualClient(GeminiServer(script, EXACT))
    made.greet()
    made.received.clear()
    made.speak("morgan")
    made.run(5_000)
    assert made.understood == ["Beg your pardon?"]
    assert made.when("modelTurn")[0] == made.session.heard[0].ended_ms + 3_000


def test_speech_that_is_not_understood_gets_the_fallback_and_no_transcription() -> None:
    made = greeted()
    made.audio(clip("agent/a1", 16_000).pcm + bytes(32_000))
    made.run(8_000)
    assert made.understood == []
    assert made.said == texts()["agent/sorry"]


def test_transcriptions_come_only_where_the_setup_asks_for_them() -> None:
    made = VirtualClient(GeminiServer(None, EXACT), {"model": "gemini-3.8-live"})
    made.greet()
    made.speak("table")
    made.run(20_000)
    assert len(made.session.heard) == 1
    assert made.pcm == clip("agent/greeting").pcm + clip("agent/times").pcm
    assert (made.said, made.understood) == ("", [])


def test_the_older_style_transcribes_by_word_and_before_the_audio() -> None:
    older = replace(EXACT, transcription="words", output_transcription="before")
    made = greeted(older)
    made.speak("morgan")
    made.run(9_000)
    assert "".join(made.understood) == texts()["caller/morgan"]
    assert len(made.understood) == 4
    assert made.said == texts()["agent/confirm"]
    first = [list(m["serverContent"]) for _, m in made.received if m.get("serverContent")]  # type: ignore[call-overload]  # a table
    at = first.index(["outputTranscription"])
    assert first[at : at + 2] == [["outputTranscription"], ["modelTurn"]]


def test_the_client_may_detect_activity_itself() -> None:
    config: Message = {"automaticActivityDetection": {"disabled": True}}
    made = VirtualClient(GeminiServer(None, EXACT), TALKATIVE | {"realtimeInputConfig": config})
    made.greet()
    made.speak("table")
    assert made.session.heard == []
    made.send({"realtimeInput": {"activityStart": {}}})
    made.speak("table")
    assert made.session.heard == []
    made.send({"realtimeInput": {"activityEnd": {}}})
    assert [one.phrase for one in made.session.heard] == ["table"]


@pytest.mark.parametrize("keep_audio", [True, False])
def test_all_caller_audio_is_kept_only_where_the_server_is_told_to(keep_audio: bool) -> None:
    server = GeminiServer(shipped("booking"), EXACT, keep_audio=keep_audio)
    made = VirtualClient(server)
    made.greet()
    pcm = clip("caller/morgan", 16_000).pcm
    made.audio(pcm)
    assert made.session.received_pcm == (pcm if keep_audio else b"")
