"""What happened on the wire to Twilio and to the model, with tools and with the store."""

from dataclasses import dataclass, field

from agent.conversation.commands import (
    CancelTool,
    CloseModel,
    OpenModel,
    RunTool,
    SaveCheckpoint,
    SayToModel,
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
from agent.conversation.tool_events import ToolFinished
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.commands import Command, EndCall, SendClear, SendMark, SendMedia
from telephony.call.events import (
    CallStatus,
    DrainRequested,
    EndRequested,
    Event,
    OwnershipLost,
    SecretKey,
    StoreAway,
    StoreBack,
    StreamEnded,
    StreamStarted,
)
from telephony.timeline.draft import Drafts
from telephony.timeline.lived import Lived
from telephony.timeline.model import Kind
from telephony.timeline.trail import Ref
from telephony.twilio.messages import Dtmf, Malformed, Mark, Stop

type At = tuple[int, Ref]
"""When something happened, in the time of the whole call, and what it was."""


@dataclass(slots=True)
class _Lead:
    """How much audio Twilio holds, by what was sent and by the marks that came back."""

    sent: int = 0
    plays_until_ms: int = 0
    marks: dict[str, int] = field(default_factory=dict)
    since: At | None = None
    level_ms: int = 0


class Wire:
    """Draws a call event by event. Call `end` at the end.

    Args:
        drafts: Where it is drawn.
    """

    def __init__(self, drafts: Drafts) -> None:
        self._drafts = drafts
        self._lead = _Lead()
        self._marks: dict[str, At] = {}
        self._dialled: dict[int, At] = {}
        self._ready: dict[int, At] = {}
        self._lost: At | None = None
        self._stream: tuple[At, str] | None = None
        self._parted: At | None = None
        self._tools: dict[int, tuple[At, str]] = {}
        self._away: At | None = None
        self._cost: int | None = None

    def draw(self, worker: int, lived: Lived) -> None:
        """Draw what one worker lived."""
        if worker:  # sessions, tools and their numbers are those of another worker now
            self._marks, self._dialled, self._ready, self._tools = {}, {}, {}, {}
        for number, step in enumerate(lived.steps):
            now_ms = lived.opened_ms + step.now_ms
            self._event(step.event, (now_ms, Ref(worker, number, 0)))
            for place, command in enumerate(step.commands, 1):
                self._command(command, (now_ms, Ref(worker, number, place)))
        if lived.steps:
            last = len(lived.steps) - 1
            at = (lived.opened_ms + lived.steps[last].now_ms, Ref(worker, last, 0))
            self._end(at)

    def _event(self, event: Event, at: At) -> None:
        match event:
            case StreamStarted():
                if self._parted is not None:
                    self._lasted("resume", self._parted, at, "the stream came back")
                self._end_stream(at)
                self._parted, self._stream = None, (at, event.stream_sid)
                self._plays(at, 0)
            case StreamEnded() | Stop() if self._stream and self._stream[1] == event.stream_sid:
                how = event.how if isinstance(event, StreamEnded) else "stop"
                self._end_stream(at)
                self._parted = at
                if how not in {"stop", "close", "status"}:
                    self._moment("fault", at, f"the stream is gone: {how}")
            case Mark(name=name):
                self._mark_back(name, at)
            case Dtmf():
                self._moment("key", at, f"key {event.digit}")
            case SecretKey():
                self._moment("key", at, "a key")
            case SessionReady() if event.session in self._dialled:
                since, self._ready[event.session] = self._dialled.pop(event.session), at
                self._lasted("dial", since, at, f"session {event.session}", figure=True)
                if self._lost is not None:
                    self._lasted("resume", self._lost, at, "the model came back")
                    self._lost = None
            case SessionLost() | SessionRefused():
                what = "lost" if isinstance(event, SessionLost) else "refused"
                self._moment("fault", at, f"session {event.session} {what}: {event.code}")
                self._lost = self._lost or at
                self._dialled.pop(event.session, None)
                self._end_session(event.session, at)
            case Interrupted():
                self._moment("note", at, "interrupted")
            case GoAway():
                self._moment("note", at, f"goAway, {event.time_left_ms} ms left")
            case ToolFinished() if event.call in self._tools:
                since, name = self._tools.pop(event.call)
                self._lasted("tool", since, at, f"{name}: {event.status}", figure=True)
            case StoreAway():
                self._away = self._away or at
                self._moment("fault", at, f"store away: {event.why}" if event.why else "store away")
            case StoreBack() if self._away is not None:
                self._lasted("store_away", self._away, at, "the store was away", figure=True)
                self._away = None
            case _:
                if told := _trouble(event):
                    self._moment("fault", at, told)

    def _command(self, command: Command, at: At) -> None:
        match command:
            case SendMedia():
                self._sent(len(command.ulaw), at)
            case SendMark():
                self._marks[command.name] = at
                self._lead.marks[command.name] = self._lead.sent
            case SendClear():
                self._moment("clear", at, "clear")
                self._plays(at, 0)
            case OpenModel():
                self._dialled[command.session] = at
            case CloseModel():
                self._dialled.pop(command.session, None)
                self._end_session(command.session, at)
            case SayToModel():
                self._moment("note", at, "the model is told to speak")
            case RunTool():
                self._tools[command.call] = at, command.name
            case CancelTool() if command.call in self._tools:
                since, name = self._tools.pop(command.call)
                self._lasted("tool", since, at, f"{name}: taken back", figure=True)
            case HideCaller():
                self._moment("note", at, "nobody hears the caller")
            case ShowCaller():
                self._moment("note", at, "the caller is heard again")
            case SaveCheckpoint(cost=cost) if cost is not None and cost != self._cost:
                self._costs(cost, at)
            case EndCall():
                if command.cost is not None and command.cost != self._cost:
                    self._costs(command.cost, at)
                self._moment("note", at, f"over: {command.reason}")
            case _:
                pass

    # Lead and marks.

    def _sent(self, samples: int, at: At) -> None:
        now_ms, _ = at
        self._lead.sent += samples
        until_ms = max(now_ms, self._lead.plays_until_ms) + samples // PHONE_SAMPLES_PER_MS
        self._plays(at, until_ms - now_ms)

    def _mark_back(self, name: str, at: At) -> None:
        if (sent := self._marks.pop(name, None)) is not None:
            self._lasted("mark", sent, at, name)
        if (position := self._lead.marks.pop(name, None)) is not None:
            ahead_ms = (self._lead.sent - position) // PHONE_SAMPLES_PER_MS
            self._plays(at, min(ahead_ms, max(0, self._lead.plays_until_ms - at[0] + ahead_ms)))

    def _plays(self, at: At, level_ms: int) -> None:
        """From now on Twilio holds so much."""
        lead = self._lead
        if lead.since is not None and lead.level_ms > 0:
            until_ms = min(at[0], lead.since[0] + lead.level_ms)
            refs = (lead.since[1], at[1])
            text = f"{lead.level_ms} ms"
            self._drafts.add(
                "lead", lead.since[0], until_ms, refs, text=text, level=float(lead.level_ms)
            )
        lead.since, lead.level_ms, lead.plays_until_ms = at, level_ms, at[0] + level_ms
        if level_ms == 0:
            lead.marks.clear()

    # What lasts.

    def _end(self, at: At) -> None:
        """A worker's part is over."""
        self._end_stream(at)
        for session in list(self._ready):
            self._end_session(session, at)
        self._plays(at, 0)

    def _end_stream(self, at: At) -> None:
        if self._stream is not None:
            (since, sid), self._stream = self._stream, None
            self._lasted("stream", since, at, f"stream {sid[:8]}…")
            self._plays(at, 0)

    def _end_session(self, session: int, at: At) -> None:
        if (since := self._ready.pop(session, None)) is not None:
            self._lasted("session", since, at, f"session {session}")

    def _costs(self, cost: int, at: At) -> None:
        usd = (cost - (self._cost or 0)) / NANO
        self._cost = cost
        label = f"${cost / NANO:.4f} so far"
        self._drafts.figure("cost", at[0], at[0], (at[1],), label=label, usd=usd)

    def _lasted(self, kind: Kind, since: At, at: At, text: str, *, figure: bool = False) -> None:
        refs = (since[1], at[1])
        if figure or kind == "resume":
            self._drafts.figure(kind, since[0], at[0], refs, label=text)
        else:
            self._drafts.add(kind, since[0], at[0], refs, text=text)

    def _moment(self, kind: Kind, at: At, text: str) -> None:
        self._drafts.add(kind, at[0], at[0], (at[1],), text=text)


def _trouble(event: Event) -> str:
    """What went wrong with this event, or ""."""
    match event:
        case OwnershipLost():
            return f"taken by another worker, epoch {event.epoch}"
        case DrainRequested():
            return "the worker is to stop"
        case EndRequested():
            return f"to end: {event.reason}"
        case BudgetSpent():
            return "the money is spent"
        case Malformed():
            return f"ignored: {event.reason}"
        case UnknownModelMessage():
            return f"not understood: {event.what}"
        case CallStatus() if event.status in {"failed", "busy", "no-answer"}:
            return f"Twilio: {event.status}"
        case _:
            return ""
