"""The servers that every store contract is run on."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from functools import cache
from itertools import count

import pytest
from fakeredis import FakeServer
from redis.asyncio import Redis

from agent.store.redis import RedisStore
from tests.redis_server import RedisServer, redis_programs, redis_running

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


class InMemoryBackend(Backend):
    """The server within this process."""

    def __init__(self, workers: AsyncExitStack) -> None:
        super().__init__(workers)
        self._server = FakeServer()

    def _connect(self) -> RedisStore:
        return RedisStore.in_memory(ttl_s=TTL_S, server=self._server)

    def stop(self) -> None:
        self._server.connected = False

    def start(self) -> None:
        self._server.connected = True


class RealBackend(Backend):
    """A real server."""

    def __init__(self, workers: AsyncExitStack, server: RedisServer) -> None:
        super().__init__(workers)
        self._server = server

    def _connect(self) -> RedisStore:
        return RedisStore.from_url(self._server.url, ttl_s=TTL_S)

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()


@pytest.fixture(scope="session")
def server_of() -> Iterator[Callable[[str], RedisServer]]:
    """The server of each program: it is started when it is first asked for."""
    with ExitStack() as running:
        yield cache(lambda name: running.enter_context(redis_running(name)))


@pytest.fixture(params=redis_programs())
def redis_server(
    request: pytest.FixtureRequest, server_of: Callable[[str], RedisServer]
) -> RedisServer:
    """Each real server in turn."""
    return server_of(request.param)


REAL = [pytest.param(program, marks=pytest.mark.real) for program in redis_programs()]


@pytest.fixture(params=["in memory", *REAL])
async def backend(
    request: pytest.FixtureRequest, server_of: Callable[[str], RedisServer]
) -> AsyncGenerator[Backend]:
    """Each kind of server in turn."""
    async with AsyncExitStack() as workers:
        if request.param == "in memory":
            yield InMemoryBackend(workers)
            return
        server = server_of(request.param)
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
