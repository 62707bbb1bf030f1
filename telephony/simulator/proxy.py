"""A fault-injecting TCP proxy: it cuts, resets, swallows and delays the bytes that pass through it.

It does not look into the bytes, so TLS passes unchanged. Put it between Twilio and a worker, a
worker and Gemini, or a worker and Redis. Every fault happens on command, on all connections at
once; `chaos` draws faults from a seed.

    listening socket   acquired and released: `proxied`
    a connection       acquired: `Proxy._carry`, in a task of `proxied`; released: when that ends
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Any

CHUNK_BYTES = 65_536

CHUNKS = 64
"""How many chunks may be on their way in one direction before the sender must wait."""

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with 0 s: closing sends RST instead of FIN, and drops unsent bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class _Link:
    """One connection: its two sides, and the task that joins them."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    task: asyncio.Task[Any]

    def close(self, *, by_reset: bool) -> None:
        """Close both sides. No further byte passes."""
        for side in (self.near, self.far):
            if by_reset:
                _reset(side)
            else:
                side.close()
        self.task.cancel()


class Proxy:
    """The proxy. `proxied` makes it.

    Attributes:
        to: The host and port for new connections.
        delay_ms: How long bytes take from one side to the other, least and most; in order.
        accepted: How many connections there have been.
    """

    def __init__(self, to: tuple[str, int], random: Random, tasks: asyncio.TaskGroup) -> None:
        self.to = to
        self.delay_ms = (0, 0)
        self.accepted = 0
        self.port = 0
        self._random = random
        self._tasks = tasks
        self._links: set[_Link] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._passes = asyncio.Event()
        self._passes.set()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._links)

    def cut(self) -> int:
        """Close every connection normally. Returns how many."""
        return self._close(by_reset=False)

    def reset(self) -> int:
        """Break every connection, as in a crash. Returns how many."""
        return self._close(by_reset=True)

    def hold(self) -> None:
        """A black hole: connections stay open and can be made, and nothing passes."""
        self._passes.clear()

    def let_go(self) -> None:
        """End the black hole. All held bytes arrive now, as with TCP."""
        self._passes.set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Accept a connection."""
        self.accepted += 1
        task = self._tasks.create_task(self._carry(reader, writer), name="proxy link")
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    def end(self) -> None:
        """Break every connection, also those that are being made. Accept no more."""
        self.reset()
        for task in self._carrying:
            task.cancel()

    def _close(self, *, by_reset: bool) -> int:
        for link in self._links:
            link.close(by_reset=by_reset)
        return len(self._links)

    async def _carry(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        try:
            await self._passes.wait()
            answers, far = await asyncio.open_connection(*self.to)
        except (OSError, asyncio.CancelledError) as error:
            _reset(near)  # as if nobody were there
            if isinstance(error, OSError):
                return
            raise
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - `accept` has made one
        link = _Link(near, far, task)
        self._links.add(link)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass_on(reader, far), name="proxy there")
                tasks.create_task(self._pass_on(answers, near), name="proxy back")
        finally:
            self._links.discard(link)
            near.close()
            far.close()

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        on_its_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._deliver(on_its_way, sink), name="proxy delivery")
            data = b"-"
            while data:
                try:
                    data = await source.read(CHUNK_BYTES)
                except OSError:
                    data = b""
                await on_its_way.put((self._due_s(), data))

    async def _deliver(
        self, on_its_way: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        data = b"-"
        while data:
            due_s, data = await on_its_way.get()
            await asyncio.sleep(due_s - loop.time())
            await self._passes.wait()
            with suppress(OSError):  # that side is gone, which the other side will notice
                if sink.is_closing():
                    continue  # uvloop raises RuntimeError if anything is written now
                if data:
                    sink.write(data)
                    await sink.drain()
                else:
                    sink.write_eof()

    def _due_s(self) -> float:
        return asyncio.get_running_loop().time() + self._random.uniform(*self.delay_ms) / 1000


@asynccontextmanager
async def proxied(
    host: str, port: int, *, listen_on: int = 0, seed: int = 0
) -> AsyncIterator[Proxy]:
    """Run a proxy on 127.0.0.1 until the block ends. Then it breaks every connection.

    Args:
        host: The host behind the proxy.
        port: The port behind the proxy.
        listen_on: The proxy's own port; 0 for any free one. `Proxy.port` has it.
        seed: The seed for the delay of each chunk.

    Raises:
        OSError: The proxy's own port is in use.
    """
    async with asyncio.TaskGroup() as tasks:
        proxy = Proxy((host, port), Random(seed), tasks)  # noqa: S311 - a seed repeats it
        async with await asyncio.start_server(proxy.accept, "127.0.0.1", listen_on) as listener:
            proxy.port = listener.sockets[0].getsockname()[1]
            try:
                yield proxy
            finally:
                listener.close()
                proxy.end()


def _reset(writer: asyncio.StreamWriter) -> None:
    if writer.is_closing():
        return
    with suppress(OSError):  # its other end was first
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
