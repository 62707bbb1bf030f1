"""How a stream's socket ends, as a server sees it. (uvicorn tells 1005 for every loss.)"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from telephony.simulator.stream import StreamRefusedError, TwilioSocket, connect
from telephony.simulator.workers import Workers

PUBLIC = "wss://voice.example.com/twilio/media"


async def reset(socket: TwilioSocket) -> None:
    socket.break_off()


async def close(socket: TwilioSocket) -> None:
    await socket.close_without_code()


async def die_and_be_buried(socket: TwilioSocket) -> None:
    socket.play_dead()
    socket.break_off()


@pytest.mark.parametrize(("end", "code"), [(close, 1005), (reset, 1006), (die_and_be_buried, 1006)])
async def test_the_server_sees_how_it_ended(
    end: Callable[[TwilioSocket], Awaitable[None]], code: int
) -> None:
    ended: asyncio.Queue[int | None] = asyncio.Queue()

    async def watch(connection: ServerConnection) -> None:
        await connection.wait_closed()
        ended.put_nowait(connection.close_code)

    async with serve(watch, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        socket, worker = await connect(PUBLIC, Workers([f"http://127.0.0.1:{port}"]), {})
        assert worker == f"http://127.0.0.1:{port}"
        await end(socket)
        assert await ended.get() == code
        await close(socket)
        await reset(socket)


async def test_an_upgrade_that_is_refused_says_so() -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(403, "no")

    async def unreachable(connection: ServerConnection) -> None:
        raise AssertionError(connection)

    async with serve(unreachable, "127.0.0.1", 0, process_request=refuse) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(StreamRefusedError, match="31920: HTTP 403"):
            await connect(PUBLIC, Workers([f"http://127.0.0.1:{port}"]), {})
