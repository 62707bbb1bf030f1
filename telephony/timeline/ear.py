"""Where each piece of each reply was heard: what was sent, laid over what the caller heard."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.commands import SendMedia
from telephony.call.events import StreamEnded, StreamStarted
from telephony.replay.mixdown import Placed
from telephony.timeline.lived import Lived
from telephony.timeline.trail import Ref
from telephony.twilio.messages import Stop

type Number = tuple[int, int]
"""A reply: its worker, and its number there; number 0 is the sound for a caller who waits."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one message of audio that was heard.

    Args:
        reply: Of which reply.
        at_ms: Where in that reply it begins.
        heard_ms: When its first sample was heard.
        ms: How long it is.
        ref: The message.
    """

    reply: Number
    at_ms: float
    heard_ms: float
    ms: float
    ref: Ref


@dataclass(frozen=True, slots=True)
class _Sent:
    position: int
    reply: Number
    at_ms: float
    ref: Ref


def pieces(lived: Sequence[Lived], streams: Sequence[Placed]) -> Iterator[Piece]:
    """All pieces that were heard, in order.

    Args:
        lived: The call, by worker.
        streams: Its streams, one for each `StreamStarted`.
    """
    for (sent, length), stream in zip(_sent(lived), streams, strict=True):
        starts = [each.position for each in sent]
        ends = [*starts[1:], length]
        for heard in stream.heard:
            first, last = heard.position, heard.position + len(heard.ulaw)
            for n in range(max(0, bisect_right(starts, first) - 1), len(sent)):
                begins, until = max(first, starts[n]), min(last, ends[n])
                if starts[n] >= last:
                    break
                if until > begins:
                    yield Piece(
                        sent[n].reply,
                        sent[n].at_ms + (begins - starts[n]) / PHONE_SAMPLES_PER_MS,
                        (stream.begins + heard.at + begins - first) / PHONE_SAMPLES_PER_MS,
                        (until - begins) / PHONE_SAMPLES_PER_MS,
                        sent[n].ref,
                    )


def _sent(lived: Sequence[Lived]) -> Iterator[tuple[list[_Sent], int]]:
    """What was sent on each stream, and how many samples that were."""
    for worker, each in enumerate(lived):
        sent: list[_Sent] | None = None
        sid, position = "", 0
        for number, step in enumerate(each.steps):
            match step.event:
                case StreamStarted(stream_sid=started):
                    if sent is not None:
                        yield sent, position
                    sent, sid, position = [], started, 0
                case StreamEnded(stream_sid=over) | Stop(stream_sid=over) if over == sid:
                    sid = ""
            positions = iter(each.positions.get(number, ()))
            for place, command in enumerate(step.commands, 1):
                if not isinstance(command, SendMedia):
                    continue
                at_ms = next(positions, 0.0) if command.reply else 0.0
                if sent is not None and command.stream_sid == sid:
                    ref = Ref(worker, number, place)
                    sent.append(_Sent(position, (worker, command.reply), at_ms, ref))
                    position += len(command.ulaw)
        if sent is not None:
            yield sent, position


class Ear:
    """When each moment of a reply was heard."""

    def __init__(self, heard: Sequence[Piece]) -> None:
        self._of: dict[Number, list[Piece]] = {}
        for piece in heard:
            self._of.setdefault(piece.reply, []).append(piece)

    @property
    def replies(self) -> Sequence[Number]:
        """Those of which something was heard, in order."""
        return list(self._of)

    def runs(self, reply: Number) -> Iterator[list[Piece]]:
        """The pieces of a reply that were heard without a pause between them."""
        found = self._of.get(reply, [])
        cuts = [
            n for n, (a, b) in enumerate(pairwise(found), 1) if b.heard_ms - a.heard_ms - a.ms > 1
        ]
        for begins, ends in pairwise([0, *cuts, len(found)]):
            if found[begins:ends]:
                yield found[begins:ends]

    def when(self, reply: Number, at_ms: float) -> tuple[float, Ref] | None:
        """When this moment of a reply was heard, or would have been: some time before its first
        piece or after its last one. None if nothing of it was heard.
        """
        found = self._of.get(reply)
        if not found:
            return None
        for piece in found:
            if piece.at_ms <= at_ms <= piece.at_ms + piece.ms:
                return piece.heard_ms + at_ms - piece.at_ms, piece.ref
        before = [piece for piece in found if piece.at_ms <= at_ms]
        piece = max(before, key=lambda each: each.at_ms + each.ms) if before else found[0]
        return piece.heard_ms + at_ms - piece.at_ms, piece.ref

    def heard_ms(self, reply: Number) -> float:
        """How far into a reply the caller has heard it."""
        return max((piece.at_ms + piece.ms for piece in self._of.get(reply, ())), default=0.0)
