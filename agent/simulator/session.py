"""One Live session on the server's side: client messages and times go in, server messages come out.

It does no I/O and reads no clock. Call `receive` for each client message, then `poll`, and `poll`
again at `deadline_ms`. Call `closed` when the client is gone.

    connected ──setup──▶ setting up ──setup_ms──▶ open ──Close, Reset, client gone──▶ over
"""

from enum import Enum
from functools import partial
from typing import assert_never

from agent.simulator import client_messages as said
from agent.simulator import server_messages as say
from agent.simulator.agenda import Agenda
from agent.simulator.faults import (
    Close,
    DropHandles,
    Fault,
    Freeze,
    Generation,
    GoAway,
    IgnoreSpeech,
    Outage,
    PhantomInterrupted,
    RefuseConnect,
    Reset,
    Send,
    ShortTurn,
    SlowSetup,
)
from agent.simulator.listening import Listening, Utterance
from agent.simulator.memory import Memory
from agent.simulator.reply import Asked
from agent.simulator.script import TimedFault
from agent.simulator.server_messages import Message
from agent.simulator.service import Service
from agent.simulator.turns import Turns, phrase_of

RESUMED_END_MS = 20
"""When a resumed session ends, if `Behaviour.resumed_end` says so."""

NOT_NOW = "Operation is not implemented, or supported, or enabled."
"""The reason of a close for audio while a BLOCKING call has no result."""

MOST_REASON_BYTES = 123
"""The longest reason that a WebSocket close frame can hold."""


class State(Enum):
    """The state of a session."""

    CONNECTED = "connected"
    SETTING_UP = "setting up"
    OPEN = "open"
    OVER = "over"


class Session:
    """One session, from the handshake on. `GeminiServer.connect` makes it.

    Attributes:
        state: Its state.
        handle: The handle from which it was resumed, or "".
    """

    def __init__(
        self,
        service: Service,
        now_ms: int,
        *,
        refusal: Close | None = None,
        setup_delay_ms: int = 0,
        breaks_off_ms: int | None = None,
    ) -> None:
        self.state = State.CONNECTED
        self.handle = ""
        self._service = service
        self._behaviour = service.behaviour
        self._refusal = refusal
        self._setup_delay_ms = setup_delay_ms
        self._breaks_off_ms = breaks_off_ms
        self._connected_ms = now_ms
        self._now_ms = now_ms
        self._frozen_until_ms = now_ms
        self._agenda = Agenda()
        self._out: list[Message | Close | Reset] = []
        self._turns: Turns | None = None
        self._listening: Listening | None = None

    @property
    def memory(self) -> Memory | None:
        """The history up to the last complete turn; None before a setup was accepted."""
        return self._turns.memory if self._turns else None

    @property
    def heard(self) -> list[Utterance]:
        """Every utterance of the caller that has ended."""
        return self._listening.heard if self._listening else []

    @property
    def received_ms(self) -> float:
        """How much caller audio was received while open."""
        return self._listening.received_ms if self._listening else 0.0

    @property
    def received_pcm(self) -> bytes:
        """Caller audio received while open, if the server keeps it: int16 little-endian, 16 kHz."""
        return bytes(self._listening.received_pcm) if self._listening else b""

    @property
    def sent_ms(self) -> float:
        """How much reply audio was sent."""
        return self._turns.sent_ms if self._turns else 0.0

    def receive(self, message: object, now_ms: int) -> None:
        """Take one message of the client, as parsed JSON; None for what is not JSON. Then poll."""
        self._advance(now_ms)
        if self.state is State.OVER:
            return
        try:
            for one in said.read(message, self._behaviour):
                self._take(one, now_ms)
        except said.Invalid as invalid:
            self._end(Close(invalid.code, invalid.reason))

    def poll(self, now_ms: int) -> list[Message | Close | Reset]:
        """The messages to send by now, in order. Nothing follows a `Close` or `Reset`."""
        self._advance(now_ms)
        if now_ms < self._frozen_until_ms:
            return []
        out, self._out = self._out, []
        return out

    def deadline_ms(self) -> int | None:
        """When to poll next, if nothing is received before; None for never."""
        due_ms = self._now_ms if self._out else self._agenda.next_ms
        return None if due_ms is None else max(due_ms, self._frozen_until_ms)

    def closed(self, now_ms: int) -> None:
        """The client is gone, for any reason."""
        self._advance(now_ms)
        self._end(None)
        self._out = []

    def inject(self, fault: Fault, now_ms: int) -> None:
        """Inject a fault now. Then poll."""
        self._advance(now_ms)
        if self.state is not State.OVER:
            self._suffer(fault, now_ms)

    def _advance(self, now_ms: int) -> None:
        self._now_ms = max(self._now_ms, now_ms)
        while now_ms >= self._frozen_until_ms and (due := self._agenda.take(now_ms)):
            due_ms, action = due
            action(due_ms)

    def _send(self, message: Message) -> None:
        if self.state is not State.OVER:
            self._out.append(message)

    def _end(self, how: Close | Reset | None) -> None:
        if self.state is State.OVER:
            return
        self.state = State.OVER
        self._agenda = Agenda()
        if self.memory is not None:
            self._service.in_use.discard(self.memory.conversation)
        if isinstance(how, Close):
            how = Close(how.code, how.reason.encode()[:MOST_REASON_BYTES].decode(errors="ignore"))
        if how is not None:
            self._out.append(how)

    # Client messages.

    def _take(self, one: said.ClientMessage, now_ms: int) -> None:
        if isinstance(one, said.Setup):
            if self.state is not State.CONNECTED:
                raise said.Invalid("setup is only allowed as the first message.")
            self._set_up(one, now_ms)
        elif self.state is State.CONNECTED:
            raise said.Invalid("The first message must be a setup.")
        elif self._turns is not None and self._listening is not None:
            self._take_open(one, self._turns, self._listening, now_ms)
        # Google does not document what happens to it before setupComplete; here it is lost.

    def _take_open(
        self, one: said.OpenMessage, turns: Turns, listening: Listening, now_ms: int
    ) -> None:
        match one:
            case said.Audio():
                if turns.blocked and self._behaviour.blocked_audio == "closes":
                    raise said.Invalid(NOT_NOW, 1008)
                listening.audio(one, now_ms)
            case said.AudioStreamEnd():
                listening.stream_end(now_ms)
            case said.Activity(begins):
                listening.activity(begins=begins, now_ms=now_ms)
            case said.Text(text):
                listening.text()
                turns.ask(Asked(text, phrase_of(text)), now_ms)
            case said.Content():
                self._append(one, turns, now_ms)
            case said.ToolResult():
                turns.result(one, now_ms)
            case _:
                assert_never(one)

    def _set_up(self, setup: said.Setup, now_ms: int) -> None:
        service = self._service
        if self._refusal is not None:
            self._end(self._refusal)
            return
        if setup.handle:
            memory = service.handles.find(setup.handle, now_ms)
        else:
            memory = Memory(service.new_conversation(), setup.system_instruction)
        if memory is None:
            self._end(self._behaviour.unknown_handle)
            return
        if memory.conversation in service.in_use:
            self._end(Close(1011, "Internal error encountered."))
            return
        service.in_use.add(memory.conversation)
        self.state = State.SETTING_UP
        self.handle = setup.handle
        self._turns = Turns(
            service,
            memory,
            self._agenda,
            self._send,
            partial(self._plan, memory.conversation),
            transcribe=setup.output_transcription,
            tools=setup.tools,
        )
        delay_ms = service.pick_ms(self._behaviour.setup_ms) + self._setup_delay_ms
        self._agenda.note(now_ms + delay_ms, partial(self._open, setup, self._turns))

    def _open(self, setup: said.Setup, turns: Turns, now_ms: int) -> None:
        self.state = State.OPEN
        self._listening = Listening(self._service, setup, turns, self._agenda, self._send)
        self._send(say.setup_complete())
        if setup.handle:
            turns.replay()
            if (how := self._behaviour.resumed_end) is not None:
                self._agenda.note(now_ms + RESUMED_END_MS, lambda _: self._end(how))
        if self._breaks_off_ms is not None:
            self._agenda.note(now_ms + self._breaks_off_ms, lambda _: self._end(Close()))
        handle_ms = self._service.pick_ms(self._behaviour.handle_ms)
        self._agenda.note(now_ms + handle_ms, turns.offer_handle)
        lifetime_ms, go_away_ms = self._behaviour.lifetime_ms, self._behaviour.go_away_ms
        if lifetime_ms is not None:
            end_ms = self._connected_ms + lifetime_ms
            self._agenda.note(end_ms, lambda _: self._end(self._behaviour.lifetime_close))
            if go_away_ms is not None:
                going = say.go_away(go_away_ms if self._behaviour.go_away_time else None)
                self._agenda.note(max(now_ms, end_ms - go_away_ms), lambda _: self._send(going))
        if not setup.handle:
            self._plan(turns.memory.conversation, self._service.script.faults, now_ms)

    def _append(self, content: said.Content, turns: Turns, now_ms: int) -> None:
        if not self.handle and not turns.memory.entries:
            # The client continues a conversation without a handle: its faults have happened.
            self._service.spend_all(turns.memory.conversation)
        entries = list(content.entries)
        if not content.complete:
            turns.append(entries)
            return
        text = entries.pop().text if entries and entries[-1].role == "user" else ""
        turns.append(entries)
        turns.interrupt(now_ms)
        turns.ask(Asked(text, phrase_of(text)), now_ms)

    # Faults.

    def _plan(self, conversation: int, faults: tuple[TimedFault, ...], now_ms: int) -> None:
        for timed in faults:
            if not self._service.spend(conversation, timed):
                continue
            if timed.at_ms is None:
                self._suffer(timed.fault, now_ms)
            else:
                self._agenda.note(now_ms + timed.at_ms, partial(self._suffer, timed.fault))

    def _suffer(self, fault: Fault, now_ms: int) -> None:
        match fault:
            case Close() | Reset():
                self._end(fault)
            case Freeze(duration_ms):
                self._frozen_until_ms = now_ms + duration_ms
            case GoAway(time_left_ms):
                self._send(say.go_away(time_left_ms))
                self._agenda.note(
                    now_ms + time_left_ms, lambda _: self._end(self._behaviour.lifetime_close)
                )
            case Send(message):
                self._send(message)
            case ShortTurn(said_ms):
                if self._turns is not None:
                    self._turns.short_turn_ms = said_ms
            case PhantomInterrupted():
                if self._turns is not None:
                    self._turns.interrupt_nothing(now_ms)
            case IgnoreSpeech():
                if self._listening is not None:
                    self._listening.ignore_next = True
            case DropHandles() | Generation() | Outage() | RefuseConnect() | SlowSetup():
                self._service.suffer(fault, now_ms)
            case _:
                assert_never(fault)
