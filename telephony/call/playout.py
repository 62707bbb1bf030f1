"""How much the caller has heard: marks are exact, the clock fills in between.

The only place where samples and time meet. Twilio plays what it was sent in order and in real
time, and echoes a mark once everything before it was played. Positions are µ-law samples (8 kHz)
sent on the present stream; a mark fixes one, and from the last fixed one the clock runs on, never
past what was sent and never far past a mark that should have come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS

MARK_GRACE_MS = 500
"""How far the clock may run past a mark that has not come back: the echo crosses the network."""

FLUSHED_MS = 150
"""So much more is heard, at most, while a clear is on its way and the marks that it flushes come
back. What is later was held up somewhere, and tells nothing."""

LOST_MARK_MS = 2_000
"""When all audio should have been played for so long, marks still missing are taken for lost."""


@dataclass(slots=True)
class _Span:
    """A run of samples of one reply: where it stands in the stream, and in its reply."""

    reply: int
    start: int
    end: int
    at: int

    @property
    def ends_at(self) -> int:
        """Where in its reply it ends."""
        return self.at + self.end - self.start


@dataclass(slots=True)
class _Cleared:
    """What was known when a clear was written. It took effect later, by its own way and by that of
    the marks that it flushed; by the latter the clock is late, too. So the clock at the time when
    they are back tells what was heard before it took effect.
    """

    marks: frozenset[str]
    spans: Sequence[_Span]
    clock: tuple[int, int]
    clock_by_mark: bool
    heard: int
    sent: int

    def heard_by(self, now_ms: int) -> int:
        """How much was heard, if its marks are back now: whole frames, as they are played."""
        if not self.clock_by_mark:
            return self.heard
        position, at_ms = self.clock
        played = (now_ms - at_ms) * PHONE_SAMPLES_PER_MS // FRAME_SAMPLES * FRAME_SAMPLES
        most = self.heard + FLUSHED_MS * PHONE_SAMPLES_PER_MS
        return max(self.heard, min(self.sent, position + played, most))


class Playout:
    """Twilio's side of one stream, as far as it can be known from here."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """A new stream: nothing sent, nothing heard."""
        self._sent = 0
        self._known = 0
        self._clock = (0, 0)
        self._clock_by_mark = False
        self._marks: dict[str, int] = {}
        self._marked = 0
        self._spans: list[_Span] = []
        self._cleared: _Cleared | None = None

    def sent(
        self, reply: int, samples: int, now_ms: int, *, at: int | None = None, marked: bool = False
    ) -> None:
        """So many samples of `reply` were sent.

        Args:
            reply: Its number.
            samples: How many.
            now_ms: The time.
            at: Where in the reply they begin; None: where its last ones on this stream ended.
            marked: Whether no mark will follow them.
        """
        if self._by_clock(now_ms) >= self._sent:
            self._clock = (self._sent, now_ms)
            self._clock_by_mark = False
        last = self._spans[-1] if self._spans else None
        if last is not None and last.reply == reply and at in {None, last.ends_at}:
            last.end += samples
        else:
            self._spans.append(_Span(reply, self._sent, self._sent + samples, at or 0))
        self._sent += samples
        if marked:
            self._marked = self._sent

    def mark_sent(self, name: str) -> None:
        """A mark was sent behind all audio so far."""
        self._marks[name] = self._marked = self._sent

    def mark_returned(self, name: str, now_ms: int) -> bool:
        """A mark came back. False for one that a clear had flushed, or that was never sent."""
        if name not in self._marks:
            return False
        for earlier in list(self._marks):
            position = self._marks.pop(earlier)
            if earlier == name:
                self._known = position
                self._clock = (position, now_ms)
                self._clock_by_mark = True
                break
        return True

    def expire(self, now_ms: int) -> bool:
        """Give lost marks up, when their time has come; True if there were any."""
        if not self._marks or now_ms < self._lost_at_ms():
            return False
        self._marks.clear()
        self._known = self._sent
        self._clock = (self._sent, now_ms)
        return True

    def clear(self, now_ms: int) -> None:
        """Twilio's buffer is emptied: what was not heard by now never will be."""
        heard = self._heard(now_ms)
        self._cleared = _Cleared(
            frozenset(self._marks), self._spans, self._clock, self._clock_by_mark, heard, self._sent
        )
        self._sent = self._known = self._marked = heard
        self._clock = (self._sent, now_ms)
        self._marks.clear()
        self._spans = [
            _Span(span.reply, span.start, min(span.end, self._sent), span.at)
            for span in self._spans
            if span.start < self._sent
        ]

    def forget(self, reply: int) -> None:
        """`reply` is of no more interest, or as much of it as was sent so far."""
        self._spans = [span for span in self._spans if span.reply != reply]

    @property
    def sent_samples(self) -> int:
        """How much was sent on this stream, without what a clear took away."""
        return self._sent

    def position(self, now_ms: int) -> int:
        """How much of that was heard."""
        return self._heard(now_ms)

    @property
    def unmarked_samples(self) -> int:
        """How much was sent since the last mark."""
        return self._sent - self._marked

    def unheard(self, now_ms: int) -> bool:
        """Whether Twilio may still hold audio. While a mark is out, it may."""
        return bool(self._marks) or self._heard(now_ms) < self._sent

    def queued_samples(self, now_ms: int) -> int:
        """How much Twilio holds that was not heard yet."""
        return self._sent - self._heard(now_ms)

    def ends_ms(self) -> int:
        """When all that was sent will have been heard, or was; 0 if nothing was sent."""
        position, at_ms = self._clock
        return at_ms + -(-(self._sent - position) // PHONE_SAMPLES_PER_MS)

    def heard_samples(self, reply: int, now_ms: int) -> int:
        """How far `reply` was heard on this stream, by marks and clock."""
        return self._of(reply, self._heard(now_ms))

    def stopped_at(self, reply: int, now_ms: int, *, sure: bool = False) -> int | None:
        """Which sample of `reply` comes next to the ear; None if it has not begun on this stream.

        Where some of it is heard again, that is less than was heard of it.

        Args:
            reply: Its number.
            now_ms: The time.
            sure: By the clock only where a mark has set it: before, it runs ahead of the ear, from
                when audio was sent.
        """
        unsure = sure and not self._clock_by_mark
        position = self._known if unsure else self._heard(now_ms)
        return _stopped(self._spans, reply, position)

    def flushed(self, name: str) -> bool:
        """Whether this mark, which came back, is one that the last clear has flushed: then
        `stopped_by` tells what was heard before it took effect.
        """
        return self._cleared is not None and name in self._cleared.marks

    def stopped_by(self, reply: int, now_ms: int) -> int | None:
        """As `stopped_at`, for the last clear, if a mark that it has flushed comes back now."""
        if self._cleared is None:
            return None
        return _stopped(self._cleared.spans, reply, self._cleared.heard_by(now_ms))

    def known_samples(self, reply: int) -> int:
        """How far `reply` was heard on this stream, by marks alone."""
        return self._of(reply, self._known)

    def falls_to_at_ms(self, queued_samples: int) -> int:
        """When no more than `queued_samples` will be left at Twilio, or the wait is given up."""
        target = self._sent - queued_samples
        if target > self._limit():
            return self._lost_at_ms()
        position, at_ms = self._clock
        return at_ms + -(-(target - position) // PHONE_SAMPLES_PER_MS)

    def deadline_ms(self) -> int | None:
        """When `expire` is due, or None."""
        return self._lost_at_ms() if self._marks else None

    def _by_clock(self, now_ms: int) -> int:
        position, at_ms = self._clock
        return min(self._sent, position + (now_ms - at_ms) * PHONE_SAMPLES_PER_MS)

    def _limit(self) -> int:
        first = next(iter(self._marks.values()), self._sent)
        return min(self._sent, first + MARK_GRACE_MS * PHONE_SAMPLES_PER_MS)

    def _heard(self, now_ms: int) -> int:
        return max(self._known, min(self._by_clock(now_ms), self._limit()))

    def _lost_at_ms(self) -> int:
        return self.ends_ms() + LOST_MARK_MS

    def _of(self, reply: int, position: int) -> int:
        """How far into `reply` the ear is, at `position`; what was heard twice counts once."""
        furthest = 0
        for span in self._spans:
            if span.reply == reply and span.start < position:
                heard = min(position, span.end) - span.start
                furthest = max(furthest, span.at + heard)
        return furthest


def _stopped(spans: Sequence[_Span], reply: int, position: int) -> int | None:
    """Which sample of `reply` follows a position; None if it has not begun there."""
    ends = [
        span.at + min(position, span.end) - span.start
        for span in spans
        if span.reply == reply and span.start < position
    ]
    return ends[-1] if ends else None
