"""Finds what a caller hears where the next session continues a reply, or begins it anew.

It looks only at the sound: it searches the agent's clip for the end of the audio before the seam,
and for the beginning of the audio after it.
"""

from dataclasses import dataclass

import numpy as np

from telephony.audio import g711
from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS, ULAW_SILENCE
from telephony.simulator.ear import is_loud
from telephony.simulator.world import World
from tests.worlds import judge

LOOKED_FOR_SAMPLES = 1_000 * PHONE_SAMPLES_PER_MS
ALIKE = 0.9
"""Two resampled copies of the same speech correlate by more than this."""

type Samples = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Seam:
    """One of them.

    Args:
        lost_frames: Speech of the clip that was not heard, in frames of 20 ms.
        twice_frames: Speech of the clip that was heard on both sides.
        gap_ms: From the end of the first part to the beginning of the second.
    """

    lost_frames: int
    twice_frames: int
    gap_ms: int


def seam(world: World, name: str = judge.MONOLOGUE) -> Seam:
    """That of a call whose second reply is the clip, in two parts or in one.

    Where what is heard after the first part is not of the clip, all the rest of the clip is lost.
    What is heard after the second part is heard twice.
    """
    whole = judge.spoken(name)
    _, first, *rest = judge.replies(world)
    assert first.name == name
    if not rest:
        return Seam(_loud_frames(whole[first.heard_samples :]), 0, 0)
    heard, *more = (b"".join(span.ulaw for span in reply.spans) for reply in rest)
    ends_ms = first.spans[-1].at_ms + len(first.spans[-1].ulaw) // PHONE_SAMPLES_PER_MS
    gap_ms = rest[0].spans[0].at_ms - ends_ms
    twice = sum(_loud_frames(ulaw) for ulaw in more)
    at = _place(heard, whole, first.heard_samples)
    if at is None:
        return Seam(_loud_frames(whole[first.heard_samples :]), twice, gap_ms)
    return Seam(
        _loud_frames(whole[first.heard_samples : at]) + _loud_frames(whole[at + len(heard) :]),
        _loud_frames(whole[at : first.heard_samples]) + twice,
        gap_ms,
    )


@dataclass(slots=True)
class Said:
    """A clip as it was heard, in one part or in several.

    Args:
        name: The clip, without the role.
        parts: From where to where in it each part is, in samples.
        ends_ms: When the last part was over.
    """

    name: str
    parts: list[tuple[int, int]]
    ends_ms: int

    @property
    def lost_frames(self) -> int:
        """Speech of the clip that was not heard, in frames of 20 ms."""
        return sum(times == 0 for times in self._times())

    @property
    def twice_frames(self) -> int:
        """Speech of the clip that was heard more than once."""
        return sum(times > 1 for times in self._times())

    def _times(self) -> list[int]:
        """How often each frame of speech was heard."""
        whole = judge.spoken(self.name)
        return [
            sum(start < at + FRAME_SAMPLES // 2 <= end for start, end in self.parts)
            for at in range(0, len(whole), FRAME_SAMPLES)
            if is_loud(whole[at : at + FRAME_SAMPLES])
        ]


def said(world: World) -> list[Said]:
    """All that the agent said, each clip with the parts in which it was heard."""
    out: list[Said] = []
    for reply in judge.replies(world):
        heard = b"".join(span.ulaw for span in reply.spans)
        if not heard:
            continue
        ends_ms = reply.spans[-1].at_ms + len(reply.spans[-1].ulaw) // PHONE_SAMPLES_PER_MS
        names = [name for name, at in judge.clips_of(bytes(reply.ulaw)) if at == 0]
        if names and not (out and out[-1].lost_frames and out[-1].name in names):
            [name] = names
            out.append(Said(name, [(0, len(heard))], ends_ms))
            continue
        last = out[-1]
        at = 0 if names else _place(heard, judge.spoken(last.name), last.parts[-1][1])
        assert at is not None, f"{len(heard)} samples after {last} are of no clip"
        last.parts.append((at, at + len(heard)))
        last.ends_ms = ends_ms
    return out


def _place(part: bytes, whole: bytes, near: int) -> int | None:
    """Where in the clip this part of it begins: where it says the same, next to `near`; or None."""
    wanted = _samples(part[:LOOKED_FOR_SAMPLES])
    clip = _samples(whole + ULAW_SILENCE * LOOKED_FOR_SAMPLES)  # a part ends in silence
    size = len(wanted)
    spectrum = np.fft.rfft(clip, len(clip) + size) * np.conj(np.fft.rfft(wanted, len(clip) + size))
    products = np.fft.irfft(spectrum, len(clip) + size)[: len(clip) - size + 1]
    energy = np.concatenate(([0.0], np.cumsum(clip**2)))
    norms = np.sqrt((energy[size:] - energy[:-size]) * np.sum(wanted**2)) + 1.0
    alike = products / norms
    places = np.flatnonzero(alike >= max(ALIKE, float(alike.max()) - 0.02))
    return int(places[np.argmin(np.abs(places - near))]) if len(places) else None


def _samples(ulaw: bytes) -> Samples:
    return np.frombuffer(g711.decode(ulaw), dtype="<i2").astype(np.float64)


def _loud_frames(ulaw: bytes) -> int:
    return sum(is_loud(ulaw[at : at + FRAME_SAMPLES]) for at in range(0, len(ulaw), FRAME_SAMPLES))
