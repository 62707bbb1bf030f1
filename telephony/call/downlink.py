"""Model → caller: PCM 24 kHz to µ-law 8 kHz, cut into messages, kept a little ahead of the ear.

Replies come several times faster than real time. They wait here, where a clear forgets them at
once, and go out so that Twilio holds a lead of 600 to 800 ms: enough that a stall of 500 ms is
not heard, little enough that a dead socket loses next to nothing. The first message of a reply is
small, for latency; the others are long, for cost. A reply stays here until all of it was heard,
so that a new stream can go on where the old one broke.
"""

from dataclasses import dataclass, field

from telephony.audio import g711
from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS, ULAW_SILENCE
from telephony.audio.resample import model_to_phone

LEAD_MS = 600
"""The next message goes out when no more than this is left at Twilio."""

FIRST_MESSAGE_MS = 60
"""The second goes out with it, and takes effect up to 50 ms later: shorter, and there is a gap."""

FIRST_SAMPLES = FIRST_MESSAGE_MS * PHONE_SAMPLES_PER_MS

MESSAGE_MS = 200

HELD_LIMIT_SAMPLES = 5 * 60_000 * PHONE_SAMPLES_PER_MS
"""Five minutes, 2.4 MB. The rest of a reply that goes beyond is dropped, and counted."""


@dataclass(slots=True)
class _Reply:
    number: int
    ulaw: bytearray = field(default_factory=bytearray)
    taken: int = 0
    began_at: int = 0
    heard: int = 0
    complete: bool = False
    dropped: bool = False
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """The next message of a reply, which begins at its sample `at`; `last` at the reply's end."""

    reply: int
    at: int
    ulaw: bytes
    last: bool


class Downlink:
    """The replies that have not been heard to their end, oldest first."""

    def __init__(self) -> None:
        self._replies: list[_Reply] = []
        self._resampler = model_to_phone()
        self.dropped_samples = 0

    @property
    def replies(self) -> tuple[int, ...]:
        """Their numbers."""
        return tuple([reply.number for reply in self._replies])

    @property
    def empty(self) -> bool:
        """Whether every reply was heard to its end, or dropped."""
        return not self._replies

    def add(self, number: int, pcm: bytes) -> None:
        """More of a reply: PCM, int16 little-endian, mono, 24 kHz, any length."""
        if not self._replies or self._replies[-1].number != number:
            self._replies.append(_Reply(number))
        self._keep(self._replies[-1], self._resampler.push(pcm))

    def finish(self, number: int, length: int | None = None) -> None:
        """The reply is complete: its last samples come out, filled up to a frame.

        With `length` (samples) it ends there, or where it was sent to if that is further.
        """
        if not self._replies or self._replies[-1].number != number:
            self._replies.append(_Reply(number))
        reply = self._replies[-1]
        self._keep(reply, self._resampler.flush())
        if length is not None:
            del reply.ulaw[max(length, reply.taken) :]
        reply.ulaw += ULAW_SILENCE * (-len(reply.ulaw) % FRAME_SAMPLES)
        reply.complete = True

    def drop(self, up_to: int) -> None:
        """Forget every reply up to number `up_to`, and what the filter holds of it."""
        if self._replies and self._replies[-1].number <= up_to and not self._replies[-1].complete:
            self._resampler.reset()
        self._replies = [reply for reply in self._replies if reply.number > up_to]

    def drop_rest(self, number: int) -> None:
        """Forget what was not sent of a reply: it is complete, and ends where it was sent to."""
        for reply in self._replies:
            if reply.number == number:
                if not reply.complete:
                    self._resampler.reset()
                reply.complete = reply.dropped = True
                del reply.ulaw[reply.taken :]

    def take(self, queued_samples: int) -> Piece | None:
        """The next message to send, when Twilio holds `queued_samples`; None if it can wait."""
        if queued_samples > LEAD_MS * PHONE_SAMPLES_PER_MS:
            return None
        reply = self._next()
        if reply is None:
            return None
        at = reply.taken
        first = at == reply.began_at
        size = FIRST_SAMPLES if first else MESSAGE_MS * PHONE_SAMPLES_PER_MS
        end = min(len(reply.ulaw), at + size)
        end -= (end - at) % FRAME_SAMPLES if not reply.complete else 0
        piece = bytes(reply.ulaw[at:end])
        reply.taken = end
        return Piece(reply.number, at, piece, last=reply.complete and end == len(reply.ulaw))

    def waits(self) -> bool:
        """Whether there is something to send."""
        return self._next() is not None

    def rewind(self, number: int, to_sample: int | None) -> None:
        """Twilio holds nothing of a reply any more: what was not heard is to be sent anew, unless
        its rest was dropped.

        Args:
            number: Which one.
            to_sample: Where it is to be gone on with; None if nothing was heard since it was last
                begun.
        """
        for reply in self._replies:
            if reply.number == number:
                if to_sample is not None:
                    reply.began_at = to_sample
                    reply.heard = max(reply.heard, to_sample)
                reply.taken = reply.began_at
                if reply.dropped:
                    del reply.ulaw[reply.taken :]

    def stopped(self, number: int, at_sample: int | None) -> None:
        """More of a reply was heard than was known when it was rewound; nothing was sent since."""
        for reply in self._replies:
            if reply.number == number and at_sample is not None and not reply.dropped:
                reply.began_at = reply.taken = max(reply.began_at, at_sample)
                reply.heard = max(reply.heard, at_sample)

    def go_back(self, to_sample: int) -> None:
        """Send the reply that was begun from an earlier sample on; nothing of it was sent since
        `rewind`.
        """
        if self._replies:
            first = self._replies[0]
            first.began_at = first.taken = max(0, min(to_sample, first.heard))

    def heard_before(self, number: int) -> int:
        """How far a reply had been heard when it was last rewound."""
        return next((r.heard for r in self._replies if r.number == number), 0)

    def sent_samples(self, number: int) -> int:
        """How far a reply was sent on this stream."""
        return next((r.taken for r in self._replies if r.number == number), 0)

    def length_if_sent(self, number: int) -> int | None:
        """All samples of a reply that is complete and sent to its end, else None."""
        for reply in self._replies:
            if reply.number == number and reply.complete and reply.taken == len(reply.ulaw):
                return len(reply.ulaw)
        return None

    def sent_to_the_end(self) -> int | None:
        """The number of the last reply, if it is complete and all of it was sent."""
        last = self._replies[-1].number if self._replies else 0
        return None if self.length_if_sent(last) is None else last

    def _next(self) -> _Reply | None:
        for reply in self._replies:
            waiting = len(reply.ulaw) - reply.taken
            first = reply.taken == reply.began_at
            if waiting >= (1 if reply.complete else FIRST_SAMPLES if first else FRAME_SAMPLES):
                return reply
            if not reply.complete:
                return None
        return None

    def _keep(self, reply: _Reply, pcm: bytes) -> None:
        ulaw = g711.encode(pcm)
        room = max(0, HELD_LIMIT_SAMPLES - sum(len(each.ulaw) for each in self._replies))
        kept = b"" if reply.cut_short else ulaw[:room]
        reply.cut_short |= len(kept) < len(ulaw)
        self.dropped_samples += len(ulaw) - len(kept)
        reply.ulaw += kept
