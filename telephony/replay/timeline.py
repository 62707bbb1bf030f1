"""Prints a recorded call as a table: the caller, then the agent, then technical events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

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
from telephony.audio import g711
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.audio.level import LevelGate
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
from telephony.replay.recording import Step
from telephony.twilio.messages import Dtmf, Malformed, Media, Stop

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
        response_ms: The time from the caller's last sound to the first audio of the reply, for
            each reply to something that the caller said.
        barge_ins: How often a reply was cut off that the caller may have heard.
        clear_ms: The time from each `interrupted` to its clear.
        gaps_ms: The gaps within replies, in which Twilio had nothing to play.
        lines: How many transcript lines were to be stored.
        stored: How many of them the store confirmed.
    """

    rows: list[Row] = field(default_factory=list)
    response_ms: list[int] = field(default_factory=list)
    barge_ins: int = 0
    clear_ms: list[int] = field(default_factory=list)
    gaps_ms: list[int] = field(default_factory=list)
    lines: int = 0
    stored: int = 0


def timeline(steps: Iterable[Step]) -> Timeline:
    """Make the timeline of a call from its steps."""
    teller = _Teller()
    for step in steps:
        teller.hear(step.event, step.now_ms)
        for command in step.commands:
            teller.do(command, step.now_ms)
    return teller.told


class _Teller:
    def __init__(self) -> None:
        self.told = Timeline()
        self._gate = LevelGate()
        self._sound_ms: int | None = None
        self._dialled_ms = 0
        self._interrupted_ms: int | None = None
        self._reply = 0
        self._plays_until_ms = 0
        self._waits_until_ms = 0
        self._cost: int | None = None

    def hear(self, event: Event, now_ms: int) -> None:
        match event:
            case Media():
                if self._gate.hears(g711.decode(event.payload)):
                    self._sound_ms = now_ms
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

    def do(self, command: Command, now_ms: int) -> None:
        match command:
            case SendMedia() if command.reply == NO_REPLY:
                self._waits_until_ms = now_ms + len(command.ulaw) // PHONE_SAMPLES_PER_MS
                self._row(now_ms, agent="[a sound: please wait]")
            case SendMedia():
                self._play(command, now_ms)
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

    def _play(self, command: SendMedia, now_ms: int) -> None:
        if command.reply != self._reply:
            self._reply = command.reply
            after = ""
            if self._sound_ms is not None:
                self.told.response_ms.append(now_ms - self._sound_ms)
                after = f", {now_ms - self._sound_ms} ms after the caller"
                self._sound_ms = None
            self._row(now_ms, agent=f"[reply {command.reply}{after}]")
        elif (gap_ms := now_ms - self._plays_until_ms) > 0 and self._plays_until_ms:
            self.told.gaps_ms.append(gap_ms)
            self._row(now_ms, wire=f"gap of {gap_ms} ms")
        length_ms = len(command.ulaw) // PHONE_SAMPLES_PER_MS
        self._plays_until_ms = max(now_ms, self._plays_until_ms) + length_ms

    def _clear(self, now_ms: int) -> None:
        self.told.barge_ins += 1
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


def percentile(values: Sequence[int], share: float) -> int:
    """The value that `share` of the values do not exceed; 0 if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0
