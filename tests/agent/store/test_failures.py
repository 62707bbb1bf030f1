"""Whatever the server answers, the store says why it is away."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
from redis import exceptions

from agent.store import leases as leases_module
from agent.store import redis as redis_module
from agent.store.base import StoreAway
from agent.store.failures import WHY, why
from agent.store.redis import RedisStore


@asynccontextmanager
async def store_on_server(
    answer: Callable[[bytes], bytes | None],
) -> AsyncGenerator[RedisStore]:
    """A store on a TCP server that says `answer(what came)`, or nothing where that is None."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(65536):
            reply = answer(request)
            if reply is not None:
                # redis-py sends its two CLIENT SETINFO at once and reads two replies
                writer.write(reply * max(1, request.count(b"SETINFO\r\n")))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        store = RedisStore.from_url(f"redis://127.0.0.1:{port}")
        try:
            yield store
        finally:
            await store.aclose()


@pytest.mark.parametrize(
    ("line", "phrase"),
    [
        ("LOADING Redis is loading the dataset in memory", "loading"),
        ("READONLY You can't write against a read only replica.", "read-only"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "out of memory"),
        ("NOAUTH Authentication required.", "not authenticated"),
        ("WRONGPASS invalid username-password pair or user is disabled.", "not authenticated"),
        ("NOPERM this user has no permissions to run the 'evalsha' command", "not permitted"),
        ("MASTERDOWN Link with MASTER is down", "no master"),
        ("MISCONF Redis is configured to save RDB snapshots", "cannot persist"),
        ("NOREPLICAS Not enough good replicas to write.", "no replicas"),
        ("BUSY Redis is busy running a script.", "busy"),
        ("CLUSTERDOWN The cluster is down", "cluster down"),
        ("MOVED 3999 127.0.0.1:6381", "wrong node"),
        ("TRYAGAIN Multiple keys request during rehashing of slot", "wrong node"),
        ("CROSSSLOT Keys in request don't hash to the same slot", "wrong node"),
        ("NOSCRIPT No matching script.", "script lost"),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", "wrong type"),
        ("ERR max number of clients reached", "unreachable"),
        ("ERR Error running script: @user_script:9: -READONLY You can't write", "read-only"),
        ("ERR Protocol error: unauthenticated multibulk length", "not authenticated"),
        ("ERR unknown command 'EVALSHA'", "refused"),
    ],
)
async def test_an_error_of_the_server_has_its_own_word(line: str, phrase: str) -> None:
    def refuse(request: bytes) -> bytes:
        return b"+OK\r\n" if b"SETINFO" in request else f"-{line}\r\n".encode()

    def refuse_scripts(request: bytes) -> bytes:
        return b"+PONG\r\n" if b"PING" in request else refuse(request)

    async with store_on_server(refuse_scripts) as store:
        with pytest.raises(StoreAway) as caught:
            await store.open_call("CA1")
    assert caught.value.why == phrase


async def test_a_server_that_never_answers_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(redis_module.CONNECTION, "socket_timeout", 0.02)
    async with store_on_server(lambda _: None) as store:
        with pytest.raises(StoreAway) as caught:
            await store.open_call("CA1")
    assert caught.value.why == "timeout"


async def test_a_watch_the_server_does_not_confirm_does_not_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def deaf_to_subscriptions(request: bytes) -> bytes | None:
        if b"SUBSCRIBE" in request:
            return None
        return b"+PONG\r\n" if b"PING" in request else b"+OK\r\n"

    monkeypatch.setattr(leases_module, "CONFIRM_TIMEOUT_MS", 20)
    async with store_on_server(deaf_to_subscriptions) as store, store.leases() as leases:
        assert not await leases.watch("CA1", lambda _: None)


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    async with store_on_server(lambda _: None) as store:
        pass
    with pytest.raises(StoreAway) as caught:
        await store.open_call("CA1")
    await store.aclose()
    assert caught.value.why == "unreachable"


def test_a_reason_is_short_enough_to_be_the_label_of_a_metric() -> None:
    assert all(len(phrase) <= 20 and phrase == phrase.lower() for phrase in WHY.values())


def test_a_failure_of_the_client_itself_is_a_refusal() -> None:
    assert why(exceptions.DataError("Invalid input of type: 'NoneType'")) == "refused"
