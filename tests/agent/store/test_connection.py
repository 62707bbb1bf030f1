"""Connections that break just before a command is written to them, on either event loop."""

import asyncio
from typing import TYPE_CHECKING

import pytest
import uvloop
from redis.asyncio import Connection
from redis.exceptions import ConnectionError  # noqa: A004 - theirs, not the builtin

from agent.store.connection import closing
from telephony.simulator.proxy import proxied

if TYPE_CHECKING:
    from tests.redis_server import RedisServer


async def write_to_a_broken_one(port: int) -> None:
    async with proxied("127.0.0.1", port) as proxy:
        connection = closing(Connection)(host="127.0.0.1", port=proxy.port, socket_timeout=2.0)
        await connection.connect()  # type: ignore[no-untyped-call]  # theirs
        proxy.reset()
        with pytest.raises(ConnectionError):  # now it is known to be broken
            await connection.read_response(disconnect_on_error=False)
        with pytest.raises(ConnectionError):
            await connection.send_command("PING")


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_command_on_a_broken_connection_is_redis_own_error(
    redis_server: "RedisServer", loop: type[asyncio.AbstractEventLoop]
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(write_to_a_broken_one(redis_server.port))
