"""The streams of one call, one after another: how each begins and ends, and its callbacks.

socket           per stream; closed, or broken off, where the stream ends
zombie sockets   tasks of the group that `Streams` is given; broken off by `close`
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from typing import assert_never

from telephony.simulator import stream
from telephony.simulator.clock import Clock
from telephony.simulator.director import Director
from telephony.simulator.faults import Callbacks, CallFaults, UpgradeSignature
from telephony.simulator.identity import Identity
from telephony.simulator.line import Line
from telephony.simulator.off_line import OffLine
from telephony.simulator.report import CallEvent, StreamClosed, StreamOpened
from telephony.simulator.script import Cut
from telephony.simulator.status_callbacks import StatusCallbacks
from telephony.simulator.stream import End, StreamEnd
from telephony.simulator.twiml import Stream
from telephony.simulator.webhooks import signature
from telephony.simulator.workers import Workers


class Streams:
    """Runs the streams of a call; call `run` for each.

    Args:
        identity: The parties of the call.
        director: The caller.
        off_line: Keeps the audio that the caller still has to say between streams.
        workers: The workers for streams.
        callbacks: Sends the status callbacks.
        rng: The random numbers for all choices.
        faults: The switches of this Twilio.
        clock: The call's clock.
        tell: Called with each event.
        group: The TaskGroup for zombie sockets.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        director: Director,
        off_line: OffLine,
        workers: Workers,
        callbacks: StatusCallbacks,
        rng: random.Random,
        faults: CallFaults,
        clock: Clock,
        tell: Callable[[CallEvent], None],
        group: asyncio.TaskGroup,
    ) -> None:
        self.lines: list[Line] = []
        self._id, self._director, self._off_line = identity, director, off_line
        self._workers, self._callbacks = workers, callbacks
        self._rng, self._faults, self._clock, self._tell = rng, faults, clock, tell
        self._group = group
        self._zombies: list[asyncio.Task[None]] = []

    async def run(
        self, noun: Stream, leaves: Callable[[Line], bool], hung_up: Callable[[], Awaitable[None]]
    ) -> StreamEnd:
        """Run one stream until it has ended and its end is reported.

        Args:
            noun: The document's Stream.
            leaves: Returns whether the call must leave the stream now.
            hung_up: Awaited when the caller hangs up, before the server is told, where callbacks
                come first.

        Raises:
            StreamRefusedError: The stream could not be opened.
        """
        sid = f"MZ{secrets.token_hex(16)}"
        try:
            socket, worker = await stream.connect(
                noun.url, self._workers, self._upgrade_headers(noun.url)
            )
        except stream.StreamRefusedError as refused:
            self._tell(StreamClosed(self._clock.now_ms(), sid, str(refused.code)))
            await self._callbacks.stream(noun, sid, "stream-error", str(refused))
            raise
        self._tell(StreamOpened(self._clock.now_ms(), sid, worker))
        end: StreamEnd | None = None
        try:
            end = await self._carry(socket, noun, sid, leaves, hung_up)
            await self._finish(end, socket, noun, sid)
        finally:
            if end is None or end.cut is not Cut.ZOMBIE:
                socket.break_off()
        return end

    def close(self) -> None:
        """Break the sockets that were kept open, because the call is over."""
        for zombie in self._zombies:
            zombie.cancel()

    def _upgrade_headers(self, url: str) -> dict[str, str]:
        signed = signature(self._id.auth_token, url, {})
        match self._faults.upgrade_signature:
            case UpgradeSignature.EXACT:
                pass
            case UpgradeSignature.TRAILING_SLASH:
                signed = signature(self._id.auth_token, url + "/", {})
            case UpgradeSignature.WRONG:
                signed = signature(self._id.auth_token + "?", url, {})
            case UpgradeSignature.ABSENT:
                return {}
            case never:
                assert_never(never)
        return {"x-twilio-signature": signed}

    async def _carry(
        self,
        socket: stream.TwilioSocket,
        noun: Stream,
        sid: str,
        leaves: Callable[[Line], bool],
        hung_up: Callable[[], Awaitable[None]],
    ) -> StreamEnd:
        line = Line(
            sid,
            self._id.call_sid,
            self._id.account_sid,
            noun.parameters,
            rng=self._rng,
            faults=self._faults.line,
        )

        async def ending(how: End) -> None:
            if self._faults.callbacks is Callbacks.BEFORE:
                await self._callbacks.stream(noun, sid, "stream-stopped")
                if how is End.HANG_UP:
                    await hung_up()

        self.lines.append(line)
        line.open(self._clock.now_ms())
        line.speak(self._off_line.left(line.media_start_ms))
        await self._callbacks.stream(noun, sid, "stream-started")
        end = await stream.carry(
            socket,
            line,
            self._director,
            self._clock,
            self._tell,
            moved=lambda: leaves(line),
            ending=ending,
            faults=self._faults,
        )
        now_ms = self._clock.now_ms()
        self._off_line.keep(line.unsaid, now_ms)
        how = str(end.code) if end.end in {End.BROKEN, End.CUT} else end.end.value
        self._tell(StreamClosed(now_ms, sid, how))
        return end

    async def _finish(
        self, end: StreamEnd, socket: stream.TwilioSocket, noun: Stream, sid: str
    ) -> None:
        """Release the socket, and report how the stream ended."""
        match end.end:
            case End.HANG_UP | End.MOVED:
                if self._faults.callbacks is not Callbacks.BEFORE:
                    await self._callbacks.stream(noun, sid, "stream-stopped")
                await socket.close_without_code()
            case End.SERVER_CLOSED:
                error = "31921 stream closed by the server" if self._faults.close_is_error else ""
                event = "stream-error" if error else "stream-stopped"
                await self._callbacks.stream(noun, sid, event, error)
                await socket.close_without_code()
            case End.BROKEN | End.CUT:
                error = f"{end.code} connection broken"
                await self._callbacks.stream(noun, sid, "stream-error", error)
                if end.cut is Cut.ZOMBIE:
                    self._zombies.append(self._group.create_task(self._haunt(socket)))
                elif end.cut is Cut.CLOSE:
                    await socket.close_without_code()
            case never:
                assert_never(never)

    async def _haunt(self, socket: stream.TwilioSocket) -> None:
        socket.play_dead()
        try:
            await asyncio.sleep(self._faults.zombie_ms / 1000)
        finally:
            socket.break_off()
