"""Events as lines of `call.jsonl`, and back. Consecutive audio events share one line.

    {"ev":"StreamStarted","t":412,"stream_sid":"MZ1","epoch":1}
    {"ev":"Media","t":432,"stream_sid":"MZ1","payload":"silence+320 caller@0+7680",
     "timestamp_ms":20,"dt":"20*48 41","sizes":"160*50"}

This loses nothing. `dt` holds the ms from each event of a line to the next, and `sizes` the bytes
of each. `stamps` holds the steps of `timestamp_ms`; it is only there if they differ from the length
of the audio.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from agent.conversation.events import ReplyAudio
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.events import Event
from telephony.replay.audio import CALLER, MODEL, Known, Medium, Part, Track, join, resolve
from telephony.replay.codec import EVENTS, Codec, Object
from telephony.replay.counts import pack, unpack
from telephony.twilio.messages import Media

RUN_LIMIT = 50
"""The most events in one line: a second of caller audio, which a crash may lose."""

RUN_BYTES = 1 << 20
"""How much audio a line may have before another begins."""


class End(msgspec.Struct, tag="End", tag_field="ev", forbid_unknown_fields=True):
    """The last line, which marks a whole recording. `audio` names its own audio files."""

    events: int
    audio: dict[str, str] = {}


CODEC: Codec[Event] = Codec(
    EVENTS,
    "ev",
    [("t", int)],
    {
        Media: [("dt", str, ""), ("sizes", str, ""), ("stamps", str, "")],
        ReplyAudio: [("dt", str, ""), ("sizes", str, "")],
    },
    End,
)

MEDIA = (CALLER, MODEL)

NOTHING: Mapping[Medium, Sequence[Known]] = {}
"""No known audio: the recording keeps everything."""

type Sound = Media | ReplyAudio


@dataclass(slots=True)
class _Run:
    first: Sound
    t: int
    last: Sound
    last_t: int
    size: int = 0
    parts: list[Part] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    deltas: list[int] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)

    def goes_on_with(self, event: Sound) -> bool:
        if len(self.sizes) == RUN_LIMIT or self.size > RUN_BYTES:
            return False
        match event:
            case Media():
                return isinstance(self.first, Media) and event.stream_sid == self.first.stream_sid
            case ReplyAudio():
                return isinstance(self.first, ReplyAudio) and event.session == self.first.session


class EventLines:
    """Writes events; their audio is kept in `tracks`.

    Args:
        known: Existing audio to refer to, by medium.
    """

    def __init__(self, known: Mapping[Medium, Sequence[Known]] = NOTHING) -> None:
        self.tracks = {medium: Track(medium, known.get(medium, ())) for medium in MEDIA}
        self.events = 0
        self._run: _Run | None = None
        self._lines: list[bytes] = []

    def add(self, event: Event, now_ms: int) -> None:
        """Add the next event."""
        self.events += 1
        if isinstance(event, Media | ReplyAudio):
            self._sound(event, now_ms)
        else:
            self._close_run()
            self._lines.append(CODEC.line(event, "", t=now_ms))

    def end(self) -> None:
        """Write the last line."""
        self._close_run()
        own = {
            track.medium.label: track.content_name for track in self.tracks.values() if track.kept
        }
        self._lines.append(msgspec.json.encode(End(self.events, own)) + b"\n")

    def take(self) -> bytes:
        """The lines that have become complete since the last call of `take`."""
        lines = b"".join(self._lines)
        self._lines.clear()
        return lines

    def _sound(self, event: Sound, now_ms: int) -> None:
        run = self._run
        if run is None or not run.goes_on_with(event):
            self._close_run()
            run = self._run = _Run(event, now_ms, event, now_ms)
        else:
            run.deltas.append(now_ms - run.last_t)
            if isinstance(event, Media) and isinstance(run.last, Media):
                run.stamps.append(event.timestamp_ms - run.last.timestamp_ms)
            run.last, run.last_t = event, now_ms
        data = _bytes_of(event)
        run.sizes.append(len(data))
        run.size += len(data)
        if data:
            run.parts.append(self.tracks[_medium_of(event)].refer(data))

    def _close_run(self) -> None:
        if (run := self._run) is None:
            return
        self._run = None
        more: dict[str, str] = {}
        if run.deltas:
            more = {"dt": pack(run.deltas), "sizes": pack(run.sizes)}
        if run.stamps != _expected_stamps(run.sizes, len(run.stamps)):
            more["stamps"] = pack(run.stamps)
        self._lines.append(CODEC.line(run.first, join(run.parts), t=run.t, **more))


def expand(read: Object, kept: Callable[[Medium, str], bytes]) -> list[tuple[Event, int]]:
    """The events of one line, each with its time.

    Args:
        read: A line that `CODEC` decoded, except `End`.
        kept: Returns the bytes of a medium's audio, by name.

    Raises:
        ValueError: Its audio, or the figures of its run, do not fit together.
    """
    cls = CODEC.class_of(read)
    if cls is not Media and cls is not ReplyAudio:
        return [(CODEC.thing(read), read.t)]
    medium = CALLER if cls is Media else MODEL
    audio = resolve(CODEC.audio_of(read), medium, lambda name: kept(medium, name))
    deltas = unpack(read.dt, RUN_LIMIT - 1)
    sizes = unpack(read.sizes, RUN_LIMIT) or [len(audio)]
    if len(sizes) != len(deltas) + 1 or min(sizes) < 0 or sum(sizes) != len(audio):
        raise ValueError(
            f"expected {len(deltas) + 1} sizes of {len(audio)} bytes together, got {read.sizes!r}"
        )
    first = CODEC.thing(read, audio[: sizes[0]])
    expanded: list[tuple[Event, int]] = [(first, read.t)]
    start, t = sizes[0], read.t
    if isinstance(first, Media):
        stamp = first.timestamp_ms
        for delta, size, grown in zip(deltas, sizes[1:], _stamps(read, sizes), strict=True):
            t, stamp, end = t + delta, stamp + grown, start + size
            expanded.append((Media(first.stream_sid, audio[start:end], stamp), t))
            start = end
    elif isinstance(first, ReplyAudio):
        for delta, size in zip(deltas, sizes[1:], strict=True):
            t, end = t + delta, start + size
            expanded.append((ReplyAudio(first.session, audio[start:end]), t))
            start = end
    return expanded


def _stamps(read: Object, sizes: Sequence[int]) -> Sequence[int]:
    if not read.stamps:
        return _expected_stamps(sizes, len(sizes) - 1)
    stamps = unpack(read.stamps, RUN_LIMIT - 1)
    if len(stamps) != len(sizes) - 1:
        raise ValueError(f"expected {len(sizes) - 1} stamps, got {read.stamps!r}")
    return stamps


def _expected_stamps(sizes: Sequence[int], n: int) -> list[int]:
    """The usual steps of time stamps: each stamp is the end of the audio before it."""
    return [size // PHONE_SAMPLES_PER_MS for size in sizes[:n]]


def _bytes_of(event: Sound) -> bytes:
    return event.payload if isinstance(event, Media) else event.pcm


def _medium_of(event: Sound) -> Medium:
    return CALLER if isinstance(event, Media) else MODEL
