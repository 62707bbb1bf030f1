"""Between a simulator that cannot sign and a worker that asks for a signature.

listening socket   acquired and released: `relay`
a connection       acquired: by websockets, which runs `join` for it; released: when that returns
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.end_to_end.twilio import open_stream

type Change = Callable[[str], str | None]
"""What becomes of a message of the worker; None withholds it."""


def faithful(message: str) -> str:
    """Nothing becomes of it."""
    return message


@asynccontextmanager
async def relay(worker_url: str, change: Change = faithful) -> AsyncIterator[str]:
    """A WebSocket that adds Twilio's signature to the upgrade, and passes on every message.

    Args:
        worker_url: The worker's base URL.
        change: Applied to what the worker sends.

    Returns:
        Where the simulator is to connect to.
    """

    async def join(simulator: ServerConnection) -> None:
        async with open_stream(worker_url) as worker, asyncio.TaskGroup() as tasks:
            tasks.create_task(_pass_on(simulator, worker, faithful), name="to the worker")
            tasks.create_task(_pass_on(worker, simulator, change), name="from the worker")

    async with serve(join, "127.0.0.1", 0, compression=None) as listener:
        port = next(iter(listener.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


async def _pass_on(source: Connection, sink: Connection, change: Change) -> None:
    """Until the source closes; then the sink is closed too."""
    with suppress(ConnectionClosed):
        async for message in source:
            assert isinstance(message, str), "neither side sends binary frames"
            if (changed := change(message)) is not None:
                await sink.send(changed)
    await sink.close()
