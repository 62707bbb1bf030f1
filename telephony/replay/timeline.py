"""Prints a recorded call as a table: the caller, then the agent, then technical events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from agent.conversation.commands import (
    AppendLine,
    OpenModel,
    SaveCheckpoint,
    SayToModel,
    StopRecording,
)
from agent.conversation.events import (
    GoAway,
    Interrupted,
    SessionLost,
    SessionReady,
    SessionRefused,
    UnknownModelMessage,
)
from agent.conversation.listener_commands import HideCaller, ShowCaller
from agent.conversation.listener_events import BudgetSpent
from agent.conversation.meter import NANO
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.commands import NO_REPLY, CloseStream, Command, EndCall, SendClear, SendMedia
from telephony.call.events import (
    CallOpened,
    CallStatus,
    DrainRequested,
    EndRequested,
    Event,
    LinesStored,
    OwnershipLost,
    SecretKey,
    StoreAway,
    StoreBack,
    StreamEnded,
    StreamStarted,
)
from telephony.call.figures import (
    Answered,
    Cut,
    Figures,
    Finding,
    Gap,
    Heard,
    HeldInVain,
    Silence,
    TalkedOver,
)
from telephony.call.measures import Measures
from telephony.replay.recording import Step
from telephony.twilio.messages import Dtmf, Malformed, Stop

_WHOSE = {"call": "this call's", "caller": "this caller's", "day": "the day's"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the timeline."""

    t: int
    caller: str = ""
    agent: str = ""
    wire: str = ""


@dataclass(slots=True)
class Timeline:
    """A call's rows, and its figures.

    Args:
        rows: The events of the call, in order.
        measured: How soon the caller was answered, and what else was measured of the call.
        clear_ms: The time from each `interrupted` to its clear.
        lines: How many transcript lines were to be stored.
        stored: How many of them the store confirmed.
    """

    rows: list[Row] = field(default_factory=list)
    measured: Figures = field(default_factory=Figures)
    clear_ms: list[int] = field(default_factory=list)
    lines: int = 0
    stored: int = 0


def timeline(steps: Iterable[Step]) -> Timeline:
    """Make the timeline of a call from its steps."""
    teller, measures = _Teller(), Measures()
    teller.told.measured = measures.figures
    for step in steps:
        teller.hear(step.event, step.now_ms)
        found = measures.step(step.event, step.now_ms, step.commands)
        for command in step.commands:
            teller.do(command, step.now_ms, found)
        for finding in found:
            teller.find(finding, step.now_ms)
    return teller.told


class _Teller:
    def __init__(self) -> None:
        self.told = Timeline()
        self._dialled_ms = 0
        self._interrupted_ms: int | None = None
        self._reply = 0
        self._plays_until_ms = 0
        self._waits_until_ms = 0
        self._cost: int | None = None

    def hear(self, event: Event, now_ms: int) -> None:
        match event:
            case Interrupted():
                self._interrupted_ms = now_ms
            case StreamStarted():
                self._plays_until_ms = 0
                self._row(now_ms, caller="[on the line]", wire=f"stream, epoch {event.epoch}")
            case StreamEnded():
                self._row(now_ms, wire=f"stream is gone ({event.how})")
            case Stop():
                self._row(now_ms, wire="stream stopped")
            case Dtmf():
                self._row(now_ms, caller=f"[presses {event.digit}]")
            case SecretKey():
                self._row(now_ms, caller="[presses a key]")
            case LinesStored():
                self.told.stored = max(self.told.stored, event.n)
            case SessionReady():
                wire = f"session {event.session} ready after {now_ms - self._dialled_ms} ms"
                self._row(now_ms, wire=wire)
            case _:
                if wire := _told_by_the_wire(event):
                    self._row(now_ms, wire=wire)

    def find(self, finding: Finding, now_ms: int) -> None:
        """Add a row for what was found in a step, unless another row tells it."""
        match finding:
            case Heard():
                stages = (finding.answer.model_ms, finding.answer.sending_ms, finding.playing_ms)
                told = " + ".join(str(ms) for ms in stages)
                agent = f"[heard {finding.ear_to_ear_ms} ms after the caller]"
                self._row(now_ms, agent=agent, wire=f"model, sending, playing: {told} ms")
            case TalkedOver(ms):
                self._row(now_ms, caller=f"[over the agent for {ms} ms]")
            case HeldInVain(ms):
                self._row(now_ms, agent="[goes on]", wire=f"held for {ms} ms")
            case Silence(ms, after):
                whose = "" if after == "nobody" else f", after the {after}"
                self._row(now_ms, wire=f"nobody spoke for {ms} ms{whose}")
            case Gap(ms, late):
                self._row(now_ms, wire=f"gap of {ms} ms: the {late} was late")
            case Answered() | Cut():
                pass
            case _:
                assert_never(finding)

    def do(self, command: Command, now_ms: int, found: Sequence[Finding]) -> None:
        match command:
            case SendMedia() if command.reply == NO_REPLY:
                self._waits_until_ms = now_ms + len(command.ulaw) // PHONE_SAMPLES_PER_MS
                self._row(now_ms, agent="[a sound: please wait]")
            case SendMedia():
                self._play(command, now_ms, found)
            case SendClear() if now_ms < self._waits_until_ms:
                self._waits_until_ms = 0
                self._row(now_ms, wire="clear of the sound")
            case SendClear():
                self._clear(now_ms)
            case OpenModel():
                self._dialled_ms = now_ms
                how = "with its handle" if command.handle else f"{len(command.history)} lines"
                which = "of the fallback model dialled" if command.fallback else "dialled"
                self._row(now_ms, wire=f"session {command.session} {which}, {how}")
            case SayToModel():
                self._row(now_ms, wire="the model is told to speak")
            case AppendLine() if command.line.role == "caller":
                self.told.lines += 1
                self._row(now_ms, caller=f"“{command.line.text}”", wire=f"line {command.line.n}")
            case AppendLine():
                self.told.lines += 1
                cut = "" if command.line.heard == command.line.text else " (cut)"
                self._row(
                    now_ms, agent=f"“{command.line.heard}”{cut}", wire=f"line {command.line.n}"
                )
            case SaveCheckpoint() if command.cost not in {None, self._cost}:
                self._cost = command.cost
                self._row(now_ms, wire=f"{_usd(command.cost)} so far")
            case StopRecording():
                self._row(now_ms, wire="the recording is stopped, and deleted")
            case CloseStream():
                self._row(now_ms, wire="stream closed")
            case HideCaller(tool, parameter) if parameter:
                wire = f"the caller types {parameter} for {tool}"
                self._row(now_ms, caller="[nobody hears the caller]", wire=wire)
            case ShowCaller():
                self._row(now_ms, caller="[the caller is heard again]")
            case EndCall():
                final = "" if command.final else ", goes on elsewhere"
                counted = command.cost is not None or command.tokens
                cost = f", {_usd(command.cost)}" if counted else ""
                self._row(now_ms, wire=f"over: {command.reason}{final}{cost}")
            case _:
                pass

    def _play(self, command: SendMedia, now_ms: int, found: Sequence[Finding]) -> None:
        if command.reply != self._reply:
            self._reply = command.reply
            after = ""
            for finding in found:
                if isinstance(finding, Answered) and finding.reply == command.reply:
                    after = f", {finding.response_ms} ms after the caller"
            self._row(now_ms, agent=f"[reply {command.reply}{after}]")
        length_ms = len(command.ulaw) // PHONE_SAMPLES_PER_MS
        self._plays_until_ms = max(now_ms, self._plays_until_ms) + length_ms

    def _clear(self, now_ms: int) -> None:
        wire = "clear"
        if self._interrupted_ms is not None:
            self.told.clear_ms.append(now_ms - self._interrupted_ms)
            wire = f"clear +{now_ms - self._interrupted_ms} ms"
            self._interrupted_ms = None
        unplayed_ms = max(0, self._plays_until_ms - now_ms)
        self._plays_until_ms = 0
        self._row(now_ms, caller="~barge-in~", wire=f"{wire}, {unplayed_ms} ms unplayed")

    def _row(self, t: int, *, caller: str = "", agent: str = "", wire: str = "") -> None:
        self.told.rows.append(Row(t, caller, agent, wire))


def _told_by_the_wire(event: Event) -> str:
    match event:
        case CallOpened():
            return f"call opened, {len(event.lines)} lines so far"
        case SessionLost():
            return f"session {event.session} lost ({event.code})"
        case SessionRefused():
            return f"session {event.session} refused ({event.code})"
        case GoAway():
            return f"goAway: {event.time_left_ms} ms left"
        case StoreAway():
            return f"store away ({event.why})" if event.why else "store away"
        case StoreBack():
            return "store back"
        case OwnershipLost():
            return f"taken by another worker, epoch {event.epoch}"
        case DrainRequested():
            return f"to be handed over within {event.budget_ms} ms"
        case EndRequested():
            return f"to end: {event.reason}"
        case BudgetSpent():
            return f"{_WHOSE[event.of]} money is spent"
        case CallStatus():
            return f"Twilio: {event.status}"
        case Malformed():
            return f"ignored: {event.reason}"
        case UnknownModelMessage():
            return f"not understood: {event.what}"
        case _:
            return ""


def _usd(cost: int | None) -> str:
    return "price unknown" if cost is None else f"${cost / NANO:.4f}"
