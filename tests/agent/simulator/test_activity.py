from random import Random

import numpy as np
import pytest

from agent.simulator.activity import FRAME_BYTES, PRE_ROLL_MS, Began, Detection, Ended, Hearing

AUTOMATIC = Detection(automatic=True, prefix_ms=100, silence_ms=500, speech_dbfs=-45)
BYTES_PER_MS = 32


def tone(duration_ms: int, dbfs: float = -20) -> bytes:
    amplitude = 32768 * 10 ** (dbfs / 20) * 2**0.5
    t = np.arange(duration_ms * 16) / 16_000
    return (amplitude * np.sin(2 * np.pi * 400 * t)).astype("<i2").tobytes()


def silence(duration_ms: int) -> bytes:
    return bytes(duration_ms * BYTES_PER_MS)


def kinds(happened: list[Began | Ended]) -> list[str]:
    return [type(one).__name__ for one in happened]


def test_speech_between_silences_is_one_utterance() -> None:
    hearing = Hearing(AUTOMATIC)
    happened = hearing.hear(silence(1_000) + tone(800) + silence(600))

    assert kinds(happened) == ["Began", "Ended"]
    utterance = happened[1]
    assert isinstance(utterance, Ended)
    assert utterance.speech_ms == 800
    assert len(utterance.pcm) == (PRE_ROLL_MS + 800 + 500) * BYTES_PER_MS
    assert utterance.pcm == (silence(200) + tone(800) + silence(500))


def test_any_chunking_gives_the_same_utterances() -> None:
    audio = (silence(300) + tone(400) + silence(700)) * 3 + tone(100)
    whole = Hearing(AUTOMATIC)
    expected = whole.hear(audio) + whole.stream_end()
    random = Random(5)
    for _ in range(20):
        hearing, happened, at = Hearing(AUTOMATIC), list[Began | Ended](), 0
        while at < len(audio):
            size = 2 * random.randint(1, 900)
            happened += hearing.hear(audio[at : at + size])
            at += size
        assert happened + hearing.stream_end() == expected


def test_a_start_needs_the_prefix_and_an_end_the_silence() -> None:
    hearing = Hearing(AUTOMATIC)
    assert hearing.hear(tone(80)) == []
    assert kinds(hearing.hear(tone(20))) == ["Began"]
    assert hearing.hear(silence(480)) == []
    assert kinds(hearing.hear(silence(20))) == ["Ended"]


def test_a_click_shorter_than_the_prefix_is_nothing() -> None:
    assert Hearing(AUTOMATIC).hear((tone(40) + silence(400)) * 5) == []


def test_a_pause_shorter_than_the_silence_does_not_end_an_utterance() -> None:
    assert kinds(Hearing(AUTOMATIC).hear(tone(300) + silence(480) + tone(300))) == ["Began"]


def test_what_is_below_the_gate_is_silence() -> None:
    assert Hearing(AUTOMATIC).hear(tone(1_000, dbfs=-50)) == []


def test_a_longer_silence_than_two_seconds_is_not_honoured() -> None:
    patient = Detection(automatic=True, prefix_ms=100, silence_ms=6_000, speech_dbfs=-45)
    hearing = Hearing(patient)
    hearing.hear(tone(500))
    assert hearing.hear(silence(1_980)) == []
    assert kinds(hearing.hear(silence(20))) == ["Ended"]


def test_the_end_of_the_stream_ends_an_utterance_at_once_and_audio_may_go_on() -> None:
    hearing = Hearing(AUTOMATIC)
    hearing.hear(tone(500))
    assert kinds(hearing.stream_end()) == ["Ended"]
    assert hearing.stream_end() == []
    again = hearing.hear(tone(300)) + hearing.stream_end()
    assert kinds(again) == ["Began", "Ended"]
    assert again[1] == Ended(tone(300), 300)


def test_without_detection_the_client_says_when() -> None:
    hearing = Hearing(Detection(automatic=False, prefix_ms=100, silence_ms=500, speech_dbfs=-45))
    assert hearing.hear(tone(500)) == []
    assert kinds(hearing.activity_start()) == ["Began"]
    assert hearing.hear(tone(200) + silence(900)) == []
    assert hearing.stream_end() == []
    assert hearing.activity_end() == [Ended(tone(200) + silence(900), 200)]


@pytest.mark.parametrize("size", [1, 2, 3, 639, 641])
def test_audio_time_counts_every_sample(size: int) -> None:
    hearing = Hearing(AUTOMATIC)
    for _ in range(10):
        hearing.hear(bytes(2 * size))
    assert hearing.received_ms == pytest.approx(10 * size * 2 / FRAME_BYTES * 20)
