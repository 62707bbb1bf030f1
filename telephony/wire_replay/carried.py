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


class Place(NamedTuple):
    """Where in the audio to a caller: the run, from 0, and the samples of it that came before."""

    run: int
    samples: int


@dataclass(slots=True)
class ToPhone:
    """What Twilio was sent. A new run of audio begins with each stream, and with each clear.

    The sound for who waits, and the clear that breaks it off, are left out: both hang on how long
    the other ends took.

    Args:
        runs: µ-law, 8 kHz.
        resumed: The runs that a stream began in place of another one.
        messages: How many held it.
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
        """Where the next audio comes. Once a stream has begun."""
        return Place(len(self.runs) - 1, len(self.runs[-1]))

    def begin(self) -> None:
        """Another stream."""
        if self.runs:
            self.resumed.add(len(self.runs))
        self.runs.append(bytearray())

    def media(self, ulaw: bytes) -> None:
        """More audio."""
        self._sounds = ulaw == EARCON
        if self._sounds:
            return
        self.runs[-1] += ulaw
        self.messages += 1

    def mark(self, name: str) -> Place:
        """A mark; returns where it stands."""
        self.marks.append((name, self.place))
        return self.place

    def clear(self) -> None:
        """All of it that was not played is to be forgotten."""
        if self._sounds:
            self._sounds = False
            return
        self.clears += 1
        self.runs.append(bytearray())


@dataclass(slots=True)
class ToModel:
    """What one model session was sent.

    Args:
        handle: What it was resumed with; "" for a fresh one.
        history: How many lines it was told first; none where it was refused.
        texts: What it was told to answer.
        pcm: Caller audio: int16 little-endian, 16 kHz.
    """

    handle: str = ""
    history: int = 0
    texts: list[str] = field(default_factory=list)
    pcm: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class Carried:
    """All of it.

    Args:
        phone: What Twilio was sent.
        sessions: What the model was sent, by session, in the order they were opened.
        lines: The transcript.
        ended_reason: Why the call is over; "" where it is not.
        problems: What the other ends could not make sense of.
    """

    phone: ToPhone = field(default_factory=ToPhone)
    sessions: list[ToModel] = field(default_factory=list)
    lines: Sequence[Line] = ()
    ended_reason: str = ""
    problems: list[str] = field(default_factory=list)


def of_commands(steps: Sequence[Step]) -> Carried:
    """What the commands of a call come to on the wires, when all are carried out."""
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
