"""Finds what really happened in a world, from Twilio's output and Gemini's input alone.

It never asks the call. A reply is recognised by its bytes: they must be the beginning of an agent's
clip, resampled and coded, or a later part of it on a new stream. The order of messages and the
playout's frames say where in Twilio's output each byte was played; the bytes there are compared.
"""

import hashlib
from collections import deque
from dataclasses import dataclass, field
from functools import cache, lru_cache

from agent.conversation import transcript
from agent.simulator.listening import Utterance
from agent.simulator.voice import agent_clip, texts
from telephony.audio import g711
from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS, ULAW_SILENCE
from telephony.audio.resample import model_to_phone
from telephony.call.commands import NO_REPLY, CloseStream, SendClear, SendMark, SendMedia
from telephony.simulator.line import Line
from telephony.simulator.world import World

MONOLOGUE = "+".join(["a1", "times", "a2", "times", "a3", "times", "a4", "times", "a5", "times"])
"""A minute and more in one breath."""

AHEAD_SAMPLES = 150 * PHONE_SAMPLES_PER_MS
"""Until its first mark is back, the clock does not know when Twilio began to play a reply, and on a
new stream that is late. So one that is held then may go on a little behind where it stopped."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of one reply's bytes, as played.

    Args:
        at_ms: When its first byte was heard.
        at: Where in the stream's output it begins.
        offset: Where in what was written of the reply on this stream.
        ulaw: The bytes.
    """

    at_ms: int
    at: int
    offset: int
    ulaw: bytes

    @property
    def ends_ms(self) -> int:
        """When its last byte was heard, to the next ms."""
        return self.at_ms + -(-len(self.ulaw) // PHONE_SAMPLES_PER_MS)


@dataclass(slots=True)
class Reply:
    """One reply on one stream: what was written of it, and what was heard.

    Args:
        worker: Which worker's.
        number: The reply's number there.
        stream: Which stream, from 0.
    """

    worker: int
    number: int
    stream: int
    ulaw: bytearray = field(default_factory=bytearray)
    spans: list[Span] = field(default_factory=list)
    cleared_ms: list[int] = field(default_factory=list)
    """When each clear was written while it was the newest."""
    held: bool = False
    """Whether the last of them is the last thing that was written of it."""
    gone_on: list[tuple[int, int]] = field(default_factory=list)
    """Each time that it was gone on with: from which of its samples on, and up to where it had been
    heard. One that is before its beginning on this stream is negative."""
    before: int = 0
    """So much is written of it next that is before its beginning on this stream."""

    @property
    def went_back(self) -> list[int]:
        """Each time that it was gone on with: how many samples before where it was heard to."""
        return [heard - at for at, heard in self.gone_on]

    @property
    def clears(self) -> int:
        """How many they were."""
        return len(self.cleared_ms)

    @property
    def heard_samples(self) -> int:
        """How much of it was played; what was played twice counts once."""
        return self.heard_by(self.spans[-1].ends_ms) if self.spans else 0

    def heard_by(self, at_ms: int) -> int:
        """How much of it, in samples, was played by then."""
        samples = end = 0
        for span in self.spans:
            played = (at_ms - span.at_ms) * PHONE_SAMPLES_PER_MS
            ends = span.offset + max(0, min(len(span.ulaw), played))
            samples += max(0, ends - max(end, span.offset))
            end = max(end, ends)
        return samples

    @property
    def gaps(self) -> int:
        """How often its bytes were played with something between them."""
        return max(0, len(self.spans) - 1)

    @property
    def name(self) -> str:
        """The clip that it is, without the role."""
        return clip_of(bytes(self.ulaw))[0]

    @property
    def begins(self) -> int:
        """Where in the clip it begins on this stream, in samples; 0 unless it was resumed."""
        return clip_of(bytes(self.ulaw))[1]

    @property
    def cut(self) -> bool:
        """Whether it was not heard to its end."""
        name, begins = clip_of(bytes(self.ulaw))
        return begins + self.heard_samples < len(spoken(name))


@cache
def spoken(name: str) -> bytes:
    """An agent's clip as a caller hears it whole: µ-law, filled up to a frame."""
    resampler = model_to_phone()
    pcm = resampler.push(agent_clip(name).pcm) + resampler.flush()
    ulaw = g711.encode(pcm)
    return ulaw + ULAW_SILENCE * (-len(ulaw) % FRAME_SAMPLES)


def clip_of(ulaw: bytes) -> tuple[str, int]:
    """Which of the agent's clips these bytes are of, and from where on (samples).

    Raises:
        AssertionError: Of none, or too few to tell: not what the model said.
    """
    found = clips_of(ulaw)
    assert len(found) == 1, f"{len(ulaw)} bytes are of {found or 'no clip'}"
    return found[0]


@cache
def clips_of(ulaw: bytes) -> list[tuple[str, int]]:
    """Which clips these bytes may be of, and from where on; a short piece may be of several."""
    # A reply that was broken off ends with a flushed filter, and silence up to a frame.
    start = ulaw[: max(FRAME_SAMPLES, len(ulaw) - 2 * FRAME_SAMPLES)]
    names = [name.removeprefix("agent/") for name in texts() if name.startswith("agent/")]
    for known in (names, [MONOLOGUE]):
        if found := [(name, 0) for name in known if spoken(name).startswith(start)]:
            return found
    return [(name, at) for name in names if (at := spoken(name).find(start)) > 0]


def replies(world: World) -> list[Reply]:
    """Every reply of which something was written, by stream and in order. Do not change them."""
    return _replies(world, world.now_ms, len(world.written))


@lru_cache(maxsize=1)
def _replies(world: World, _now_ms: int, _written: int) -> list[Reply]:
    """For the many judges of one call that has ended."""
    out: list[Reply] = []
    for number, line in enumerate(world.phone.lines):
        out += _replies_on(world, line, number)
    return out


def _replies_on(world: World, line: Line, stream: int) -> list[Reply]:
    written = [
        entry
        for entry in world.written
        if entry.command.stream_sid == line.stream_sid
        and not isinstance(entry.command, CloseStream)
    ]
    found: dict[tuple[int, int], Reply] = {}
    newest: Reply | None = None
    aside = False
    playing: deque[tuple[Reply, int, bytes]] = deque()
    at = 0
    arrived = [received.heard_samples for received in line.received]
    lost = len(written) - len(arrived)  # written to a socket that was gone
    for entry, heard in zip(written, arrived + [len(line.heard)] * lost, strict=True):
        at = _play(line, playing, at, heard)
        match entry.command:
            case SendMedia(ulaw=ulaw) if entry.command.reply == NO_REPLY:
                aside = True
                playing.append((Reply(entry.worker, NO_REPLY, stream), 0, ulaw))
            case SendMedia(reply=number, ulaw=ulaw):
                aside = False
                newest = found.setdefault(
                    (entry.worker, number), Reply(entry.worker, number, stream)
                )
                _go_back(newest, ulaw)
                if again := min(newest.before, len(ulaw)):
                    newest.before -= again
                    playing.append((Reply(entry.worker, number, stream), 0, ulaw[:again]))
                    ulaw = ulaw[again:]
                playing.append((newest, len(newest.ulaw), ulaw))
                newest.ulaw += ulaw
            case SendClear():
                playing.clear()
                if newest is not None and not aside:
                    newest.cleared_ms.append(entry.at_ms)
                    newest.held = True
            case SendMark():
                pass
    _play(line, playing, at, len(line.heard))
    return list(found.values())


def _go_back(reply: Reply, ulaw: bytes) -> None:
    """More is written of a reply that was held: from where it was heard to, or a little before."""
    if reply.held:
        last = reply.spans[-1] if reply.spans else None
        heard = 0 if last is None else last.offset + len(last.ulaw)
        at = reply.ulaw.rfind(ulaw[:FRAME_SAMPLES], 0, heard + FRAME_SAMPLES + AHEAD_SAMPLES)
        if at < 0:
            name, begins = clip_of(bytes(reply.ulaw))
            earlier = spoken(name).rfind(ulaw[:FRAME_SAMPLES], 0, begins + FRAME_SAMPLES)
            assert earlier >= 0, "it goes on with what was not written before"
            at, reply.before = 0, begins - earlier
        reply.gone_on.append((at - reply.before, heard))
        del reply.ulaw[at:]
        reply.held = False


def _play(line: Line, playing: deque[tuple[Reply, int, bytes]], at: int, until: int) -> int:
    """Play frames as Twilio does; the bytes have to be those in its output."""
    while at < until:
        room = FRAME_SAMPLES
        while room and playing:
            reply, offset, ulaw = playing.popleft()
            now, rest = ulaw[:room], ulaw[room:]
            begin = at + FRAME_SAMPLES - room
            assert line.heard[begin : begin + len(now)] == now
            _add(reply, Span(line.media_start_ms + begin // 8, begin, offset, now))
            room -= len(now)
            if rest:
                playing.appendleft((reply, offset + len(now), rest))
        at += FRAME_SAMPLES
    return at


def _add(reply: Reply, span: Span) -> None:
    last = reply.spans[-1] if reply.spans else None
    if last and last.at + len(last.ulaw) == span.at and last.offset + len(last.ulaw) == span.offset:
        reply.spans[-1] = Span(last.at_ms, last.at, last.offset, last.ulaw + span.ulaw)
    else:
        reply.spans.append(span)


def words_off(line: transcript.Line, name: str, heard_samples: int) -> int:
    """By how many words a line's `heard` differs from what was played of the clip.

    Both are counted in words from the clip's beginning. The clip's text is taken as spoken evenly
    by characters, and the cut as falling on the nearest end of a word.
    """
    text = agent_clip(name).text
    assert text.startswith(line.heard), f"{line.heard!r} does not begin {text!r}"
    chars = len(text) * min(1.0, heard_samples / len(spoken(name)))
    ends = [0, *(i for i, c in enumerate(f"{text} ") if c == " ")]
    nearest = min(ends, key=lambda end: abs(end - chars))
    return abs(len(line.heard.split()) - len(text[:nearest].split()))


def agent_lines(world: World, worker: int = 1) -> list[transcript.Line]:
    """The agent's lines that a worker wrote; one for each of its replies, in order."""
    return [line for line in world.store.lines if line.role == "agent" and line.epoch == worker]


def coverage(world: World, name: str) -> float:
    """How well the ear of any session understood a line of the caller, at best."""
    return max((u.coverage for u in heard(world) if u.phrase == name), default=0.0)


def heard(world: World) -> list[Utterance]:
    """Every utterance that any session heard, in order."""
    sessions = [link.session for link in world.links if link.session is not None]
    return sorted((u for s in sessions for u in s.heard), key=lambda u: u.ended_ms)


def fingerprint(world: World) -> str:
    """One hash over all steps, lines and sounds."""
    digest = hashlib.sha256(repr((world.steps, world.written, world.store)).encode())
    for line in world.phone.lines:
        digest.update(line.heard)
        digest.update(line.said)
    return digest.hexdigest()
