"""Everything that a server sent to both ends of a call, and everything that it stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.conversation.commands import AppendLine, OpenModel, SayToModel, SendCallerAudio
from agent.conversation.events import SessionReady
from agent.conversation.transcript import Line
from telephony.audio.earcon import EARCON
from telephony.call.commands import EndCall, SendClear, SendMark, SendMedia
from telephony.call.events import StreamStarted
from telephony.replay.recording import Step

SIGN_OF_LIFE = "alive"
"""The first part of the name of a mark that asks a silent stream for a sign of life. Of a mark
behind audio, it is the reply."""


class Place(NamedTuple):
    """A position in the audio to a caller: the run, from 0, and the samples before it there."""

    run: int
    samples: int


def _is_held(before: str, there: Place, name: str, here: Place) -> bool:
    """Whether two marks, one after the other, are of one reply that a clear or a stream parts."""
    reply, other = (mark.partition(":")[0] for mark in (before, name))
    return reply == other and reply != SIGN_OF_LIFE and there.run != here.run


@dataclass(slots=True)
class ToPhone:
    """Everything that was sent to Twilio. Each stream and each clear begins a new run of audio.

    The waiting sound, and the clear that ends it, are left out: both depend on how long the other
    ends took.

    Args:
        runs: µ-law, 8 kHz.
        resumed: The runs that may go on with a reply at the sample that the caller had heard: those
            of streams that replaced another stream, and those of a reply that was held.
        messages: How many messages held the audio.
        marks: Each mark's name and place, in order.
        clears: How many clears.
    """

    runs: list[bytearray] = field(default_factory=list)
    resumed: set[int] = field(default_factory=set)
    messages: int = 0
    marks: list[tuple[str, Place]] = field(default_factory=list)
    clears: int = 0
    _sounds: bool = False

    @property
    def place(self) -> Place:
        """The position of the next audio, once a stream has begun."""
        return Place(len(self.runs) - 1, len(self.runs[-1]))

    def begin(self) -> None:
        """Begin another stream."""
        if self.runs:
            self.resumed.add(len(self.runs))
        self.runs.append(bytearray())

    def media(self, ulaw: bytes) -> None:
        """Add audio."""
        self._sounds = ulaw == EARCON
        if self._sounds:
            return
        self.runs[-1] += ulaw
        self.messages += 1

    def mark(self, name: str) -> Place:
        """Add a mark. Returns its position."""
        if self.marks and _is_held(*self.marks[-1], name, self.place):
            self.resumed.add(self.place.run)
        self.marks.append((name, self.place))
        return self.place

    def clear(self) -> None:
        """Add a clear, which drops all audio that was not played."""
        if self._sounds:
            self._sounds = False
            return
        self.clears += 1
        self.runs.append(bytearray())


@dataclass(slots=True)
class ToModel:
    """Everything that was sent to one model session.

    Args:
        handle: The handle that it was resumed with; "" for a fresh session.
        history: How many lines it was given first; none if it was refused.
        texts: The texts to answer.
        pcm: Caller audio: int16 little-endian, 16 kHz.
    """

    handle: str = ""
    history: int = 0
    texts: list[str] = field(default_factory=list)
    pcm: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class Carried:
    """Everything that a server sent and stored in one call.

    Args:
        phone: Everything that was sent to Twilio.
        sessions: Everything that was sent to the model, by session, in the order of opening.
        lines: The transcript.
        ended_reason: Why the call is over; "" if it is not.
        problems: The messages that the other ends could not use.
    """

    phone: ToPhone = field(default_factory=ToPhone)
    sessions: list[ToModel] = field(default_factory=list)
    lines: Sequence[Line] = ()
    ended_reason: str = ""
    problems: list[str] = field(default_factory=list)


def of_commands(steps: Sequence[Step]) -> Carried:
    """What the commands of a call send and store, if all are carried out."""
    carried = Carried()
    numbers: dict[int, ToModel] = {}
    histories: dict[int, int] = {}
    lines: list[Line] = []
    for step in steps:
        match step.event:
            case StreamStarted():
                carried.phone.begin()
            case SessionReady(session=number):
                numbers[number].history = histories[number]
            case _:
                pass
        for command in step.commands:
            match command:
                case SendMedia():
                    carried.phone.media(command.ulaw)
                case SendMark():
                    carried.phone.mark(command.name)
                case SendClear():
                    carried.phone.clear()
                case OpenModel():
                    histories[command.session] = sum(bool(line.heard) for line in command.history)
                    numbers[command.session] = ToModel(command.handle)
                case SayToModel():
                    numbers[command.session].texts.append(command.text)
                case SendCallerAudio():
                    numbers[command.session].pcm.extend(command.pcm)
                case AppendLine():
                    lines.append(command.line)
                case EndCall() if command.final:
                    carried.ended_reason = command.reason
                case _:
                    pass
    carried.sessions, carried.lines = list(numbers.values()), lines
    return carried
