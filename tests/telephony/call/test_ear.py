"""What is sound on a line, and what of it may be speech."""

import pytest

from telephony.call.ear import (
    BRIDGED_MS,
    LATELY_MS,
    OVER_AGENT_RMS,
    Ear,
)
from telephony.call.overheard import ECHO_MS
from telephony.call.talk_over import SPEECH_RMS

FRAME_MS = 20


def frame(rms: int) -> bytes:
    """20 ms, as loud as this."""
    return (rms.to_bytes(2, "little", signed=True) + (-rms).to_bytes(2, "little", signed=True)) * 80


SILENCE = frame(0)
SOFT = frame(SPEECH_RMS - 10)
LOUD = frame(SPEECH_RMS + 10)
VOICE = frame(4_000)
FAR = frame(240)
"""24.4 dB below the voice."""


class Line:
    """Frames in real time."""

    def __init__(self) -> None:
        self.ear = Ear()
        self.now_ms = 1_000
        self.agent_until_ms = 0

    def sounds(self, pcm: bytes, frames: int = 1) -> float:
        """So many such frames; returns how much of them was speech, in ms."""
        speech_ms = 0.0
        for _ in range(frames):
            self.now_ms += FRAME_MS
            self.ear.hears(pcm, self.now_ms, self.agent_until_ms)
            if self.ear.speech_at_ms == self.now_ms:
                speech_ms += self.ear.speech_ms
        return speech_ms


@pytest.fixture
def line() -> Line:
    """A line that was silent so far."""
    quiet = Line()
    quiet.sounds(SILENCE, 5)
    return quiet


def test_what_is_far_below_a_voice_is_sound_and_no_speech(line: Line) -> None:
    assert line.sounds(SOFT, 50) == 0
    assert line.ear.sound_at_ms == line.now_ms
    assert line.ear.active


def test_a_voice_is_speech_for_as_long_as_it_lasts(line: Line) -> None:
    assert line.sounds(LOUD, 50) == 50 * FRAME_MS


def test_a_room_that_always_sounds_is_no_speech_and_a_voice_above_it_is() -> None:
    room = Line()
    hum, louder_hum = frame(SPEECH_RMS + 100), frame(2 * SPEECH_RMS + 200)
    for _ in range(25):
        assert room.sounds(hum) == 0
        assert room.sounds(louder_hum) == 0
    assert room.sounds(VOICE, 50) >= 50 * FRAME_MS


def test_a_soft_beginning_belongs_to_the_speech_that_follows_it(line: Line) -> None:
    assert line.sounds(SOFT, 5) == 0
    assert line.sounds(LOUD) == 6 * FRAME_MS
    line.sounds(SILENCE, 50)
    line.sounds(SOFT, 50)
    assert line.sounds(LOUD) == BRIDGED_MS


def test_a_soft_end_belongs_to_the_speech_before_it_and_what_goes_on_behind_it_does_not(
    line: Line,
) -> None:
    line.sounds(LOUD, 5)
    assert line.sounds(SOFT, 60) == BRIDGED_MS


def test_silence_is_never_speech(line: Line) -> None:
    line.sounds(LOUD, 5)
    assert line.sounds(SILENCE, 10) == 0


def test_while_the_agent_is_heard_it_takes_a_louder_voice(line: Line) -> None:
    line.agent_until_ms = line.now_ms + 200
    assert line.sounds(frame(OVER_AGENT_RMS - 10), 5) == 0
    assert line.sounds(frame(OVER_AGENT_RMS + 10), 5) > 0


def test_the_agents_echo_comes_for_half_a_second_after_it(line: Line) -> None:
    line.agent_until_ms = line.now_ms
    assert line.sounds(LOUD, ECHO_MS // FRAME_MS - 1) == 0
    assert line.sounds(LOUD) > 0


def test_what_sounds_from_the_first_frame_on_is_no_speech() -> None:
    assert Line().sounds(LOUD, 200) == 0


def test_a_caller_who_speaks_from_the_first_frame_on_is_heard_behind_the_first_pause() -> None:
    begun = Line()
    begun.sounds(VOICE, 5)
    begun.sounds(SILENCE, 2)
    assert begun.sounds(VOICE, 5) > 0


def test_somebody_far_softer_than_the_caller_is_not_the_caller(line: Line) -> None:
    line.sounds(VOICE, 20)
    line.sounds(SILENCE, 50)
    assert line.sounds(FAR, 5) == 0
    assert line.ear.sound_at_ms == line.now_ms


def test_a_click_is_no_measure_of_the_caller(line: Line) -> None:
    line.sounds(VOICE, 1)
    line.sounds(SILENCE, 50)
    assert line.sounds(FAR, 5) > 0


def test_somebody_softer_who_takes_the_telephone_is_the_caller_before_long(line: Line) -> None:
    line.sounds(VOICE, 20)
    line.sounds(SILENCE, 50)
    line.sounds(FAR)
    for _ in range(2):
        line.sounds(SILENCE, LATELY_MS // FRAME_MS)
        spoken_ms = line.sounds(FAR, 5)
    assert spoken_ms > 0
