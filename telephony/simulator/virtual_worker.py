"""A worker that holds one `Call` in virtual time: the counterpart of `server.driver`. Pure.

It steps the call and carries out its commands over pipes. A worker that was killed is silent from
then on: messages that it had sent still arrive, data that it had not stored is lost.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, assert_never

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import (
    AppendLine,
    CancelTool,
    CloseModel,
    EndCallerAudio,
    MarkSpeech,
    OpenModel,
    RunTool,
    SaveCheckpoint,
    SayToModel,
    SendCallerAudio,
    SendToolResult,
    StopRecording,
)
from agent.conversation.listener_commands import ForgetKeys, HideCaller, ShowCaller
from agent.conversation.listener_events import BudgetSpent
from agent.conversation.next_step import NextStep
from agent.conversation.tool_events import ActsStored
from agent.conversation.transcript import Line
from agent.simulator.agenda import Agenda
from telephony.call.commands import (
    CloseStream,
    Command,
    EndCall,
    MeasureReply,
    MeasureSpeech,
    PhoneCommand,
    SendClear,
    SendMark,
    SendMedia,
)
from telephony.call.events import (
    CallOpened,
    Event,
    LinesStored,
    OwnershipLost,
    StreamStarted,
    Tick,
)
from telephony.call.machine import Call
from telephony.call.outbox import Outbox
from telephony.call.plain_frame import is_plain_frame
from telephony.call.vault import Vault
from telephony.simulator.model_link import ModelLink
from telephony.simulator.pipe import Pipe
from telephony.simulator.virtual_tools import VirtualTools

type Dial = Callable[["VirtualWorker", OpenModel, int], ModelLink]
type Write = Callable[[PhoneCommand, int], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a call, as an observer of the driver sees it; `at_ms` is the world's time."""

    at_ms: int
    worker: int
    event: Event
    commands: tuple[Command, ...]


@dataclass(slots=True)
class VirtualStore:
    """What outlives a worker. `complaints` says what a real store would have refused; `spent_of`
    whose budget is spent, as a worker is told when it stores a checkpoint.
    """

    epoch: int = 0
    lines: list[Line] = field(default_factory=list)
    checkpoint: Checkpoint | None = None
    checkpoints: int = 0
    spent_of: Literal["call", "caller", "day"] | None = None
    complaints: list[str] = field(default_factory=list)
    next_step: NextStep | None = None

    def taken(self) -> None:
        """A worker takes the call on a stream."""
        self.epoch += 1
        if self.next_step is not None:
            self.next_step = self.next_step.line_is_back()

    def append(self, line: Line) -> None:
        """Keep a line; its number has to be the next one, its epoch the newest."""
        if line.n != len(self.lines) + 1:
            self.complaints.append(f"expected line {len(self.lines) + 1}, got line {line.n}")
        if line.epoch != self.epoch:
            self.complaints.append(f"line {line.n}: expected epoch {self.epoch}, got {line.epoch}")
        self.lines.append(line)

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint in place of the last one."""
        if checkpoint.epoch != self.epoch:
            self.complaints.append(f"expected epoch {self.epoch}, got {checkpoint.epoch}")
        self.checkpoint = Checkpoint.from_json(checkpoint.to_json())
        self.checkpoints += 1
        wanted, known = NextStep.from_json(checkpoint.next_step), self.next_step
        if wanted is not None and wanted.replaces(known):
            self.next_step = wanted
        elif known is not None and (wanted is None or wanted.n != known.n):
            self.next_step = known.withdrawn()

    def opened(self) -> Checkpoint | None:
        """The checkpoint for a worker that goes on, with the next step as it stands."""
        if self.checkpoint is None:
            return None
        step = "" if self.next_step is None else self.next_step.to_json()
        return replace(self.checkpoint, next_step=step)


class VirtualWorker:
    """Runs one call from `open` on. `tick` it by `deadline_ms`.

    Args:
        number: Counts the workers of a world, from 1.
        opened: The call's first event.
        now_ms: The world's time now, which is the call's 0.
        dial: Opens a connection to the model, at a time.
        store: Where lines and checkpoints go.
        storing: The way there.
        tools: What it can run.
        agenda: Where the ends of what runs are noted.
        tell: Is told of each step, once it is carried out.
    """

    def __init__(
        self,
        number: int,
        opened: CallOpened,
        now_ms: int,
        *,
        dial: Dial,
        store: VirtualStore,
        storing: Pipe,
        tools: VirtualTools,
        agenda: Agenda,
        tell: Callable[[Step], None],
    ) -> None:
        self.number = number
        self.call = Call(opened)
        self._vault = Vault()
        self.died_ms: int | None = None
        """When it was killed, or lost the call to another worker."""
        self.ended: EndCall | None = None
        self.drops: list[type[Event]] = []
        """What never reaches the call: the next event of each of these types, once."""
        self.knows_spent = False
        """Whether it was told that a budget is spent."""
        self._opened, self._opened_ms = opened, now_ms
        self._dial, self._store, self._storing, self._tell = dial, store, storing, tell
        self._tools, self._agenda = tools, agenda
        self._cancelled: set[int] = set()
        self._acts = self._epoch = 0
        self._links: dict[int, ModelLink] = {}
        self._free_ms = now_ms
        self._outbox = Outbox()
        self._write: Write | None = None
        self._stalled_until_ms = now_ms
        self._ticked_ms = now_ms
        self._deadline_ms = self.call.deadline_ms()

    def open(self) -> None:
        """Begin: the model is dialled."""
        self.feed(self._opened, self._opened_ms)

    def attach(self, stream_sid: str, epoch: int, write: Write, now_ms: int) -> None:
        """A stream is here; `write` takes what goes to it."""
        self._outbox.forget()
        self._stalled_until_ms = now_ms
        self._write, self._epoch = write, epoch
        self.feed(StreamStarted(stream_sid, epoch), now_ms)

    def feed(self, event: Event, now_ms: int) -> None:
        """Step the call with one event, or what it may know of it, and carry out what it says."""
        if not self.alive or self.ended is not None:
            return
        if (admitted := self._vault.admits(event)) is not None:
            self._feed(admitted, now_ms)

    def _feed(self, event: Event, now_ms: int) -> None:
        if type(event) in self.drops:
            self.drops.remove(type(event))
            return
        commands = self.call.step(event, now_ms - self._opened_ms)
        if self._deadline_ms is None or not is_plain_frame(event, commands):
            self._deadline_ms = self.call.deadline_ms()
        for command in commands:
            self._carry_out(command, now_ms)
        self.write_waiting(now_ms)
        self._tell(Step(now_ms, self.number, event, tuple(commands)))

    def stall(self, until_ms: int) -> None:
        """The stream's socket takes nothing before then; `write_waiting` when that is over."""
        self._stalled_until_ms = until_ms

    def write_waiting(self, now_ms: int) -> None:
        """Write what waits in the outbox, if the socket takes it and the worker is alive."""
        if not self.alive or now_ms < self._stalled_until_ms:
            return
        while (waiting := self._outbox.take()) is not None:
            if self._write is not None:
                self._write(waiting, now_ms)

    def tick(self, now_ms: int) -> None:
        """Send `Tick` if it is due."""
        if not self._is_due(now_ms):
            return
        self._deadline_ms = self.call.deadline_ms()  # a frame since then may have put it off
        if self._is_due(now_ms):
            self._ticked_ms = now_ms
            self.feed(Tick(), now_ms)

    def _is_due(self, now_ms: int) -> bool:
        deadline_ms = self.deadline_ms()
        return deadline_ms is not None and now_ms >= deadline_ms

    def deadline_ms(self) -> int | None:
        """When to call `tick`, at most once a ms."""
        if not self.alive or self._deadline_ms is None:
            return None
        return max(self._opened_ms + self._deadline_ms, self._ticked_ms + 1)

    @property
    def alive(self) -> bool:
        """Whether it still steps the call, and the store takes something from it."""
        return self.died_ms is None

    def fence(self, now_ms: int) -> None:
        """Another worker has taken the call: the store takes nothing from this one any more."""
        self.died_ms = now_ms

    def kill(self, now_ms: int) -> None:
        """As SIGKILL: its sockets are reset, and that is all."""
        self.died_ms = now_ms
        for link in self._links.values():
            link.close(now_ms)

    def _carry_out(self, command: Command, now_ms: int) -> None:
        match command:
            case SendMedia() | SendMark() | SendClear() | CloseStream():
                self._outbox.put(command)
            case (
                SendCallerAudio()
                | EndCallerAudio()
                | MarkSpeech()
                | SayToModel()
                | SendToolResult()
            ):
                self._links[command.session].send(command, now_ms)
            case OpenModel():
                self._links[command.session] = self._dial(self, command, max(now_ms, self._free_ms))
            case CloseModel():
                self._free_ms = self._links[command.session].close(now_ms)
            case AppendLine(line):
                self._storing.send(now_ms, lambda at_ms: self._append(line, at_ms))
            case SaveCheckpoint(checkpoint):
                self._storing.send(now_ms, lambda at_ms: self._save(checkpoint, at_ms))
            case RunTool(number):
                wanted = partial(self._wants, number)
                typed = self._vault.take(command.name)
                self._tools.begin(command, typed, now_ms, self._agenda, wanted, self.feed)
            case HideCaller() | ShowCaller() | ForgetKeys():
                self._vault.does(command)
            case StopRecording() | MeasureSpeech() | MeasureReply():
                pass
            case CancelTool(number):
                self._cancelled.add(number)
            case EndCall():
                self.ended = command
            case _:
                assert_never(command)

    def _append(self, line: Line, now_ms: int) -> None:
        if self._is_fenced(now_ms):
            return
        self._store.append(line)
        self.feed(LinesStored(line.n), now_ms)

    def _is_fenced(self, now_ms: int) -> bool:
        """Whether the store takes nothing from this worker: another one has taken the call, perhaps
        while what this one had written was still on its way.
        """
        if self.alive and self._epoch < self._store.epoch:
            self.feed(OwnershipLost(self._store.epoch), now_ms)
            self.fence(now_ms)
        return not self.alive

    def _save(self, checkpoint: Checkpoint, now_ms: int) -> None:
        if self._is_fenced(now_ms):
            return
        self._store.save(checkpoint)
        if self._store.spent_of is not None and not self.knows_spent:
            self.knows_spent = True
            self.feed(BudgetSpent(self._store.spent_of), now_ms)
        if checkpoint.acts > self._acts:
            self._acts = checkpoint.acts
            self.feed(ActsStored(checkpoint.acts), now_ms)

    def _wants(self, call: int) -> bool:
        return self.alive and call not in self._cancelled
