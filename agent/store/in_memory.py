"""A Redis within this process: fakeredis, behind redis-py's own connection pool.

offhook does not require fakeredis. The tests install it. You only need it on a platform for which
offhook has no server, and only if calls need not survive the process.
"""

from typing import Any

from fakeredis import FakeServer
from fakeredis.aioredis import FakeAsyncRedisConnection
from redis.asyncio import BlockingConnectionPool


def pool(server: FakeServer | None, options: dict[str, Any]) -> BlockingConnectionPool:
    """A pool of connections to a server in this process, a new one if none is given."""
    # fakeredis answers the health check's PING with another command's reply
    given = options | {"health_check_interval": 0}
    return BlockingConnectionPool(
        connection_class=InMemoryConnection, server=server or FakeServer(), **given
    )


class InMemoryConnection(FakeAsyncRedisConnection):
    """A connection that leaves its server when it is closed, as a socket does.

    fakeredis alone would keep the connection and its subscriptions for as long as the server
    lives, and would not wake a task that reads from it.
    """

    async def disconnect(self, *args: Any, **options: Any) -> None:
        """Close the connection. A pending read returns None."""
        if self._sock is not None:
            self._sock.put_response(None)
            self._sock.close()
        await super().disconnect(*args, **options)
