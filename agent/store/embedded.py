"""A Redis within this process: fakeredis, behind redis-py's own connection pool."""

from typing import Any

from fakeredis.aioredis import FakeAsyncRedisConnection


class EmbeddedConnection(FakeAsyncRedisConnection):
    """A connection that leaves its server when it is closed, as one over a socket does.

    fakeredis keeps it, with its subscriptions, for as long as the server lives; and nothing
    wakes a task that is reading from it.
    """

    async def disconnect(self, *args: Any, **options: Any) -> None:
        """Close the connection. A pending read returns None."""
        if self._sock is not None:
            self._sock.put_response(None)
            self._sock.close()
        await super().disconnect(*args, **options)
