"""How loud the agent is at the caller's ear."""

import numpy as np

from telephony.audio.g711 import encode
from telephony.call.overheard import EARLY_MS, ECHO_MS, Overheard

MS = 8


def tone(rms: int, ms: int) -> bytes:
    """µ-law, so loud."""
    return encode(np.tile(np.array([rms, -rms], "<i2"), ms * MS // 2).tobytes())


def about(rms: int, loudest: int) -> bool:
    """µ-law has steps."""
    return abs(rms - loudest) < rms * 0.05


def test_the_loudest_of_what_may_come_back_counts() -> None:
    overheard = Overheard()
    overheard.sent(0, tone(1_000, 1_000))
    overheard.sent(1_000 * MS, tone(4_000, 1_000))
    assert about(1_000, overheard.loudest(500 * MS))
    assert about(4_000, overheard.loudest((1_000 - EARLY_MS + 20) * MS))
    assert about(4_000, overheard.loudest((2_000 + ECHO_MS) * MS))
    assert overheard.loudest((2_000 + ECHO_MS + EARLY_MS + 20) * MS) == 0


def test_what_a_clear_took_away_is_not_heard() -> None:
    overheard = Overheard()
    overheard.sent(0, tone(1_000, 200))
    overheard.sent(200 * MS, tone(4_000, 800))
    overheard.cleared(200 * MS)
    assert about(1_000, overheard.loudest(200 * MS))
    overheard.sent(200 * MS, tone(2_000, 100))
    assert about(2_000, overheard.loudest(200 * MS))


def test_a_new_stream_has_played_nothing() -> None:
    overheard = Overheard()
    overheard.sent(0, tone(1_000, 200))
    overheard.reset()
    assert overheard.loudest(0) == 0


def test_the_next_loudest_counts_once_the_loudest_is_long_past() -> None:
    overheard = Overheard()
    levels = (4_000, 1_000, 2_000)
    for number, rms in enumerate(levels):
        overheard.sent(number * 400 * MS, tone(rms, 400))
    found = [overheard.loudest(at * MS) for at in (400, 900, 1_100, 1_700)]
    assert all(
        about(rms, heard) for rms, heard in zip((4_000, 4_000, 2_000, 2_000), found, strict=True)
    )
