"""Splits a recording by who has to say what, and when."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.conversation.commands import OpenModel, SayToModel
from agent.conversation.events import ModelEvent
from agent.conversation.listener_events import BudgetSpent
from agent.conversation.tool_events import ToolOutcome
from telephony.call.commands import CloseStream, EndCall, SendClear, SendMark, SendMedia
from telephony.call.events import (
    CallEvent,
    CallOpened,
    CallStatus,
    DrainRequested,
    Event,
    LineLives,
    LinesStored,
    SecretKey,
    StreamEnded,
    StreamStarted,
    Tick,
)
from telephony.errors import RecordingError
from telephony.replay.recording import Recording, Step
from telephony.twilio.messages import Dtmf, Malformed, Mark, Media, Stop
from telephony.wire_replay.carried import Place, ToPhone


class Cue[E](NamedTuple):
    """Something to say at its time. `texts` is how many texts the model had received by then."""

    at_ms: int
    event: E
    texts: int = 0


@dataclass(slots=True)
class SessionCues:
    """Everything that one model session says, from `SessionReady` or `SessionRefused` on."""

    says: list[Cue[ModelEvent]] = field(default_factory=list)
    texts: int = 0


@dataclass(slots=True)
class StreamCues:
    """Everything that one stream says.

    Args:
        started: Its start, with the time and the streamSid.
        says: Its messages, without echoes of marks; the last is `StreamEnded` if Twilio broke it.
        stopped: Whether it ended for one side or the other.
        closed_ms: When the server closed it; 0 if it did not.
    """

    started: Cue[StreamStarted]
    says: list[Cue[Event]] = field(default_factory=list)
    stopped: bool = False
    closed_ms: int = 0


@dataclass(slots=True)
class Cues:
    """All cues of a call.

    Args:
        streams: The streams, in order.
        sessions: The model sessions, in the order of dialling.
        around: Twilio's callbacks, and the drain of the worker.
        echoes: When the mark at a position came back; None if it never did.
        clears: When a clear ended a run of audio, by the run.
    """

    streams: list[StreamCues] = field(default_factory=list)
    sessions: list[SessionCues] = field(default_factory=list)
    around: list[Cue[CallStatus | StreamEnded | DrainRequested]] = field(default_factory=list)
    echoes: dict[Place, int | None] = field(default_factory=dict)
    clears: dict[int, int] = field(default_factory=dict)


def cues(recording: Recording, steps: Sequence[Step]) -> Cues:
    """Split a recording into cues.

    Args:
        recording: The events of the call.
        steps: The same events, with the commands.

    Raises:
        RecordingError: The recording has an event that two real ends and one server cannot cause.
    """
    reader, ended = _Reader(recording), False
    for step in steps:
        reader.event(step.event, step.now_ms)
        for command in step.commands:
            match command:
                case SendMedia():
                    reader.sent.media(command.ulaw)
                case SendMark():
                    reader.mark(command.name)
                case SendClear():
                    reader.clear(step.now_ms)
                case CloseStream():
                    reader.all.streams[-1].stopped = True
                    reader.all.streams[-1].closed_ms = step.now_ms
                case OpenModel():
                    reader.by_number[command.session] = SessionCues()
                case SayToModel():
                    reader.by_number[command.session].texts += 1
                case EndCall():
                    ended = True
                case _:
                    pass
    if not ended:
        raise reader.not_on_the_wire("a worker that was lost in the middle of the call")
    reader.all.sessions = list(reader.by_number.values())
    return reader.all


class _Reader:
    def __init__(self, recording: Recording) -> None:
        self.all = Cues()
        self.by_number: dict[int, SessionCues] = {}
        self.sent = ToPhone()
        self._recording = recording
        self._places: dict[str, Place] = {}

    def mark(self, name: str) -> None:
        """Note a mark that the call sends."""
        place = self._places[name] = self.sent.mark(name)
        self.all.echoes[place] = None

    def clear(self, now_ms: int) -> None:
        """Note a clear that the call sends. One that ends a waiting sound ends no run."""
        run = self.sent.place.run
        self.sent.clear()
        if self.sent.place.run != run:
            self.all.clears[run] = now_ms

    def event(self, event: Event, now_ms: int) -> None:
        """Note an event for the end that sent it."""
        match event:
            case CallOpened(checkpoint=None, lines=()) | LinesStored() | Tick():
                pass  # the server's own events
            case StreamStarted():
                self.sent.begin()
                self.all.streams.append(StreamCues(Cue(now_ms, event)))
            case SecretKey() | LineLives():
                raise self.not_on_the_wire(type(event).__name__)
            case Media() | Mark() | Dtmf() | Stop() if event.stream_sid != self._stream_sid:
                raise self.not_on_the_wire(f"{type(event).__name__} of another stream")
            case Mark() if event.name in self._places:
                self.all.echoes[self._places[event.name]] = now_ms
            case Media() | Mark() | Dtmf() | Malformed():
                self.all.streams[-1].says.append(Cue(now_ms, event))
            case Stop():
                self.all.streams[-1].says.append(Cue(now_ms, event))
                self.all.streams[-1].stopped = True
            case StreamEnded(how="close"):
                stream = self.all.streams[-1]
                if not stream.stopped:
                    stream.says.append(Cue(now_ms, event))
                stream.stopped = True
            case CallStatus() | StreamEnded(how="status") | DrainRequested():
                self.all.around.append(Cue(now_ms, event))
            case CallOpened():
                raise self.not_on_the_wire("CallOpened of a call that another worker began")
            case BudgetSpent():
                raise self.not_on_the_wire("BudgetSpent")
            case _ if isinstance(event, CallEvent | ToolOutcome):
                raise self.not_on_the_wire(type(event).__name__)
            case _:
                assert not isinstance(event, CallEvent | ToolOutcome)  # noqa: S101 - the case before handles them
                session = self.by_number[event.session]
                session.says.append(Cue(now_ms, event, session.texts))

    def not_on_the_wire(self, what: str) -> RecordingError:
        """The error for a call that cannot be replayed with one server."""
        problem = f"expected what Twilio, Gemini and one server can cause, got {what}"
        return RecordingError(str(self._recording.folder), problem, "replay it without --wire")

    @property
    def _stream_sid(self) -> str:
        return self.all.streams[-1].started.event.stream_sid if self.all.streams else ""
