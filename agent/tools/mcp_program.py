"""An MCP server that is a program: started, spoken to through its standard streams, and ended.

The official client's own transport reads lines of any length in one go, which stops every thread of
this process for as long as it takes. Here an answer that is too long is answered for: it failed.

program, its tasks   acquired: `program`; released: there, within `ENDS_WITHIN_S` three times

Source: MCP 2026-07-28, stdio: a message a line; to end a server, close its input, then kill it.
"""

import asyncio
import os
import re
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TextIO

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp import types
from mcp.client._transport import TransportStreams
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage

from agent.tools.mcp_server import McpServer

MOST_BYTES = 512 * 1024
"""The longest message. The list of a hundred tools has 150 KB; of a result, far less is kept."""

TOO_LONG = -32_050
"""The code of the error in place of an answer that is longer; the client has its own -32000."""

ENDS_WITHIN_S = 2.0
"""How long a program may take to end, before it is told so more plainly."""

_ID = re.compile(rb'"id"\s*:\s*(\d+)')
_HEAD_BYTES = 4_096
"""Where the id of an answer is looked for."""

type Incoming = MemoryObjectSendStream[SessionMessage | Exception]


@asynccontextmanager
async def program(
    server: McpServer, errors: TextIO | None, ended: Callable[[], None]
) -> AsyncIterator[TransportStreams]:
    """Run a server's program as long as the block runs.

    Args:
        server: Which server.
        errors: Where its standard error goes; None for nowhere, as it may hold callers' words.
        ended: Called if it ends by itself.

    Raises:
        OSError: It cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *server.command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL if errors is None else errors,
        cwd=server.folder or None,
        env=get_default_environment() | dict(server.env),
        start_new_session=True,
        limit=MOST_BYTES,
    )
    incoming, reading = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    writing, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        async with asyncio.TaskGroup() as tasks:
            both = [
                tasks.create_task(_read(process, incoming, ended)),
                tasks.create_task(_write(process, outgoing)),
            ]
            try:
                yield reading, writing
            finally:
                for task in both:
                    task.cancel()
    finally:
        for stream in (incoming, reading, writing, outgoing):
            stream.close()
        await _end(process)


async def _read(process: Process, incoming: Incoming, ended: Callable[[], None]) -> None:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    with suppress(asyncio.IncompleteReadError, anyio.BrokenResourceError, ConnectionError):
        while True:
            try:
                line = await process.stdout.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                await incoming.send(await _too_long(process.stdout, error.consumed))
            else:
                await incoming.send(_parsed(line))
    incoming.close()
    ended()


def _parsed(line: bytes) -> SessionMessage | Exception:
    try:
        return SessionMessage(types.jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        return error


async def _too_long(stdout: asyncio.StreamReader, consumed: int) -> SessionMessage | Exception:
    """Skip a line, and answer for it."""
    head = b""
    while True:
        head = (head + await stdout.readexactly(consumed))[:_HEAD_BYTES]
        try:
            await stdout.readuntil(b"\n")
            break
        except asyncio.LimitOverrunError as error:
            consumed = error.consumed
    found = _ID.search(head)
    if found is None:
        return ValueError("a message that is too long")
    error_data = types.ErrorData(code=TOO_LONG, message="too long")
    return SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=int(found[1]), error=error_data))


async def _write(process: Process, outgoing: MemoryObjectReceiveStream[SessionMessage]) -> None:
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    with suppress(ConnectionError):  # it has ended: the reader notices
        async for message in outgoing:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(f"{text}\n".encode())
            await process.stdin.drain()


async def _end(process: Process) -> None:
    """Close its input; if it does not end then, end it and what it has started."""
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    process.stdin.close()
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDS_WITHIN_S):
                await _gone(process)
                return


async def _gone(process: Process) -> None:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    while await process.stdout.read(MOST_BYTES):  # one that cannot write does not end
        pass
    await process.wait()
