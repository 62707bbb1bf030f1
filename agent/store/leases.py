"""Tells the workers over Redis pub/sub who holds which call.

Each worker has one connection for all its subscriptions. It is a plain connection and not
redis-py's `PubSub`, which reconnects from the task that first notices the loss. Here only the
reader connects: it replaces a lost connection, and subscribes again to everything.

Messages on a call's channel: ``taken <epoch>``, ``released <epoch>``, ``status <CallStatus>``.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import ConnectionError, RedisError  # noqa: A004  theirs, not the builtin

from agent.store.failures import why

RECONNECT_MS = 250
CONFIRM_TIMEOUT_MS = 2_000

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Watch:
    on_taken: Callable[[int], None]
    on_status: Callable[[str], None] | None
    holds: asyncio.Event = field(default_factory=asyncio.Event)
    taken_epoch: int = 0
    released_epoch: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)


class RedisLeases:
    """The `Leases` of one worker. `run` must be running while it is in use."""

    def __init__(self, pool: ConnectionPool, channel_of: Callable[[str], str]) -> None:
        self._pool = pool
        self._channel_of = channel_of
        self._connection: AbstractConnection | None = None
        self._watches: dict[str, _Watch] = {}
        self._tried = asyncio.Event()

    async def tried(self) -> None:
        """Wait until the first attempt to connect has succeeded or failed."""
        await self._tried.wait()

    async def watch(
        self,
        conversation_id: str,
        on_taken: Callable[[int], None],
        on_status: Callable[[str], None] | None = None,
    ) -> bool:
        """See `Leases.watch`."""
        channel = self._channel_of(conversation_id)
        watch = self._watches.setdefault(channel, _Watch(on_taken, on_status))
        watch.on_taken, watch.on_status = on_taken, on_status
        if not watch.holds.is_set() and not await self._send("SUBSCRIBE", channel):
            return False
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT_MS / 1000):
                await watch.holds.wait()
        except TimeoutError:
            return False
        return True

    async def unwatch(self, conversation_id: str) -> None:
        """See `Leases.unwatch`."""
        channel = self._channel_of(conversation_id)
        if self._watches.pop(channel, None):
            await self._send("UNSUBSCRIBE", channel)

    def taken_epoch(self, conversation_id: str) -> int:
        """See `Leases.taken_epoch`."""
        watch = self._watches.get(self._channel_of(conversation_id))
        return watch.taken_epoch if watch else 0

    async def wait_released(self, conversation_id: str, epoch: int, timeout_ms: int = 300) -> bool:
        """See `Leases.wait_released`."""
        watch = self._watches.get(self._channel_of(conversation_id))
        if watch is None:
            return False
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while watch.released_epoch < epoch:
                    watch.released.clear()
                    await watch.released.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Hold the connection until cancelled, and get a new one whenever it is lost."""
        away = False
        while True:
            try:
                # untyped in redis-py
                connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]  # redis-py
            except RedisError:
                away = True
            else:
                if away:
                    log.info("the store is back: what waits in memory is stored now")
                lost = await self._listen(connection)
                away = True
                log.warning(
                    "the store is away: calls go on, and what they have to store waits in memory",
                    why=why(lost),
                )
            self._tried.set()
            await asyncio.sleep(RECONNECT_MS / 1000)

    async def _listen(self, connection: AbstractConnection) -> RedisError:
        """Deliver messages until the connection is lost; returns the error that says how."""
        self._connection = connection
        self._tried.set()
        try:
            if self._watches:
                await connection.send_command("SUBSCRIBE", *self._watches, check_health=False)
            while True:
                message = await connection.read_response(
                    timeout=math.inf, disconnect_on_error=False
                )
                if message is None:
                    return ConnectionError("closed")  # the in-memory server's way to say so
                self._received(*message)
        except RedisError as error:
            return error
        finally:
            self._connection = None
            for watch in self._watches.values():
                watch.holds.clear()
            await connection.disconnect(nowait=True)
            await self._pool.release(connection)

    def _received(self, kind: str, channel: str, message: str | int) -> None:
        watch = self._watches.get(channel)
        if watch is None:
            return
        match kind, str(message).split():
            case "subscribe", _:
                watch.holds.set()
            case "message", ["taken", epoch] if epoch.isdecimal():
                watch.taken_epoch = max(watch.taken_epoch, int(epoch))
                watch.on_taken(int(epoch))
            case "message", ["released", epoch] if epoch.isdecimal():
                watch.released_epoch = max(watch.released_epoch, int(epoch))
                watch.released.set()
            case "message", ["status", status] if watch.on_status is not None:
                watch.on_status(status)
            case _:
                pass  # a confirmed unsubscribe, or a newer release's message

    async def _send(self, command: str, channel: str) -> bool:
        """Whether the command was sent. If not, the next connection begins with all watches."""
        if self._connection is None or not self._connection.is_connected:
            return False  # sending would reconnect without the reader
        try:
            # No health check, because two readers would wait for its answer.
            await self._connection.send_command(command, channel, check_health=False)
        except RedisError:
            return False
        return True
