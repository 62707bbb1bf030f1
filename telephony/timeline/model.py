"""The timeline of one call, as a page draws it and a program reads it. It is made for JSON.

All times are whole ms since the call's first worker opened it. Everything that is drawn is a
`Span`, and each one names the raw events that it comes from.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec

type Kind = Literal[
    # what is said, and where it was heard
    "speech",
    "reply",
    "word",
    "unheard",
    # the stages of an answer
    "model",
    "sending",
    "playing",
    # what is measured
    "response",
    "heard",
    "talk_over",
    "silence",
    "hold",
    "gap",
    "barge_in",
    "dial",
    "resume",
    "tool",
    "store_away",
    "cost",
    # the stream, the model, and what went wrong
    "lead",
    "mark",
    "clear",
    "stream",
    "key",
    "wait",
    "session",
    "note",
    "fault",
]
type Side = Literal["event", "command"]
type Speaker = Literal["caller", "agent"]
type Unit = Literal["ms", "usd"]


@dataclass(frozen=True, slots=True)
class Raw:
    """One raw event or command, or a run of them that nothing refers to one by one.

    Args:
        n: Its number in the call, from 0, in the order of time.
        from_ms: When the first of them happened.
        until_ms: When the last of them did; the same for a single one.
        worker: Which worker's recording it stands in, from 0.
        step: The number of the event in that recording, from 0; for a command, that of the event
            which led to it.
        side: Whether it happened, or was decided.
        name: Its class, such as `Media`.
        count: How many there are in the run.
        text: The first of them as JSON, shortened; audio is only counted.
    """

    n: int
    from_ms: int
    until_ms: int
    worker: int
    step: int
    side: Side
    name: str
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted, or happened at one moment.

    Args:
        kind: What it is.
        from_ms: When it began.
        until_ms: When it ended; the same for a moment.
        raw: The numbers of the raw events that it comes from, in order; at least one.
        text: What there is to say of it.
        turn: The number of the turn that it belongs to; 0 for none.
        level: For `lead`, how many ms of audio Twilio held; for `cost`, US dollars so far; else 0.
    """

    kind: Kind
    from_ms: int
    until_ms: int
    raw: tuple[int, ...]
    text: str = ""
    turn: int = 0
    level: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One line of the transcript.

    Args:
        n: Its number in the call, from 1.
        role: Who spoke.
        from_ms: When it was first heard.
        until_ms: When it was last heard.
        text: What was said.
        heard: What of it the other side heard.
        raw: The command that stored the line.
    """

    n: int
    role: Speaker
    from_ms: int
    until_ms: int
    text: str
    heard: str
    raw: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    Args:
        kind: What was measured; its span has the same kind.
        value: How much.
        unit: Of what.
        label: What it is of, such as a reply or a tool.
        span: Which of the spans it is, from 0.
    """

    kind: Kind
    value: float
    unit: Unit
    label: str
    span: int


@dataclass(frozen=True, slots=True)
class Peaks:
    """How loud both sides were, for each `every_ms`: the largest sample by 128, as a byte."""

    every_ms: int
    caller: bytes
    agent: bytes


@dataclass(frozen=True, slots=True)
class About:
    """What a page says of the whole call.

    Args:
        name: The recording, or the CallSid.
        call_sid: Twilio's CallSid.
        persona: The agent's name.
        began_ms: When the call was opened: Unix time, in ms.
        duration_ms: How long it lasted.
        ended_reason: Why it ended on the last worker; "" if that is not recorded.
        usd: What it cost; None if that is not known.
        why: Why the recording is kept, for a fixture.
        workers: How many workers held it.
    """

    name: str
    call_sid: str
    persona: str
    began_ms: int
    duration_ms: int
    ended_reason: str
    usd: float | None
    why: str
    workers: int


@dataclass(frozen=True, slots=True)
class CallTimeline:
    """One call that can be read. `to_json` is what the page draws; the sound is apart (`Sound`)."""

    about: About
    turns: tuple[Turn, ...]
    spans: tuple[Span, ...]
    figures: tuple[Figure, ...]
    peaks: Peaks
    raw: tuple[Raw, ...]

    def to_json(self) -> bytes:
        """As JSON, in UTF-8; bytes are base64."""
        return msgspec.json.encode(self)


@dataclass(frozen=True, slots=True)
class Sound:
    """Both sides of a call as they were heard: µ-law, 8 kHz, equally long; time 0 is the call's."""

    caller: bytes
    agent: bytes
