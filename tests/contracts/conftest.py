"""The servers that every store contract is run on."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from itertools import count
from typing import TYPE_CHECKING

import pytest
from fakeredis import FakeServer
from redis.asyncio import Redis

from agent.store.redis import RedisStore

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

TTL_S = 3600


class Backend(ABC):
    """One server, empty at first, and the stores of as many workers as a test wants."""

    def __init__(self, workers: AsyncExitStack) -> None:
        self._workers = workers
        self._call_numbers = count(1)

    def worker(self) -> RedisStore:
        """The store of one more worker."""
        store = self._connect()
        self._workers.push_async_callback(store.aclose)
        return store

    def new_call(self) -> str:
        """A CallSid that no test has used on this server."""
        return f"CA{next(self._call_numbers):032x}"

    @abstractmethod
    def _connect(self) -> RedisStore: ...

    @abstractmethod
    def stop(self) -> None:
        """Nobody can reach the server any more."""

    @abstractmethod
    def start(self) -> None:
        """It can be reached again, and may have forgotten everything."""


class EmbeddedBackend(Backend):
    """The server within this process."""

    def __init__(self, workers: AsyncExitStack) -> None:
        super().__init__(workers)
        self._server = FakeServer()

    def _connect(self) -> RedisStore:
        return RedisStore.embedded(ttl_s=TTL_S, server=self._server)

    def stop(self) -> None:
        self._server.connected = False

    def start(self) -> None:
        self._server.connected = True


class RealBackend(Backend):
    """A real redis-server."""

    def __init__(self, workers: AsyncExitStack, server: "RedisServer") -> None:
        super().__init__(workers)
        self._server = server

    def _connect(self) -> RedisStore:
        return RedisStore.from_url(self._server.url, ttl_s=TTL_S)

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()


@pytest.fixture(
    params=["embedded", pytest.param("redis-server", marks=pytest.mark.redis)],
)
async def backend(request: pytest.FixtureRequest) -> AsyncGenerator[Backend]:
    """Each kind of server in turn."""
    async with AsyncExitStack() as workers:
        if request.param == "embedded":
            yield EmbeddedBackend(workers)
            return
        server: RedisServer = request.getfixturevalue("redis_server")
        server.start()
        async with Redis.from_url(server.url) as admin:
            await admin.flushall()
        yield RealBackend(workers, server)


@pytest.fixture
def store(backend: Backend) -> RedisStore:
    """The store of one worker."""
    return backend.worker()


@pytest.fixture
def call_sid(backend: Backend) -> str:
    """A call nobody has heard of."""
    return backend.new_call()
