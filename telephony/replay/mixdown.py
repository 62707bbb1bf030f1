"""Both sides of a recorded call as sound: the caller, and the agent as the caller heard it.

What was sent is not what was heard: a barge-in cuts it, a lost stream drops it, a hold delays it.
So the agent's side is what Twilio has played, as far as marks and time tell (`as_heard`), and the
caller's is in Twilio's time too (`stream_clock`). Time 0 is when the first worker opened the call,
as in the timeline that `offhook replay` prints. Samples are 0 where there is nothing: before the
first stream, between two streams and between two workers, for as long as that lasted; where media
was lost on the way; and where nothing was recorded.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from telephony.audio import g711
from telephony.audio.formats import PHONE_SAMPLES_PER_MS, ULAW_SILENCE
from telephony.call.commands import Command, EndCall, PhoneCommand, SendClear, SendMark, SendMedia
from telephony.call.events import StreamEnded, StreamStarted
from telephony.replay.as_heard import AsHeard, Heard
from telephony.replay.recording import Step
from telephony.replay.stream_clock import Said, StreamClock
from telephony.twilio.messages import Mark, Media, Stop


@dataclass(frozen=True, slots=True)
class Sides:
    """The two sides of a call, equally long: int16, mono, 8 kHz, shape (samples,).

    Args:
        caller: What the caller said.
        agent: What the caller heard of the agent.
    """

    caller: NDArray[np.int16]
    agent: NDArray[np.int16]

    def between(self, from_ms: int, until_ms: int) -> "Sides":
        """The part between two times of the call, in ms; shorter where the call is."""
        part = slice(*(max(0, ms) * PHONE_SAMPLES_PER_MS for ms in (from_ms, until_ms)))
        return Sides(self.caller[part], self.agent[part])


@dataclass(frozen=True, slots=True)
class Placed:
    """One stream of a call, in its place.

    Args:
        stream_sid: Twilio's streamSid.
        begins: When its Twilio's time is 0, in samples since the call began; perhaps before it.
        said: The caller's media.
        heard: What was heard of the agent.
    """

    stream_sid: str
    begins: int
    said: Sequence[Said]
    heard: Sequence[Heard]

    @property
    def first(self) -> int:
        """Twilio's time of its first sound; 0 if there is none."""
        starts = [piece.at for piece in self.said] + [piece.at for piece in self.heard]
        return min(starts, default=0)

    @property
    def last(self) -> int:
        """Twilio's time at the end of its last sound; 0 if there is none."""
        ends = [piece.at + len(piece.ulaw) for piece in self.said]
        return max(ends + [piece.at + len(piece.ulaw) for piece in self.heard], default=0)


def mixdown(workers: Sequence[tuple[int, Iterable[Step]]]) -> Sides:
    """Render a call.

    Args:
        workers: For each worker that held the call, in order: when it opened the call, in ms since
            the first one did, and its steps.

    Returns:
        Both sides.
    """
    return mixed(streams(workers))


def mixed(placed: Iterable[Placed]) -> Sides:
    """Render the streams of a call, as `streams` returns them."""
    caller, agent = bytearray(), bytearray()
    for stream in placed:
        _lay(caller, stream.begins, stream.said)
        _lay(agent, stream.begins, stream.heard)
    longest = max(len(caller), len(agent))
    return Sides(_samples(caller, longest), _samples(agent, longest))


def streams(workers: Sequence[tuple[int, Iterable[Step]]]) -> Iterator[Placed]:
    """All streams of a call, in order. The arguments are those of `mixdown`.

    There is one for each `StreamStarted`. A stream that would begin before the end of the one
    before, because workers' clocks differ, begins right after it.
    """
    ended = 0
    for opened_ms, steps in workers:
        reading = _Worker(opened_ms)
        for stream in (*(each for step in steps for each in reading.take(step)), *reading.end()):
            begins = max(stream.begins, ended - stream.first)
            yield replace(stream, begins=begins)
            ended = max(ended, begins + stream.last)


@dataclass(slots=True)
class _Stream:
    sid: str
    clock: StreamClock
    said: list[Said] = field(default_factory=list)
    agent: AsHeard = field(default_factory=AsHeard)


@dataclass(slots=True)
class _Worker:
    """The streams of one worker, in its own time."""

    opened_ms: int
    now_ms: int = 0
    stream: _Stream | None = None

    def take(self, step: Step) -> Iterator[Placed]:
        self.now_ms = step.now_ms
        match step.event:
            case StreamStarted(stream_sid=sid):
                yield from self.end()
                self.stream = _Stream(sid, StreamClock(step.now_ms))
            case (StreamEnded() | Stop()) as over if self._of(over.stream_sid):
                yield from self.end(at_twilio=True)
        if (stream := self.stream) is None:
            return
        match step.event:
            case Media(stream_sid=sid, payload=ulaw, timestamp_ms=stamp_ms) if sid == stream.sid:
                stream.said.append(stream.clock.media(ulaw, stamp_ms, step.now_ms))
            case Mark(stream_sid=sid, name=name) if sid == stream.sid:
                stream.agent.mark_back(name, stream.clock.arrived(step.now_ms))
        for command in step.commands:
            self._send(stream, command)
        if any(isinstance(command, EndCall) for command in step.commands):
            yield from self.end()

    def end(self, *, at_twilio: bool = False) -> Iterator[Placed]:
        """The stream is over, or what was recorded of it."""
        if (stream := self.stream) is not None:
            self.stream = None
            begins_ms = self.opened_ms + stream.clock.begins_ms
            clock = stream.clock
            over = clock.arrived(self.now_ms) if at_twilio else clock.sent(self.now_ms)
            heard = stream.agent.heard(over, at_twilio=at_twilio)
            begins = begins_ms * PHONE_SAMPLES_PER_MS
            yield Placed(stream.sid, begins, stream.said, list(heard))

    def _of(self, sid: str) -> bool:
        return self.stream is not None and self.stream.sid == sid

    def _send(self, stream: _Stream, command: Command) -> None:
        if not isinstance(command, PhoneCommand) or command.stream_sid != stream.sid:
            return
        now = stream.clock.sent(self.now_ms)
        match command:
            case SendMedia(ulaw=ulaw):
                stream.agent.media(ulaw, now)
            case SendMark(name=name):
                stream.agent.mark(name, now)
            case SendClear():
                stream.agent.clear(now)


def _lay(side: bytearray, begins: int, pieces: Sequence[Said | Heard]) -> None:
    for piece in pieces:
        at = begins + piece.at
        side += ULAW_SILENCE * (at - len(side))
        side[at : at + len(piece.ulaw)] = piece.ulaw


def _samples(ulaw: bytearray, samples: int) -> NDArray[np.int16]:
    whole = bytes(ulaw).ljust(samples, ULAW_SILENCE)
    return np.frombuffer(g711.decode(whole), "<i2").astype(np.int16)
