"""One Media Stream over a real WebSocket: the I/O around `Line`, and around the caller on it.

socket          acquired in `connect`; released by `TwilioSocket.close_without_code` or `break_off`
reader, pings   tasks of `carry`; end before `carry` returns
"""

import asyncio
import socket as sockets
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import cast

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.frames import CloseCode

from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS
from telephony.simulator.clock import Clock
from telephony.simulator.director import Director, Press
from telephony.simulator.faults import CallFaults
from telephony.simulator.line import Line, LineState
from telephony.simulator.report import (
    AgentHeard,
    AgentQuiet,
    BufferCleared,
    CallerSpoke,
    CallEvent,
    KeyPressed,
)
from telephony.simulator.script import Cut, HangUp, Utterance
from telephony.simulator.workers import Workers

CONNECT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 2.0
CONGESTED_BYTES = 32_000
"""Caller audio is dropped while more than this waits for a server that does not read (31930)."""


class TwilioSocket(ClientConnection):
    """A WebSocket that can end in all ways in which Twilio's do."""

    async def close_without_code(self) -> None:
        """Close as a normal call does: the server sees 1005."""
        try:
            async with self.send_context():
                self.protocol.send_close()
        except ConnectionClosed:
            return

    def break_off(self) -> None:
        """Reset the TCP connection, so that the server sees 1006. No effect if it is closed."""
        if self.transport.is_closing():
            return
        linger_for_nothing = struct.pack("ii", 1, 0)
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, linger_for_nothing)
        self.transport.abort()

    def play_dead(self) -> None:
        """Stay open, but read and answer nothing any more, not even pings."""
        cast("asyncio.ReadTransport", self.transport).pause_reading()


class StreamRefusedError(Exception):
    """No stream came up. `code` is Twilio's."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


async def connect(
    url: str, workers: Workers, headers: Mapping[str, str]
) -> tuple[TwilioSocket, str]:
    """Open the WebSocket as Twilio does: no origin, no subprotocol, no extension.

    Args:
        url: The wss URL of the TwiML.
        workers: The workers, tried in order while they refuse the connection.
        headers: Additional headers, such as the signature.

    Returns:
        The socket, and the worker it leads to.

    Raises:
        StreamRefusedError: Refused, timed out, TLS failed, or answered with anything but 101.
    """
    refused = StreamRefusedError(31902, "every worker refused the connection")
    for target in workers.targets(url):
        try:
            connection = await open_websocket(
                target.url,
                additional_headers={"Accept-Encoding": "gzip", **headers},
                user_agent_header="Twilio.TmeWs/1.0",
                compression=None,
                proxy=None,
                open_timeout=CONNECT_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S,
                ping_interval=None,
                max_size=None,
                create_connection=TwilioSocket,
            )
        except InvalidStatus as error:
            raise StreamRefusedError(31920, f"HTTP {error.response.status_code}") from error
        except InvalidHandshake as error:
            raise StreamRefusedError(31920, str(error)) from error
        except TimeoutError as error:
            raise StreamRefusedError(31901, "no answer in time") from error
        except ssl.SSLError as error:
            raise StreamRefusedError(31910, str(error)) from error
        except OSError:
            continue
        return cast("TwilioSocket", connection), target.worker
    raise refused


class End(Enum):
    """Why a stream is over."""

    HANG_UP = "hang-up"
    SERVER_CLOSED = "server-closed"
    BROKEN = "broken"
    CUT = "cut"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How a stream ended: Twilio's error `code`, 0 for none, and the script's `cut`."""

    end: End
    code: int = 0
    cut: Cut | None = None


async def carry(
    socket: TwilioSocket,
    line: Line,
    director: Director,
    clock: Clock,
    tell: Callable[[CallEvent], None],
    moved: Callable[[], bool],
    ending: Callable[[End], Awaitable[None]],
    faults: CallFaults,
) -> StreamEnd:
    """Run an opened line until it ends, at both ends: the caller's and the server's. The socket is
    still to be closed or broken off, also if this is cancelled.

    It also ends normally once `moved` says that the call got another document. At a normal end,
    `ending` is called first, and then the server is told; its messages are read somewhat longer.
    """
    woken = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(_read(socket, line, clock, woken))
        pinging = group.create_task(_ping(socket, faults)) if faults.ping_ms else None
        try:
            each = _Stream(socket, line, director, clock, tell, moved, ending)
            end = await each.run(reader, woken)
            if faults.linger_ms and not reader.done() and end.end is not End.CUT:
                await asyncio.wait({reader}, timeout=faults.linger_ms / 1000)
            return end
        finally:
            reader.cancel()
            if pinging is not None:
                pinging.cancel()


async def _read(
    socket: TwilioSocket, line: Line, clock: Clock, woken: asyncio.Event
) -> ConnectionClosed:
    while True:
        try:
            frame = await socket.recv()
        except ConnectionClosed as closed:
            woken.set()
            return closed
        line.receive(frame, clock.now_ms())
        woken.set()


async def _ping(socket: TwilioSocket, faults: CallFaults) -> None:
    """Ping the server regularly, and end the stream if it does not answer."""
    while True:
        await asyncio.sleep(faults.ping_ms / 1000)
        try:
            pong = await socket.ping()
            async with asyncio.timeout(faults.pong_ms / 1000 if faults.pong_ms else None):
                await pong
        except TimeoutError:
            socket.break_off()
            return
        except ConnectionClosed:
            return


class _Stream:
    def __init__(
        self,
        socket: TwilioSocket,
        line: Line,
        director: Director,
        clock: Clock,
        tell: Callable[[CallEvent], None],
        moved: Callable[[], bool],
        ending: Callable[[End], Awaitable[None]],
    ) -> None:
        self._socket, self._line, self._director = socket, line, director
        self._clock, self._tell, self._moved, self._ending = clock, tell, moved, ending
        self._heard = 0
        self._clears = 0

    async def run(self, reader: asyncio.Task[ConnectionClosed], woken: asyncio.Event) -> StreamEnd:
        line, end = self._line, StreamEnd(End.HANG_UP)
        while line.state is LineState.OPEN:
            now_ms = self._clock.now_ms()
            if reader.done():
                line.lose(now_ms)
                return self._why_closed(reader.result(), now_ms)
            messages = line.poll(now_ms)
            self._hear()
            end = self._act(now_ms)
            messages += line.poll(now_ms)
            if end.end is not End.CUT and self._over():
                await self._ending(end.end)
            await self._send(messages, now_ms)
            if (due_ms := line.deadline_ms()) is not None:
                await self._clock.wait(woken, due_ms)
        return end

    def _over(self) -> bool:
        return self._line.state is not LineState.OPEN

    def _hear(self) -> None:
        """Pass the audio since the last call on to the caller."""
        ear, heard = self._director.ear, self._line.heard
        while self._heard < len(heard):
            was_in_turn = ear.hears
            at_ms = self._line.media_start_ms + self._heard // PHONE_SAMPLES_PER_MS
            self._director.hear(bytes(heard[self._heard : self._heard + FRAME_SAMPLES]), at_ms)
            self._heard += FRAME_SAMPLES
            if ear.hears and not was_in_turn:
                self._tell(AgentHeard(at_ms, ear.turns[-1].response_ms))
            elif was_in_turn and not ear.hears:
                self._tell(AgentQuiet(ear.turns[-1].ended_ms, bytes(ear.sound)))
        for cleared in self._line.clears[self._clears :]:
            self._tell(BufferCleared(cleared.at_ms, cleared.dropped_ms))
        self._clears = len(self._line.clears)

    def _act(self, now_ms: int) -> StreamEnd:
        """Carry out the caller's actions now. The end counts only if the line has ended."""
        line = self._line
        if self._moved():
            line.hang_up(now_ms)
            return StreamEnd(End.MOVED)
        for action in self._director.step(now_ms):
            match action:
                case Utterance():
                    line.speak(action.ulaw)
                    told = CallerSpoke(now_ms, action.name, action.text, action.duration_ms)
                    self._tell(told)
                case Press(digit):
                    line.press(digit)
                    self._tell(KeyPressed(now_ms, digit))
                case HangUp():
                    line.hang_up(now_ms)
                case Cut():
                    line.lose(now_ms)
                    return StreamEnd(End.CUT, 31903, action)
        return StreamEnd(End.HANG_UP)

    async def _send(self, messages: list[str], now_ms: int) -> None:
        for message in messages:
            if self._socket.transport.get_write_buffer_size() > CONGESTED_BYTES:
                self._line.complain(now_ms, 31930, "the server reads too slowly")
                continue
            try:
                await self._socket.send(message)
            except ConnectionClosed:
                return

    def _why_closed(self, closed: ConnectionClosed, now_ms: int) -> StreamEnd:
        if closed.rcvd is not None:
            return StreamEnd(End.SERVER_CLOSED, 31921)
        if closed.sent is not None and closed.sent.code == CloseCode.PROTOCOL_ERROR:
            self._line.complain(now_ms, 31924, closed.sent.reason)
            return StreamEnd(End.BROKEN, 31924)
        return StreamEnd(End.BROKEN, 31903)
