"""One connection between a worker and the simulated Gemini, in virtual time. Pure.

    dial ─ handshake ─ setup ─ setupComplete ─ history ─ SessionReady ─ events … SessionLost
                          every failure before SessionReady: SessionRefused

It does the same as `agent.gemini.session`, with messages in the form in which the SDK writes them.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from typing import Protocol, assert_never

from agent.conversation.commands import (
    EndCallerAudio,
    MarkSpeech,
    OpenModel,
    SayToModel,
    SendCallerAudio,
    SendToolResult,
)
from agent.conversation.events import ModelEvent, SessionLost, SessionReady, SessionRefused
from agent.conversation.persona import as_spoken
from agent.gemini.breaker import Dial, refusal
from agent.simulator.agenda import Agenda
from agent.simulator.faults import Close, Reset
from agent.simulator.model import GeminiServer, Refusal
from agent.simulator.server_messages import Message
from agent.simulator.session import Session, State
from telephony.simulator.pipe import Pipe

CONNECT_TIMEOUT_MS = 8_000

PONG_TIMEOUT_MS = 20_000
"""The WebSocket library's own."""

CLOSE_TIMEOUT_MS = 300
"""How long a close waits for a server that does not answer it."""

type Outgoing = SendCallerAudio | EndCallerAudio | MarkSpeech | SayToModel | SendToolResult
type Feed = Callable[[ModelEvent, int], None]


class Sdk(Protocol):
    """What google-genai does to messages; only `agent.gemini` may import it, so it is handed in.

    Attributes:
        ping_interval_s: How often it pings the server; None for never.
    """

    ping_interval_s: float | None

    def setup(self, command: OpenModel) -> Message:
        """The first message of a session."""
        ...

    def events(self, session: int, message: Message) -> list[ModelEvent]:
        """What a message of the server tells."""
        ...


class ModelLink:
    """One connection. `dial` it, then `poll` by `deadline_ms`; `close` it from this side.

    Args:
        command: Which session, from where.
        server: The simulated Gemini.
        sdk: See there.
        agenda: Where what is due is noted.
        up: Towards the server.
        down: From it.
        feed: Takes each event, when it is here.
        admitted: What the breaker says to the dial: how long to stay away, or what to tell.
    """

    def __init__(
        self,
        command: OpenModel,
        server: GeminiServer,
        sdk: Sdk,
        agenda: Agenda,
        up: Pipe,
        down: Pipe,
        feed: Feed,
        admitted: Dial | int | None = None,
    ) -> None:
        self.received = bytearray()
        """Caller audio that an open session took: PCM, int16 little-endian, mono, 16 kHz."""
        self.session: Session | None = None
        """The server's end, once the handshake is through."""
        self._command, self._server, self._sdk = command, server, sdk
        self._agenda, self._up, self._down, self._feed = agenda, up, down, feed
        self._admitted = admitted
        self._ready = False
        self._over = False
        self._silent = False
        self.dialled_ms: int | None = None
        """When it was, or None while it was not, or might not be."""

    def dial(self, now_ms: int, handshake_ms: int) -> None:
        """Connect, and send the setup."""
        if isinstance(self._admitted, int):
            refused = refusal(self._command.session, self._admitted)
            self._agenda.note(now_ms, lambda at_ms: self._end(refused, at_ms))
            return
        self.dialled_ms = now_ms
        self._agenda.note(now_ms + CONNECT_TIMEOUT_MS, self._time_out)
        self._up.send(now_ms, self._connect, later_ms=handshake_ms)

    def send(self, command: Outgoing, now_ms: int) -> None:
        """Send to the session."""
        if self._over:
            return
        match command:
            case SendCallerAudio(pcm=pcm):
                blob = {"data": urlsafe_b64encode(pcm).decode(), "mime_type": _CALLER_AUDIO}
                self._post({"realtime_input": {"audio": blob}}, now_ms, pcm)
            case EndCallerAudio():
                self._post({"realtime_input": {"audioStreamEnd": True}}, now_ms)
            case MarkSpeech(begins=begins):
                name = "activityStart" if begins else "activityEnd"
                self._post({"realtime_input": {name: {}}}, now_ms)
            case SayToModel(text=text):
                self._post({"realtime_input": {"text": text}}, now_ms)
            case SendToolResult():
                response = {
                    "id": command.id,
                    "name": command.name,
                    "response": json.loads(command.result),
                    "scheduling": command.scheduling,
                    "will_continue": command.goes_on,
                }
                self._post({"tool_response": {"functionResponses": [response]}}, now_ms)
            case _:
                assert_never(command)

    def close(self, now_ms: int) -> int:
        """Close from this side. Returns when the socket is closed, so that another may open."""
        if self._over:
            return now_ms
        self._over = True
        if isinstance(self._admitted, Dial):
            self._admitted.leave(now_ms)
        if self.dialled_ms is None:
            return now_ms
        if self._silent:
            return now_ms + CLOSE_TIMEOUT_MS
        gone_ms = self._up.send(now_ms, self._gone)
        return self._down.send(gone_ms, lambda _: None) if self._ready else now_ms

    def fall_silent(self, now_ms: int, *, known: bool) -> None:
        """Nothing passes any more, and we are not told; the server is, where it is `known`."""
        if self._over:
            return
        self._silent = True
        if known:
            self._gone(now_ms)

    def poll(self, now_ms: int) -> None:
        """Send what the server has to say by now."""
        if self.session is None:
            return
        for message in self.session.poll(now_ms):
            self._down.send(now_ms, partial(self._take, message))

    def deadline_ms(self) -> int | None:
        """When to poll next, if nothing happens before."""
        return self.session.deadline_ms() if self.session is not None else None

    # At the server's end.

    def _connect(self, now_ms: int) -> None:
        match self._server.connect(now_ms):
            case Refusal(status, reason):
                refused = SessionRefused(self._command.session, status, reason)
                self._down.send(now_ms, lambda at_ms: self._end(refused, at_ms))
            case session:
                self.session = session
                session.receive(self._sdk.setup(self._command), now_ms)

    def _gone(self, now_ms: int) -> None:
        if self.session is not None:
            self.session.closed(now_ms)

    # At ours.

    def _post(self, message: Message, now_ms: int, pcm: bytes = b"") -> None:
        def deliver(at_ms: int) -> None:
            if self.session is None or self._silent:
                return
            self.poll(at_ms)  # what was due before goes out before
            if self.session.state is State.OPEN:
                self.received.extend(pcm)
            self.session.receive(message, at_ms)

        self._up.send(now_ms, deliver)

    def _take(self, message: Message | Close | Reset, now_ms: int) -> None:
        if self._over or self._silent:
            return
        number = self._command.session
        match message:
            case Close(code, reason) if self._ready:
                self._end(SessionLost(number, code, reason), now_ms)
            case Close(code, reason):
                self._end(SessionRefused(number, code, reason), now_ms)
            case Reset() if self._ready:
                self._end(SessionLost(number, 1006, "connection reset"), now_ms)
            case Reset():
                self._end(SessionRefused(number, 0, "connection reset"), now_ms)
            case {"setupComplete": dict()} if not self._ready:
                self._ready = True
                self._ping_later(now_ms)
                self._send_history(now_ms)
                self._tell(SessionReady(number), now_ms)
            case dict():
                for event in self._sdk.events(number, message):
                    self._feed(event, now_ms)

    def _ping_later(self, now_ms: int) -> None:
        if (interval_s := self._sdk.ping_interval_s) is not None:
            self._agenda.note(now_ms + int(interval_s * 1000), self._ping)

    def _ping(self, now_ms: int) -> None:
        """As the WebSocket library does: a pong that is too late ends the connection."""
        pong_ms = PONG_TIMEOUT_MS if self._silent else self._server.pong_ms
        if pong_ms < PONG_TIMEOUT_MS:
            self._agenda.note(now_ms + pong_ms, self._ping_later)
            return
        lost = SessionLost(self._command.session, 1011, "keepalive ping timeout")
        self._agenda.note(now_ms + PONG_TIMEOUT_MS, lambda at_ms: self._end(lost, at_ms))

    def _send_history(self, now_ms: int) -> None:
        turns = [
            {"parts": [{"text": as_spoken(line.heard)}], "role": _ROLES[line.role]}
            for line in self._command.history
            if line.heard
        ]
        if self._command.results:
            turns.append({"parts": [{"text": self._command.results}], "role": "user"})
        if turns:
            self._post({"client_content": {"turns": turns, "turnComplete": False}}, now_ms)

    def _end(self, event: SessionLost | SessionRefused, now_ms: int) -> None:
        if not self._over:
            self._over = True
            self._tell(event, now_ms)
            if isinstance(self._admitted, Dial):
                self._admitted.leave(now_ms)

    def _tell(self, event: SessionReady | SessionLost | SessionRefused, now_ms: int) -> None:
        if isinstance(self._admitted, Dial):
            self._admitted.tell(event, now_ms)
        self._feed(event, now_ms)

    def _time_out(self, now_ms: int) -> None:
        if not self._ready and not self._over:
            self._up.send(now_ms, self._gone)
            self._end(SessionRefused(self._command.session, 0, "timed out"), now_ms)


_CALLER_AUDIO = "audio/pcm;rate=16000"
_ROLES = {"caller": "user", "agent": "model"}
