"""Row 30: the caller's media comes up to 400 ms late, out of order, and 5 % of it not at all.

What the model is given has to keep the caller's time, and to be the caller's: at each moment it
hears what the caller said at that moment, or silence where that did not come in time. So each frame
here has a tone of its own, and what the model is given is compared frame by frame with what a
perfect line would give it. The media is read from Twilio's messages, whose numbers have gaps.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

import numpy as np
import numpy.typing as npt

from agent.conversation.commands import SendCallerAudio
from telephony.audio import g711
from telephony.audio.formats import (
    FRAME_MS,
    FRAME_SAMPLES,
    MODEL_IN_RATE_HZ,
    PHONE_RATE_HZ,
)
from telephony.call.microphone import ForModel, Microphone
from telephony.call.uplink import MODEL_IN_BYTES_PER_MS
from telephony.simulator import wire
from telephony.twilio.messages import Media, Message, parse
from tests.faults.table import Figure, Row, at_least, at_most, exactly, scaled

MINUTES = 30
LATE_MS = 400
LOST = 0.05
SKIPPED_NUMBERS = 0.01
"""Twilio counts messages that it never sends."""

STREAM = "MZ" + "0" * 32

TONES = 50
"""No two frames within a second sound alike."""

EDGE = 80
"""Samples at both ends of a frame in which the filter hears its neighbours, too: 5 ms at 16 kHz."""

ALIKE = 64
"""Of 32767. Two tones, or a tone and silence, differ by thousands."""

type Arrivals = Sequence[tuple[int, int]]
"""When each frame comes, and when it was said, in ms."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the model was given, by the frames of the caller's time.

    Args:
        right: Whether it is what the caller said then.
        silent: Whether it is silence.
        length_ms: How long all of it is.
    """

    right: npt.NDArray[np.bool_]
    silent: npt.NDArray[np.bool_]
    length_ms: float

    def wrong(self) -> int:
        """Frames that are neither."""
        return int((~self.right & ~self.silent).sum())


def measure(share: float) -> Sequence[Figure]:
    """A caller's media, given to a call as it comes: once in order, once in any."""
    length_ms = scaled(MINUTES, share) * 60_000
    perfect = [(ms + FRAME_MS, ms) for ms in range(0, length_ms, FRAME_MS)]
    wanted = _pcm(perfect)
    any_order = _arrivals(length_ms, Random(1))
    in_order = _in_order(_arrivals(length_ms, Random(2)))
    figures = [Figure("minutes", length_ms / 60_000, None)]
    for how, arrivals in (("in order", in_order), ("in any order", any_order)):
        given = _compared(_pcm(arrivals), wanted)
        came = np.zeros(len(given.right), np.bool_)
        came[[ms // FRAME_MS for _, ms in arrivals if ms // FRAME_MS < len(came)]] = True
        not_given = int((came & ~given.right).sum())
        drift_ms = abs(given.length_ms - len(wanted) / MODEL_IN_BYTES_PER_MS)
        figures += [
            Figure(f"{how}: frames lost", len(perfect) - len(arrivals), at_least(1)),
            Figure(f"{how}: given at a time when they were not said", given.wrong(), exactly(0)),
            Figure(
                f"{how}: frames that came and were not given",
                not_given,
                exactly(0) if arrivals is in_order else None,
            ),
            Figure(f"{how}: drift of what the model is given", drift_ms, at_most(20), "ms"),
        ]
    return figures


def _pcm(arrivals: Arrivals) -> bytes:
    """What the model is given, when media comes like this."""
    microphone = Microphone()
    microphone.started(0)
    assert microphone.listens(1, 0) == []
    given: list[ForModel] = []
    for (at_ms, _), message in zip(arrivals, _sent(arrivals), strict=True):
        while (due_ms := microphone.deadline_ms()) is not None and due_ms < at_ms:
            given += microphone.fill(due_ms)
        if isinstance(message, Media):
            given += microphone.hears(message.payload, message.timestamp_ms, at_ms)
    return b"".join(each.pcm for each in given if isinstance(each, SendCallerAudio))


def _sent(arrivals: Arrivals) -> Iterator[Message]:
    """What is read of Twilio's messages."""
    random = Random(3)
    tones = [_tone(n) for n in range(TONES)]
    counts = accumulate(1 + (random.random() < SKIPPED_NUMBERS) for _ in range(10**9))
    numbers = {ms: next(counts) for ms in range(0, max(ms for _, ms in arrivals) + 1, FRAME_MS)}
    for _, ms in arrivals:
        payload = tones[ms // FRAME_MS % TONES]
        yield parse(wire.media(numbers[ms], STREAM, numbers[ms], ms, payload))


def _tone(number: int) -> bytes:
    """A frame of µ-law that sounds as no other."""
    hz = 300 + 50 * number
    at = np.arange(FRAME_SAMPLES) / PHONE_RATE_HZ
    return g711.encode((8_000 * np.sin(2 * np.pi * hz * at)).astype("<i2").tobytes())


def _compared(got: bytes, wanted: bytes) -> Given:
    frame = FRAME_MS * MODEL_IN_RATE_HZ // 1000
    frames = min(len(got), len(wanted)) // 2 // frame
    mine, theirs = (
        np.frombuffer(pcm, "<i2", frames * frame).reshape(frames, frame)[:, EDGE:-EDGE].astype(int)
        for pcm in (got, wanted)
    )
    return Given(
        right=(abs(mine - theirs) <= ALIKE).all(axis=1),
        silent=(abs(mine) <= ALIKE).all(axis=1),
        length_ms=len(got) / MODEL_IN_BYTES_PER_MS,
    )


def _arrivals(length_ms: int, random: Random) -> Arrivals:
    """The last ones come in time, and so does the first, with which the model's time begins."""
    in_time = {0, *range(length_ms - LATE_MS, length_ms, FRAME_MS)}
    frames = range(0, length_ms, FRAME_MS)
    kept = [ms for ms in frames if random.random() >= LOST or ms in in_time]
    late_ms = {ms: 0 if ms in in_time else random.randint(0, LATE_MS) for ms in kept}
    return sorted((ms + FRAME_MS + late_ms[ms], ms) for ms in kept)


def _in_order(arrivals: Arrivals) -> Arrivals:
    """As a socket gives them: none before those that were said earlier."""
    said_ms = sorted(ms for _, ms in arrivals)
    at_ms = {ms: at for at, ms in arrivals}
    return list(zip(accumulate((at_ms[ms] for ms in said_ms), max), said_ms, strict=True))


ROWS = (
    Row(30, "media late by up to 400 ms, out of order, 5 % lost", measure, virtual=True, cost_s=30),
)
