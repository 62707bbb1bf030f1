"""The time of one media stream as Twilio counts it, found from what a recording holds of it.

Twilio says and plays in one clock, frame by frame. A recording holds when things arrived at the
worker, which is later and uneven, and by another clock. So everything is put in Twilio's time: the
caller's media by its timestamps, what comes beside it by the media just before, and what was sent
by the least delay that was seen lately. Then the two sides cannot drift apart, however the clocks
differ.

All times here are samples at 8 kHz unless a name ends in `_ms`.
"""

from collections import deque
from dataclasses import dataclass, field

from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS

WOBBLE = 10 * PHONE_SAMPLES_PER_MS
"""Timestamps are off by a ms or two, and a lost frame is 20: less than this is no gap."""

SENSIBLE = 1_000 * PHONE_SAMPLES_PER_MS
"""Media cannot be from so much later than its arrival: such timestamps are not believed."""

FRESH_MS = 60
"""So long after a piece of media, what arrives is placed by it: both came the same way."""

LATELY_MS = 10_000
"""The least delay is that of so long: clocks do not differ by a ms in it."""


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of the caller's media in its place: µ-law, and its first sample in Twilio's time."""

    at: int
    ulaw: bytes


@dataclass(slots=True)
class _Hole:
    start: int
    end: int


@dataclass(slots=True)
class StreamClock:
    """The clock of one stream. Tell it of all media, in order of arrival.

    Args:
        started_ms: When the stream began, in the worker's time.
    """

    started_ms: int
    _next: int | None = None
    _holes: list[_Hole] = field(default_factory=list)
    _last: tuple[int, int] | None = None
    _delays: deque[tuple[int, int]] = field(default_factory=deque)
    _first_delay: int | None = None

    def media(self, ulaw: bytes, timestamp_ms: int, now_ms: int) -> Said:
        """Place a piece of media. No piece is left out, and none hides another.

        Args:
            ulaw: µ-law, any length.
            timestamp_ms: Twilio's time of its first sample.
            now_ms: When it arrived, in the worker's time.
        """
        at = self._place(timestamp_ms * PHONE_SAMPLES_PER_MS, len(ulaw), now_ms)
        # A frame is sent when it begins; a longer payload, when its last frame does.
        told = at + len(ulaw) - FRAME_SAMPLES
        self._last = (told, now_ms)
        delay = now_ms * PHONE_SAMPLES_PER_MS - told
        while self._delays and self._delays[-1][1] >= delay:
            self._delays.pop()
        self._delays.append((now_ms, delay))
        while self._delays[0][0] < now_ms - LATELY_MS:
            self._delays.popleft()
        if self._first_delay is None or now_ms - self.started_ms <= LATELY_MS:
            self._first_delay = self._delays[0][1]
        return Said(at, ulaw)

    @property
    def begins_ms(self) -> int:
        """The worker's time at which Twilio's time of this stream is 0."""
        if self._first_delay is None:
            return self.started_ms
        return round(self._first_delay / PHONE_SAMPLES_PER_MS)

    def sent(self, now_ms: int) -> int:
        """Twilio's time, as far as it is known, when the worker sends something."""
        return now_ms * PHONE_SAMPLES_PER_MS - self._delay()

    def arrived(self, now_ms: int) -> int:
        """Twilio's time when it sent what arrives at the worker now."""
        latest = self.sent(now_ms)
        if self._last is None or now_ms - self._last[1] > FRESH_MS:
            return latest
        at, media_ms = self._last
        return min(latest, at + (now_ms - media_ms) * PHONE_SAMPLES_PER_MS)

    def _delay(self) -> int:
        return self._delays[0][1] if self._delays else self.started_ms * PHONE_SAMPLES_PER_MS

    def _place(self, stamp: int, samples: int, now_ms: int) -> int:
        if self._next is None:
            self._next = stamp + samples
            return stamp
        gap = stamp - self._next
        if gap < -WOBBLE and (at := self._fill(stamp, samples)) is not None:
            return at
        at = self._next
        if gap > WOBBLE and stamp <= self.sent(now_ms) + SENSIBLE:
            self._holes.append(_Hole(at, stamp))
            at = stamp
        self._next = at + samples
        return at

    def _fill(self, stamp: int, samples: int) -> int | None:
        """A piece that comes late goes where it is missing."""
        for hole in self._holes:
            if hole.start - WOBBLE <= stamp and stamp + samples <= hole.end + WOBBLE:
                at = max(hole.start, min(stamp, hole.end - samples))
                if at + samples > hole.end:
                    continue
                self._holes.append(_Hole(at + samples, hole.end))
                hole.end = at
                return at
        return None
