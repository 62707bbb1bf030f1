"""What a caller heard of the agent on one stream, from what was sent and which marks came back.

Twilio plays what it was sent in order and in real time, from when it arrives, and echoes a mark
once all audio before it was played. If every message took equally long, what is heard would be
what a queue without any delay plays, only later. So that queue is followed here, run by run, and
each mark tells how much later: its *lag*. A mark may be late and is never early, so of several
marks the least lag counts; a lag that has grown for good is silence in which Twilio had nothing to
play. A clear takes effect when the marks that it flushed are back.

All times and positions are samples at 8 kHz, in the time of the stream (`stream_clock`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS

DRY = FRAME_SAMPLES
"""Lags may differ by so much without any silence: Twilio plays frame by frame."""

CLOSE = 100 * PHONE_SAMPLES_PER_MS
"""A message that came with less than this left to play may have come too late."""

SURE_MARKS = 2
"""For silence before any other message, so many marks have to agree: a single one may be late."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of µ-law that was heard.

    Args:
        at: When its first sample was heard.
        ulaw: The audio.
        position: Where it begins in all the audio that was sent on the stream.
    """

    at: int
    ulaw: bytes
    position: int


@dataclass(slots=True)
class _Mark:
    position: int
    back: int | None = None


@dataclass(slots=True)
class _Run:
    """Audio that a queue without delay plays without a pause.

    Args:
        start: When it would play the first sample.
        position: Where it begins in all the audio that was sent on the stream.
        ulaw: The audio.
        messages: Where in it each message begins, and how much there was left to play when it was
            sent.
        marks: The marks within it, in order.
        cleared: When the clear was sent that ended it; None if it was played to its end.
    """

    start: int
    position: int
    ulaw: bytearray = field(default_factory=bytearray)
    messages: list[tuple[int, int]] = field(default_factory=list)
    marks: list[_Mark] = field(default_factory=list)
    cleared: int | None = None

    @property
    def end(self) -> int:
        return self.start + len(self.ulaw)

    def lags(self, *, before: int | None = None) -> list[tuple[int, int]]:
        """The position and the lag of each mark that is back, or was by then."""
        return [
            (mark.position, mark.back - self.start - mark.position)
            for mark in self.marks
            if mark.back is not None and (before is None or mark.back <= before)
        ]

    def known_lag(self) -> int | None:
        """The least lag of the marks that no clear has flushed; None if there are none."""
        return min((lag for _, lag in self.lags(before=self.cleared)), default=None)


class AsHeard:
    """The agent's side of one stream. Tell it what was sent and what came back, in order."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._marks: dict[str, _Mark] = {}

    def media(self, ulaw: bytes, now: int) -> None:
        """Audio was sent."""
        run = self._runs[-1] if self._runs else None
        if run is None or run.cleared is not None or now > run.end:
            run = _Run(now, run.position + len(run.ulaw) if run else 0)
            self._runs.append(run)
        run.messages.append((len(run.ulaw), run.end - now))
        run.ulaw += ulaw

    def mark(self, name: str, now: int) -> None:
        """A mark was sent. One that was sent when there was nothing to play tells nothing."""
        if self._runs and (run := self._runs[-1]).cleared is None and now <= run.end:
            mark = self._marks[name] = _Mark(len(run.ulaw))
            run.marks.append(mark)

    def mark_back(self, name: str, now: int) -> None:
        """A mark came back."""
        if (mark := self._marks.pop(name, None)) is not None:
            mark.back = now

    def clear(self, now: int) -> None:
        """A clear was sent."""
        if self._runs and self._runs[-1].cleared is None:
            self._runs[-1].cleared = now

    def heard(self, end: int, *, at_twilio: bool) -> Iterator[Heard]:
        """What was heard until the stream ended, in order. Call this last.

        Args:
            end: When it ended.
            at_twilio: Whether it ended there; if it ended here, Twilio learns that later.
        """
        known = [run.known_lag() for run in self._runs]
        told = sorted(lag for lag in known if lag is not None)
        usual = told[len(told) // 2] if told else 0
        if not at_twilio:
            end += usual
        free = 0
        for run, its in zip(self._runs, known, strict=True):
            lag = usual if its is None else its
            until = end if run.cleared is None else min(end, _effect(run, run.cleared, lag))
            for piece in _played(run, lag):
                at = max(piece.at, free)
                if ulaw := piece.ulaw[: _frames(until - at)]:
                    yield Heard(at, ulaw, piece.position)
                    free = at + len(ulaw)


def _frames(samples: int) -> int:
    """So many samples, not known to the ms; a frame that has begun is played to its end."""
    return -(-max(0, samples + 3 * FRAME_SAMPLES // 4) // FRAME_SAMPLES) * FRAME_SAMPLES


def _effect(run: _Run, cleared: int, lag: int) -> int:
    """When a clear took effect: when the first mark came back before its time."""
    early = [
        run.start + position + its_lag
        for position, its_lag in run.lags()
        if its_lag < lag - DRY and run.start + position + its_lag >= cleared
    ]
    return min(early, default=cleared + lag)


def _played(run: _Run, lag: int) -> Iterator[Heard]:
    """The pieces of a run, between which there was nothing to play, if no clear had come."""
    lags = run.lags(before=run.cleared)
    from_here = list(accumulate(reversed([each for _, each in lags]), min))[::-1]
    begins, now = 0, lag
    for number, grown in enumerate(from_here):
        if grown <= now + DRY // 2:
            continue
        earlier = max(lags[number - 1][0] if number else 0, begins + 1)
        between = [each for each in run.messages if earlier <= each[0] < lags[number][0]]
        dry, left = min(between, key=lambda each: each[1], default=(0, 0))
        sure = grown > now + DRY and len(from_here) - number >= SURE_MARKS
        if dry and (sure or left < CLOSE):
            yield _piece(run, begins, dry, now)
            begins, now = dry, grown
    yield _piece(run, begins, len(run.ulaw), now)


def _piece(run: _Run, begins: int, ends: int, lag: int) -> Heard:
    part = bytes(run.ulaw[begins:ends])
    return Heard(run.start + begins + lag, part, run.position + begins)
