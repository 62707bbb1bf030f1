"""What is heard around a simulated caller is as loud as was asked for, and comes when it should."""

import math

import audioop
import pytest

from telephony.audio.formats import FRAME_SAMPLES, ULAW_SILENCE
from telephony.audio.g711 import decode, encode
from telephony.simulator.faults import Background, LineFaults
from telephony.simulator.surroundings import Surroundings

SILENT = bytearray(ULAW_SILENCE * 8_000 * 10)
TONE = encode(
    b"".join(
        round(8_000 * math.sin(n / 3)).to_bytes(2, "little", signed=True)
        for n in range(FRAME_SAMPLES)
    )
)


def picked_up(faults: LineFaults, heard: bytearray = SILENT, voice: bytes = b"") -> bytes:
    """Ten seconds of it, as PCM16."""
    around = Surroundings(faults)
    frames = range(0, len(SILENT), FRAME_SAMPLES)
    sounds = [around.around(voice, heard, at) for at in frames]
    return b"".join(decode(sound or ULAW_SILENCE * FRAME_SAMPLES) for sound in sounds)


def dbfs(pcm: bytes) -> float:
    return 20 * math.log10(max(1, audioop.rms(pcm, 2)) / 32_768)


@pytest.mark.parametrize("background", ["murmur", "room", "comfort"])
def test_a_background_is_as_far_below_the_voice_as_was_asked_for(background: Background) -> None:
    for below_db in (20.0, 30.0):
        pcm = picked_up(LineFaults(background=background, background_db=below_db))
        assert dbfs(pcm) == pytest.approx(-20 - below_db, abs=0.5)


def test_a_murmur_rises_and_falls_as_speech_does_and_a_room_does_not() -> None:
    def spread_db(background: Background) -> float:
        pcm = picked_up(LineFaults(background=background))
        levels = [dbfs(pcm[at : at + 320]) for at in range(0, len(pcm), 320)]
        return max(levels) - min(levels)

    assert spread_db("murmur") > spread_db("room")


def test_a_telephone_makes_comfort_noise_only_while_nobody_speaks() -> None:
    around = Surroundings(LineFaults(background="comfort"))
    assert around.around(TONE, SILENT, 0) is None
    assert around.around(b"", SILENT, 0) is not None


def test_the_agent_comes_back_later_and_softer() -> None:
    heard = bytearray(SILENT)
    heard[1_600 : 1_600 + FRAME_SAMPLES] = TONE
    pcm = picked_up(LineFaults(echo_db=20, echo_ms=180), heard)
    begins = 2 * (1_600 + 180 * 8)
    assert dbfs(pcm[begins : begins + 320]) == pytest.approx(dbfs(decode(TONE)) - 20, abs=0.5)
    assert dbfs(pcm[:begins]) < -70
    assert dbfs(pcm[begins + 320 :]) < -70


def test_without_a_switch_nothing_is_added() -> None:
    assert Surroundings(LineFaults()).around(TONE, SILENT, 1_600) is None
