"""The sound for who waits."""

import hashlib

import audioop

from telephony.audio import g711
from telephony.audio.earcon import EARCON, EARCON_FRAMES, EARCON_MS
from telephony.audio.formats import FRAME_SAMPLES
from telephony.simulator.ear import Ear, is_loud


def test_it_is_short_soft_and_the_same_on_every_machine() -> None:
    pcm = g711.decode(EARCON)
    assert EARCON_MS == 300
    assert len(EARCON) % FRAME_SAMPLES == 0
    assert 250 < audioop.rms(pcm, 2) < 700  # a voice has about 3 000
    assert hashlib.sha256(EARCON).hexdigest()[:16] == "d4fc3eb50aee6951"


def test_it_begins_and_ends_in_silence() -> None:
    pcm = g711.decode(EARCON)
    assert max(audioop.max(pcm[:10], 2), audioop.max(pcm[-10:], 2)) < 50


def test_the_simulated_ear_takes_it_for_no_turn() -> None:
    ear = Ear(quiet_ms=500)
    assert any(is_loud(frame) for frame in EARCON_FRAMES)
    for at in range(0, len(EARCON), FRAME_SAMPLES):
        ear.hear(EARCON[at : at + FRAME_SAMPLES], at // 8)
    assert ear.turns == []
