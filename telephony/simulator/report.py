"""The events of a simulated call while it runs, and the report when it is over.

All times are ms since the call began.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import msgspec

from telephony.audio.formats import PHONE_SAMPLES_PER_MS, ULAW_SILENCE
from telephony.audio.g711 import decode
from telephony.simulator import wire
from telephony.simulator.ear import Turn
from telephony.simulator.hearing import Sound
from telephony.simulator.line import Complaint, Line


@dataclass(frozen=True, slots=True)
class WebhookAnswered:
    """A worker answered an HTTP request."""

    at_ms: int
    path: str
    status: int
    took_ms: int
    worker: str


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """A Media Stream is up."""

    at_ms: int
    stream_sid: str
    worker: str


@dataclass(frozen=True, slots=True)
class StreamClosed:
    """A Media Stream is over, or never came up. `how` is `hang-up`, `server-closed`, `moved`
    (by REST), or one of Twilio's error codes.
    """

    at_ms: int
    stream_sid: str
    how: str


@dataclass(frozen=True, slots=True)
class CallerSpoke:
    """The caller begins to say something."""

    at_ms: int
    name: str
    text: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The caller pressed a key."""

    at_ms: int
    digit: str


@dataclass(frozen=True, slots=True)
class AgentHeard:
    """The first sound of a turn of the agent. `response_ms` as in `ear.Turn`."""

    at_ms: int
    response_ms: int | None


@dataclass(frozen=True, slots=True)
class AgentQuiet:
    """The turn is over; `at_ms` is the end of its last sound, known only somewhat later. `ulaw` is
    what was heard of it, pauses included.
    """

    at_ms: int
    ulaw: bytes


@dataclass(frozen=True, slots=True)
class BufferCleared:
    """A clear took effect, and dropped audio."""

    at_ms: int
    dropped_ms: int


@dataclass(frozen=True, slots=True)
class Announced:
    """Twilio's own voice spoke a Say of the document."""

    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Dialled:
    """A Dial of the document is over. `status` is Twilio's `DialCallStatus`."""

    at_ms: int
    to: str
    status: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The call takes part in a conference."""

    at_ms: int
    conference: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over. `by` is as in `Report.ended_by`."""

    at_ms: int
    by: str


type CallEvent = (
    WebhookAnswered
    | StreamOpened
    | StreamClosed
    | CallerSpoke
    | KeyPressed
    | AgentHeard
    | AgentQuiet
    | BufferCleared
    | Announced
    | Dialled
    | Joined
    | CallEnded
)


@dataclass(frozen=True, slots=True)
class Silence:
    """The caller heard nothing because nothing was queued, and more audio came later. Twilio
    cannot know whether both sides of it belonged together.
    """

    at_ms: int
    length_ms: int
    after_clear: bool


@dataclass(frozen=True, slots=True)
class Marks:
    """The server's marks: sent, echoed, and lost with their streams."""

    sent: int
    returned: int
    outstanding: int


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a call.

    Args:
        call_sid: The CallSid.
        seed: The seed of all random choices.
        ended_by: `caller`, `agent` (Hangup), `rejected`, `document` (nothing left to do), `rest`,
            `application-error`, or `socket` (only with `AfterLoss.ENDS`).
        problems: Descriptions of everything that went wrong: a webhook, a document, a refused
            stream, a caller who waited too long; and Twilio's warnings, unless allowed.
        duration_ms: The time from the first webhook to the end.
        streams: How many Media Streams came up.
        heard_ms: How much audio of the agent was played to the caller.
        webhooks: Every answer, in order.
        turns: The agent's turns, as heard.
        clears: The clears that took effect.
        silences: The underruns; see `Silence`.
        marks: How many marks were sent, echoed and lost.
        warnings: How often each of Twilio's warnings came; 0 is for messages out of turn.
        complaints: Each of these complaints.
        announced: The texts of Say.
        dialled: The Dials of the documents.
        sounds: What the caller heard outside of streams: music, Twilio's voice, other people.
        pieces: The µ-law of these sounds, and when each piece began in ms; not in the JSON.
        lines: The streams as Twilio saw them, for tests; not in the JSON.
    """

    call_sid: str
    seed: int
    ended_by: str
    problems: tuple[str, ...]
    duration_ms: int
    streams: int
    heard_ms: int
    webhooks: tuple[WebhookAnswered, ...]
    turns: tuple[Turn, ...]
    clears: tuple[BufferCleared, ...]
    silences: tuple[Silence, ...]
    marks: Marks
    warnings: Mapping[int, int]
    complaints: tuple[Complaint, ...]
    announced: tuple[str, ...]
    dialled: tuple[str, ...]
    lines: tuple[Line, ...]
    sounds: tuple[Sound, ...] = ()
    pieces: tuple[tuple[int, bytes], ...] = ()

    def to_json(self) -> str:
        """The report without `lines` and `pieces`, as indented JSON."""
        names = [each.name for each in fields(self) if each.name not in {"lines", "pieces"}]
        shown = {name: getattr(self, name) for name in names}
        return msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()

    def said_pcm(self) -> bytes:
        """What the caller said, from the call's beginning: PCM16, mono, 8 kHz."""
        return decode(_timeline([(line.media_start_ms, bytes(line.said)) for line in self.lines]))

    def heard_pcm(self) -> bytes:
        """What the caller heard, as long and aligned in time with `said_pcm`."""
        lines = [(line.media_start_ms, bytes(line.heard)) for line in self.lines]
        return decode(_timeline(sorted([*lines, *self.pieces])))


def never_rang(call_sid: str, seed: int) -> Report:
    """The report of a call that was ended before any telephone rang."""
    return Report(
        call_sid=call_sid,
        seed=seed,
        ended_by="canceled",
        problems=(),
        duration_ms=0,
        streams=0,
        heard_ms=0,
        webhooks=(),
        turns=(),
        clears=(),
        silences=(),
        marks=Marks(0, 0, 0),
        warnings={},
        complaints=(),
        announced=(),
        dialled=(),
        lines=(),
    )


def _timeline(parts: Sequence[tuple[int, bytes]]) -> bytes:
    whole = bytearray()
    for began_ms, ulaw in parts:
        start = began_ms * PHONE_SAMPLES_PER_MS
        del whole[start:]
        whole += ULAW_SILENCE * (start - len(whole)) + ulaw
    return bytes(whole)


def marks_of(lines: Sequence[Line]) -> Marks:
    """Count the marks of all streams."""
    sent = sum(isinstance(each.message, wire.Mark) for line in lines for each in line.received)
    returned = sum(len(line.echoed) for line in lines)
    return Marks(sent, returned, sent - returned)


def warnings_of(lines: Sequence[Line]) -> tuple[str, ...]:
    """Descriptions of Twilio's complaints: each code once per stream, as Twilio warns, with the
    server's message and the number of further ones.
    """
    told = []
    for line in lines:
        counts = Counter(each.code for each in line.complaints)
        for code, count in counts.items():
            first = next(each for each in line.complaints if each.code == code)
            told.append(f"Twilio: {first}" + (f" ({count - 1} more)" if count > 1 else ""))
    return tuple(told)


def clears_of(lines: Sequence[Line]) -> tuple[BufferCleared, ...]:
    """The clears of all streams, in order."""
    return tuple(
        BufferCleared(each.at_ms, each.dropped_ms) for line in lines for each in line.clears
    )


def silences_of(lines: Sequence[Line]) -> tuple[Silence, ...]:
    """The underruns of all streams, in order."""
    return tuple(
        Silence(
            line.media_start_ms + each.at // PHONE_SAMPLES_PER_MS,
            each.samples // PHONE_SAMPLES_PER_MS,
            each.after_clear,
        )
        for line in lines
        for each in line.playout.underruns
    )
