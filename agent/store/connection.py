"""A connection to Redis that says in redis-py's own way that it is broken.

A server may break a connection just before a command is written to it. Then uvloop's transport
raises `RuntimeError`, and asyncio's `AttributeError`. redis-py expects an `OSError`, and passes on
both as bugs; for a call they would be bugs of ours, and its end.
"""

from collections.abc import Iterable
from typing import cast

from redis.asyncio.connection import AbstractConnection


class _Closing(AbstractConnection):
    async def _send_packed_command(self, command: Iterable[bytes]) -> None:
        if self._writer is None or self._writer.is_closing():
            raise ConnectionResetError("broken before the command was written")
        await super()._send_packed_command(command)


def closing[T: AbstractConnection](kind: type[T]) -> type[T]:
    """The same kind of connection, of which a broken one raises redis-py's `ConnectionError`.

    It has to have a `socket_timeout`: without one, redis-py writes in another place.
    """
    return cast("type[T]", type(kind.__name__, (_Closing, kind), {}))
