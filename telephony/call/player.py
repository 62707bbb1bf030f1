"""What the caller hears of the agent: which samples are sent when, and how far they were heard.

A reply comes in pieces, is sent a little ahead of the ear (`downlink`), and is kept until it was
heard to its end (`playout`). So it can be stopped for good (`drop`), held and gone on with from any
sample (`hold`, `go_on`), and gone on with on a new stream (`parked`, then `started`). Of one that
waits behind another, only what was not sent can be dropped (`drop_rest`): a clear empties Twilio's
whole buffer, and so would cut the other too.

Every method that changes what the caller hears returns what is to be written to Twilio, in order.
Call `due` after every event.
"""

from collections.abc import Iterator
from typing import assert_never

from agent.conversation.listener_commands import (
    DropRest,
    FinishReply,
    GoOnPlayback,
    HoldPlayback,
    PlayerCommand,
    PlayReply,
    StopPlayback,
)
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.commands import NO_REPLY, PhoneCommand, SendClear, SendMark, SendMedia
from telephony.call.downlink import LEAD_MS, MESSAGE_MS, Downlink
from telephony.call.overheard import Overheard
from telephony.call.playout import Playout

_LEAD_SAMPLES = LEAD_MS * PHONE_SAMPLES_PER_MS
_MARK_EVERY_SAMPLES = MESSAGE_MS * PHONE_SAMPLES_PER_MS


class Player:
    """One caller's loudspeaker, over all streams of the call.

    Args:
        overheard: Is told how loud it is; None if nobody asks.
    """

    def __init__(self, overheard: Overheard | None = None) -> None:
        self._overheard = overheard
        self._downlink = Downlink()
        self._playout = Playout()
        self._stream_sid = ""
        self._marks = 0
        self._held = False
        self._aside_until_ms = 0
        """Until then Twilio may still hold a sound that is of no reply, and nothing but it."""

    # What there is to play.

    def does(self, wish: PlayerCommand, now_ms: int) -> list[PhoneCommand]:
        """Carry out what the conversation asks for."""
        match wish:
            case PlayReply():
                self.add(wish.reply, wish.pcm)
            case FinishReply():
                self.finish(wish.reply, wish.length_ms)
            case HoldPlayback():
                return self.hold(now_ms)
            case GoOnPlayback():
                self.go_on(wish.from_ms)
            case StopPlayback():
                return self.drop(wish.up_to, now_ms)
            case DropRest():
                self.drop_rest(wish.reply)
            case _:
                assert_never(wish)
        return []

    def add(self, reply: int, pcm: bytes) -> None:
        """More of a reply: PCM, int16 little-endian, mono, 24 kHz, any length."""
        self._downlink.add(reply, pcm)

    def finish(self, reply: int, length_ms: float | None = None) -> None:
        """Nothing more of it will come; with `length_ms` it ends there, if not sent beyond it."""
        length = None if length_ms is None else int(length_ms) * PHONE_SAMPLES_PER_MS
        self._downlink.finish(reply, length)

    def drop(self, up_to: int, now_ms: int) -> list[PhoneCommand]:
        """Forget every reply up to number `up_to`, and be silent at once."""
        self._downlink.drop(up_to)
        self._held = False
        return self._clear(now_ms)

    def drop_rest(self, reply: int) -> None:
        """Forget what was not sent of a reply. What was sent is heard, unless a hold or a lost
        stream takes it from Twilio; then it is not sent again.
        """
        self._downlink.drop_rest(reply)

    def hold(self, now_ms: int) -> list[PhoneCommand]:
        """Be silent at once, and forget nothing: `go_on` takes it up where it stopped."""
        self._held = True
        cleared = self._clear(now_ms)
        for reply in self._downlink.replies:
            self._downlink.rewind(reply, self._playout.stopped_at(reply, now_ms))
            self._playout.forget(reply)
        return cleared

    def go_on(self, from_ms: float | None = None) -> None:
        """Play on after `hold`.

        Args:
            from_ms: From where, of the reply that was held; it may be earlier than where it
                stopped, and what is then heard again counts once. None: from where it stopped.
        """
        self._held = False
        if from_ms is not None:
            self._downlink.go_back(int(from_ms * PHONE_SAMPLES_PER_MS))

    # The stream.

    def started(self, stream_sid: str) -> None:
        """A stream is here, and Twilio holds nothing yet."""
        self._stream_sid = stream_sid
        if self._overheard is not None:
            self._overheard.reset()
        self._playout.reset()
        self._aside_until_ms = 0

    def parked(self, now_ms: int) -> None:
        """The stream is gone: what was not surely heard is to be sent on the next one."""
        for reply in self._downlink.replies:
            self._downlink.rewind(reply, self._playout.stopped_at(reply, now_ms, sure=True))
        self._playout.reset()
        self._stream_sid = ""

    def mark_returned(self, name: str, now_ms: int) -> bool:
        """Twilio echoed a mark. Returns whether it tells of more that was heard: not if it was
        flushed by a clear after which something else was sent, nor if it was never sent.
        """
        if self._held and self._playout.flushed(name):
            for reply in self._downlink.replies:
                self._downlink.stopped(reply, self._playout.stopped_by(reply, now_ms))
            return True
        return self._playout.mark_returned(name, now_ms)

    def expire(self, now_ms: int) -> None:
        """Give up marks that are lost; due with `deadline_ms`."""
        self._playout.expire(now_ms)

    def due(self, now_ms: int) -> list[PhoneCommand]:
        """What is to be sent by now, so that the lead holds."""
        out: list[PhoneCommand] = []
        if self._held or self._downlink.empty:
            return out
        if self.aside(now_ms) and self._downlink.waits():
            out += self._clear(now_ms)
        while self._downlink.waits() and (
            piece := self._downlink.take(self._playout.queued_samples(now_ms))
        ):
            out.append(SendMedia(self._stream_sid, piece.reply, piece.ulaw))
            if self._overheard is not None:
                self._overheard.sent(self._playout.sent_samples, piece.ulaw)
            self._playout.sent(piece.reply, len(piece.ulaw), now_ms, at=piece.at)
            if piece.last or self._playout.unmarked_samples >= _MARK_EVERY_SAMPLES:
                out.append(self._mark(piece.reply))
        # A reply may turn out to be complete only after its last audio was sent.
        ended = self._downlink.sent_to_the_end()
        if ended is not None and self._playout.unmarked_samples:
            out.append(self._mark(ended))
        return out

    def play_aside(self, ulaw: bytes, now_ms: int) -> list[PhoneCommand]:
        """Play a sound that is of no reply; the next reply breaks it off."""
        self._playout.sent(NO_REPLY, len(ulaw), now_ms, marked=True)
        self._aside_until_ms = now_ms + len(ulaw) // PHONE_SAMPLES_PER_MS
        return [SendMedia(self._stream_sid, NO_REPLY, ulaw)]

    # How far it is.

    @property
    def empty(self) -> bool:
        """Whether every reply was heard to its end, or dropped."""
        return self._downlink.empty

    @property
    def dropped_samples(self) -> int:
        """How much reply audio went beyond what is kept."""
        return self._downlink.dropped_samples

    def aside(self, now_ms: int) -> bool:
        """Whether Twilio may still hold a sound of no reply, and nothing but it."""
        return now_ms < self._aside_until_ms

    def speaks(self, now_ms: int) -> bool:
        """Whether a reply is heard, or about to be."""
        if self._downlink.empty or self._held:
            return False
        return self._downlink.waits() or (self._playout.unheard(now_ms) and not self.aside(now_ms))

    def heard_until_ms(self) -> int:
        """Until when something is heard of what was sent, or was."""
        return self._playout.ends_ms()

    def loudest(self, now_ms: int) -> int:
        """How loud the agent was at the caller's ear, as far as it may come back now: rms."""
        if self._overheard is None:
            return 0
        return self._overheard.loudest(self._playout.position(now_ms))

    def progress_ms(self, now_ms: int) -> Iterator[tuple[int, float, float]]:
        """Each reply that was not heard to its end: how much of it was heard, and was sent."""
        for reply in self._downlink.replies:
            heard, sent = self._heard(reply, now_ms), self._downlink.sent_samples(reply)
            yield reply, heard / PHONE_SAMPLES_PER_MS, sent / PHONE_SAMPLES_PER_MS

    def ended(self) -> Iterator[tuple[int, float]]:
        """The replies that were surely heard to their end since the last look, and their length
        in ms.
        """
        for reply in self._downlink.replies:
            length = self._downlink.length_if_sent(reply)
            if length is None:
                return
            known = self._playout.known_samples(reply)
            if max(known, self._downlink.heard_before(reply)) < length:
                return
            self._downlink.drop(reply)
            self._playout.forget(reply)
            yield reply, length / PHONE_SAMPLES_PER_MS

    def deadline_ms(self) -> int | None:
        """When `expire` or `due` is to be called next, or None."""
        lost_ms = self._playout.deadline_ms()
        if self._held or not self._downlink.waits():
            return lost_ms
        lead_ms = self._playout.falls_to_at_ms(_LEAD_SAMPLES)
        return lead_ms if lost_ms is None else min(lost_ms, lead_ms)

    def _clear(self, now_ms: int) -> list[PhoneCommand]:
        self._aside_until_ms = 0
        if not self._stream_sid or not self._playout.unheard(now_ms):
            return []
        self._playout.clear(now_ms)
        if self._overheard is not None:
            self._overheard.cleared(self._playout.sent_samples)
        return [SendClear(self._stream_sid)]

    def _heard(self, reply: int, now_ms: int) -> int:
        heard = self._playout.heard_samples(reply, now_ms)
        return max(heard, self._downlink.heard_before(reply))

    def _mark(self, reply: int) -> SendMark:
        self._marks += 1
        name = f"r{reply}:{self._marks}"
        self._playout.mark_sent(name)
        return SendMark(self._stream_sid, name)
