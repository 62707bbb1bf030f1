"""One whole call in virtual time: caller, Twilio, workers, Gemini and store under one seed. Pure.

    Phone ══ text frames ══▶ VirtualWorker (Call) ══ SDK messages ══▶ GeminiServer
          ◀═════ Pipe ═════                       ◀═════ Pipe ══════

This is a discrete-event simulation: the part that is due first acts first, and there is no clock,
socket or event loop. Everything that was said, sent, heard and stored is kept, so that tests can
judge it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import assert_never

from agent.conversation.listener_events import BudgetSpent
from agent.conversation.persona import DEFAULT_PERSONA, Persona
from agent.gemini.breaker import Breaker
from agent.simulator.agenda import Agenda
from agent.simulator.model import GeminiServer
from telephony.call.commands import CloseStream, PhoneCommand, SendClear, SendMark, SendMedia
from telephony.call.ending import EndedReason
from telephony.call.events import (
    CallOpened,
    CallStatus,
    DrainRequested,
    EndRequested,
    Event,
    OwnershipLost,
    StoreAway,
    StoreBack,
    StreamEnded,
)
from telephony.simulator.faults import LineFaults
from telephony.simulator.line import Line
from telephony.simulator.model_link import ModelLink, Sdk
from telephony.simulator.network import GOOD, Network
from telephony.simulator.phone import Phone
from telephony.simulator.pipe import Pipe
from telephony.simulator.script import Script
from telephony.simulator.virtual_dial import VirtualDial, VirtualTarget
from telephony.simulator.virtual_models import Upstream, VirtualModels
from telephony.simulator.virtual_tools import VirtualTool, VirtualTools
from telephony.simulator.virtual_worker import Step, VirtualStore, VirtualWorker
from telephony.simulator.world_faults import (
    BlackHole,
    Drain,
    DropNext,
    KillWorker,
    LoseStore,
    LoseStream,
    RequestEnd,
    SendFrame,
    SendOld,
    SpendBudget,
    StallStream,
    StallWriter,
    WorldFault,
)
from telephony.twilio.messages import (
    Connected,
    Start,
    parse,
    render_clear,
    render_mark,
    render_media,
)

CALL_SID = "CA" + "0" * 32
BEGAN_WALL_MS = 1_795_000_000_000
"""The time of day at which worlds begin: some day in November 2026."""


GOOD_LINE = LineFaults()
NO_TOOLS: Mapping[str, VirtualTool] = {}
NOBODY: Mapping[str, VirtualTarget] = {}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written to a stream's socket, after the outbox."""

    at_ms: int
    worker: int
    command: PhoneCommand


class World:
    """One call. Note faults with `at`, then `run`, then judge by the attributes.

    Args:
        caller: The caller's script.
        model: The simulated Gemini, with a seed of its own.
        sdk: Writes and reads messages as google-genai does.
        seed: The seed for all other random choices.
        network: The delays.
        line_faults: The switches of Twilio's streams.
        persona: The persona that answers.
        began_ms: When the call comes in, for calls that share a clock, a model and a breaker.
        breaker: What stands between workers and the model, or None.
        fallback: The second model, which no fault touches; or None.
        cut_after: Whether the worker dies now that it has carried out so many steps, counted from 1
            over all workers: what it sent still arrives, what it was storing is lost. It is asked
            after each step until it says yes. None for never.
        tools: What the persona's tools do, by name.
        think_ms: How long the model is known to think, as its row in `agent.gemini.quirks` says.
        targets: Who answers where the agent puts callers through to, by name.

    Attributes:
        phone: The caller's end: lines, what was heard and said.
        workers: All that held the call.
        links: Every connection to the model.
        steps: Every step of every worker's call.
        written: Everything written to Twilio.
        store: What was stored.
        tools: What tools were run.
        dial: Who was dialled.
        cut_ms: When the cut came, or None.
    """

    def __init__(
        self,
        caller: Script,
        model: GeminiServer,
        sdk: Sdk,
        *,
        seed: int = 0,
        network: Network = GOOD,
        line_faults: LineFaults = GOOD_LINE,
        persona: Persona = DEFAULT_PERSONA,
        began_ms: int = 0,
        breaker: Breaker | None = None,
        fallback: Upstream | None = None,
        cut_after: Callable[[int], bool] | None = None,
        tools: Mapping[str, VirtualTool] = NO_TOOLS,
        think_ms: int = 0,
        targets: Mapping[str, VirtualTarget] = NOBODY,
    ) -> None:
        self.now_ms = began_ms
        self.cut_ms: int | None = None
        self.phone = Phone(CALL_SID, caller, _random(seed, "line"), line_faults)
        self.workers: list[VirtualWorker] = []
        self.steps: list[Step] = []
        self.written: list[Written] = []
        self.store = VirtualStore()
        self.tools = VirtualTools(tools)
        self._model, self._sdk, self._persona = model, sdk, persona
        self._seed, self._network, self._cut_after = seed, network, cut_after
        self._think_ms = think_ms
        self._twilio = _random(seed, "twilio")
        self._agenda = Agenda()
        self._models = VirtualModels(
            Upstream(model, breaker), fallback, sdk, self._agenda, _random(seed, "gemini"), network
        )
        self.links = self._models.links
        self.dial = VirtualDial(targets, self.store, self._agenda, self.phone, self._connect_again)
        self._storing = Pipe(self._agenda, _random(seed, "store"), network.store_ms)
        self._up = self._down = Pipe(self._agenda, self._twilio, network.twilio_ms)
        self._elsewhere = self._told_over = False
        self._agenda.note(began_ms, self._answer)

    @property
    def worker(self) -> VirtualWorker:
        """The worker that holds the call, or held it last."""
        return self.workers[-1]

    def at(self, at_ms: int, fault: WorldFault) -> None:
        """Schedule a fault for a time."""
        self._agenda.note(at_ms, partial(self._suffer, fault))

    @property
    def over(self) -> bool:
        """Whether the call has ended, at its worker or, where that is dead, at Twilio."""
        if not self.workers:
            return False
        if (ended := self.worker.ended) is not None and ended.final:
            return True
        return self.phone.hung_up and (ended is not None or not self.worker.alive)

    def run(self, until_ms: int = 600_000) -> None:
        """Run until the call is over and stored, or until a time."""
        while (due_ms := self.due_ms()) is not None and due_ms <= until_ms:
            self.live(due_ms)

    def due_ms(self) -> int | None:
        """When to `live` next; None once the call is over and stored."""
        if self.over and self.now_ms >= self._storing.busy_until_ms:
            return None
        parts: tuple[Phone | ModelLink | VirtualWorker, ...]
        parts = (self.phone, *self.links, *self.workers)
        first_ms = self._agenda.next_ms
        for part in parts:
            due_ms = part.deadline_ms()
            if due_ms is not None and (first_ms is None or due_ms < first_ms):
                first_ms = due_ms
        return first_ms

    def live(self, now_ms: int) -> None:
        """Do everything that is due now: arrivals first, then the parts' own timers."""
        self.now_ms = max(self.now_ms, now_ms)
        while (due := self._agenda.take(self.now_ms)) is not None:
            due[1](self.now_ms)
        for link in self.links:
            link.poll(self.now_ms)
        line = self.phone.line
        for frame in self.phone.step(self.now_ms):
            if line is not None:
                self._up.send(self.now_ms, partial(self._arrive, line, self._up, frame))
        if self.phone.hung_up and not self._told_over:
            self._told_over = True
            self.dial.caller_left(self.now_ms)
            self._up.send(self.now_ms, lambda at_ms: self._tell(CallStatus("completed"), at_ms))
        for worker in self.workers:
            worker.tick(self.now_ms)

    # The call's way through Twilio.

    def _answer(self, now_ms: int) -> None:
        self._open_worker(now_ms)
        self._agenda.note(now_ms + self._twilio.randint(*self._network.connect_ms), self._connect)

    def _open_worker(self, now_ms: int) -> None:
        opened = CallOpened(
            call_sid=CALL_SID,
            seed=self._seed,
            wall_time_ms=BEGAN_WALL_MS + now_ms,
            persona=self._persona,
            checkpoint=self.store.opened(),
            lines=tuple(self.store.lines),
            has_fallback=self._models.has_fallback,
            think_ms=self._think_ms,
        )
        worker = VirtualWorker(
            len(self.workers) + 1,
            opened,
            now_ms,
            dial=self._models.dial,
            store=self.store,
            storing=self._storing,
            tools=self.tools,
            agenda=self._agenda,
            tell=self._note,
        )
        self.workers.append(worker)
        worker.open()

    def _connect(self, now_ms: int) -> None:
        if self.phone.hung_up or self.dial.away:
            return
        self._up = Pipe(self._agenda, self._twilio, self._network.twilio_ms)
        self._down = Pipe(self._agenda, self._twilio, self._network.twilio_ms)
        self.phone.connect(now_ms)

    def _note(self, step: Step) -> None:
        self.steps.append(step)
        if self._cut_after is not None and self.cut_ms is None and self._cut_after(len(self.steps)):
            self.cut_ms = step.at_ms
            self._suffer(KillWorker(), step.at_ms)

    def _arrive(self, line: Line, up: Pipe, frame: str, now_ms: int) -> None:
        if up is not self._up:
            return  # the worker at its end is dead
        match parse(frame):
            case Connected():
                pass
            case Start(stream_sid=stream_sid):
                self._take_over(now_ms)
                self.store.taken()
                write = partial(self._write, line, self._down, self.worker.number)
                self.worker.attach(stream_sid, self.store.epoch, write, now_ms)
            case event:
                self._tell(event, now_ms)

    def _write(
        self, line: Line, down: Pipe, worker: int, command: PhoneCommand, now_ms: int
    ) -> None:
        self.written.append(Written(now_ms, worker, command))
        match command:
            case SendMedia(stream_sid=sid, ulaw=ulaw):
                self._post(line, down, render_media(sid, ulaw), now_ms)
            case SendMark(stream_sid=sid, name=name):
                self._post(line, down, render_mark(sid, name), now_ms)
            case SendClear(stream_sid=sid):
                self._post(line, down, render_clear(sid), now_ms)
            case CloseStream():
                down.send(now_ms, partial(self._lose, line))
            case _:
                assert_never(command)

    def _post(self, line: Line, down: Pipe, frame: str, now_ms: int) -> None:
        def deliver(at_ms: int) -> None:
            if line is self.phone.line:
                line.receive(frame, at_ms)

        down.send(now_ms, deliver)

    def _tell(self, event: Event, now_ms: int) -> None:
        self.worker.feed(event, now_ms)

    def _lose(self, line: Line, now_ms: int) -> None:
        """The stream is gone, at Twilio's end: the worker is told, and the document goes on."""
        if line is not self.phone.line:
            return
        self.phone.lose(now_ms)
        ended = StreamEnded(line.stream_sid, "close")
        self._up.send(now_ms, lambda at_ms: self._tell(ended, at_ms))
        webhook_ms = self._twilio.randint(*self._network.resume_webhook_ms)
        self._agenda.note(now_ms + webhook_ms, self._resume)
        reconnect_ms = self._twilio.randint(*self._network.reconnect_ms)
        self._agenda.note(now_ms + reconnect_ms, self._connect)

    def _resume(self, now_ms: int) -> None:
        """Twilio asks what to do next: somebody is dialled whom the agent has named, or a worker
        that does not hold the call dials the model ahead.
        """
        if self.phone.hung_up:
            return
        if self.dial.begins(now_ms):
            self._tell(EndRequested(EndedReason.PUT_THROUGH), now_ms)
        elif not self.worker.alive or self.worker.ended is not None:
            self._open_worker(now_ms)

    def _connect_again(self, now_ms: int) -> None:
        """Nobody was reached: the call goes on with the agent."""
        self._resume(now_ms)
        self._agenda.note(now_ms + self._twilio.randint(*self._network.connect_ms), self._connect)

    def _take_over(self, now_ms: int) -> None:
        """A stream is here: some worker has to hold the call."""
        if self._elsewhere and self.worker.alive:
            self.worker.feed(OwnershipLost(self.store.epoch + 1), now_ms)
            self.worker.fence(now_ms)
        self._elsewhere = False
        if not self.worker.alive or self.worker.ended is not None:
            self._open_worker(now_ms)

    # What goes wrong.

    def _suffer(self, fault: WorldFault, now_ms: int) -> None:
        match fault:
            case LoseStream(elsewhere):
                if self.phone.line is not None:
                    self._elsewhere = elsewhere
                    self._lose(self.phone.line, now_ms)
            case StallStream(duration_ms):
                self._up.stall(now_ms + duration_ms)
            case StallWriter(duration_ms):
                self.worker.stall(now_ms + duration_ms)
                self._agenda.note(now_ms + duration_ms, self.worker.write_waiting)
            case SendFrame(frame, times, binary):
                event = parse(frame.encode() if binary else frame * times)
                if not isinstance(event, Connected | Start):  # the server takes each of them once
                    self._up.send(now_ms, partial(self._tell, event))
            case SendOld(message, session):
                for told in self._sdk.events(session, message):
                    self._tell(told, now_ms)
            case LoseStore(duration_ms):
                self._storing.stall(now_ms + duration_ms)
                self._tell(StoreAway(), now_ms)
                self._agenda.note(now_ms + duration_ms, partial(self._tell, StoreBack()))
            case Drain(budget_ms):
                self._tell(DrainRequested(budget_ms), now_ms)
            case RequestEnd(reason):
                self._tell(EndRequested(reason), now_ms)
            case SpendBudget(of):
                self.store.spent_of, self.worker.knows_spent = of, True
                self._tell(BudgetSpent(of), now_ms)
            case KillWorker():
                self._kill(now_ms)
            case BlackHole(known):
                for link in self.links:
                    link.fall_silent(now_ms, known=known)
            case DropNext(event):
                self.worker.drops.append(event)
            case _:
                self._model.inject(fault, now_ms)

    def _kill(self, now_ms: int) -> None:
        self.worker.kill(now_ms)
        if self.phone.line is not None:
            self._up = Pipe(self._agenda, self._twilio, self._network.twilio_ms)
            self._down.send(now_ms, partial(self._lose, self.phone.line))


def _random(seed: int, what: str) -> Random:
    """One stream of chance for each part, so that a fault in one does not shift the others."""
    return Random(f"{seed} {what}")  # noqa: S311 - a simulation, which a seed repeats
