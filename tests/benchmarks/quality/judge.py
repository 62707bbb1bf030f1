"""How much of a prompt arrived: where it is in a recording, and what outside judges make of it.

Everything is compared with the prompt itself, at 8 kHz. "The codec alone" is the prompt through
µ-law once, which any telephone call costs; it is judged the same way, in the same run.

Sources: ITU-T P.862 (PESQ, narrow band), as in the package pesq; STOI (Taal et al., 2011), as in
pystoi.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from telephony.audio.formats import PHONE_RATE_HZ
from telephony.audio.resample import resample_whole
from tests.judges.words import Words

PAUSE_MS = 400
"""Between prompts: shorter than what ends a caller's turn."""

REACH_MS = 200
"""How far from its place a prompt is looked for."""


@dataclass(frozen=True, slots=True)
class Score:
    """What one prompt is worth.

    Args:
        pesq: 1 to 4.5; None where PESQ found no speech.
        stoi: 0 to 1.
        level_db: How much louder it is than the prompt; -inf for silence.
        sentence: Which one was recognised, or None.
    """

    pesq: float | None
    stoi: float
    level_db: float
    sentence: str | None


def in_a_row(prompts: Sequence[bytes]) -> bytes:
    """Prompts with a pause before each and after the last: PCM16, mono, 8 kHz, both in and out."""
    pause = bytes(2 * PAUSE_MS * PHONE_RATE_HZ // 1000)
    return pause + b"".join(prompt + pause for prompt in prompts)


def cut(recording: bytes, prompts: Sequence[bytes], rate_hz: int) -> tuple[list[bytes], list[int]]:
    """Find a row of prompts in a recording, and cut each out where it is.

    Args:
        recording: PCM16 little-endian, mono, at `rate_hz`.
        prompts: As for `in_a_row`.
        rate_hz: Of the recording.

    Returns:
        The prompts as they arrived, at `rate_hz`, and by how many samples each is later in the
        recording than the first one.
    """
    from scipy.signal import correlate  # noqa: PLC0415 - a second that every test process would pay

    whole = _samples(recording)
    row = _samples(resample_whole(in_a_row(prompts), PHONE_RATE_HZ, rate_hz))
    per_phone = rate_hz // PHONE_RATE_HZ
    pause, reach = PAUSE_MS * rate_hz // 1000, REACH_MS * rate_hz // 1000
    padded = np.pad(whole, len(row))
    begins = int(np.argmax(correlate(padded, row, "valid")))
    lengths = [len(prompt) // 2 * per_phone for prompt in prompts]
    places = accumulate((length + pause for length in lengths[:-1]), initial=begins + pause)
    pieces: list[bytes] = []
    late: list[int] = []
    for place, length, prompt in zip(places, lengths, prompts, strict=True):
        wanted = _samples(resample_whole(prompt, PHONE_RATE_HZ, rate_hz))
        # The row may begin anywhere in the padding: what is beyond it is silence too.
        around = np.pad(padded, reach)[place : place + length + 2 * reach]
        lag = int(np.argmax(correlate(around, wanted, "valid")))
        pieces.append(around[lag : lag + length].astype("<i2").tobytes())
        late.append(lag)
    return pieces, [each - late[0] for each in late]


def judge(prompt: bytes, heard: bytes, rate_hz: int, known: Words) -> Score:
    """Compare one prompt with what was heard of it.

    Args:
        prompt: PCM16 little-endian, mono, 8 kHz.
        heard: The same at `rate_hz`, as long and aligned.
        rate_hz: 8000 or 16000.
        known: The sentences that it is one of, named by their own texts.
    """
    from pystoi import stoi  # noqa: PLC0415 - as above

    narrow = _samples(resample_whole(heard, rate_hz, PHONE_RATE_HZ))
    said = _samples(prompt)
    return Score(
        pesq=_pesq(said, narrow),
        stoi=float(stoi(said, narrow, PHONE_RATE_HZ)) if narrow.any() else 0.0,
        level_db=_level_db(narrow) - _level_db(said),
        sentence=known.spoken(heard, rate_hz),
    )


def _pesq(said: npt.NDArray[np.float64], heard: npt.NDArray[np.float64]) -> float | None:
    from pesq import NoUtterancesError, pesq  # noqa: PLC0415 - it may be missing

    if not heard.any():  # pesq fails on its own NaN there, instead of telling
        return None
    try:
        return float(pesq(PHONE_RATE_HZ, said.astype("<i2"), heard.astype("<i2"), "nb"))
    except NoUtterancesError:
        return None


def _level_db(samples: npt.NDArray[np.float64]) -> float:
    power = float(np.mean(samples**2))
    return 10 * math.log10(power) if power > 0 else -math.inf


def _samples(pcm: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)
