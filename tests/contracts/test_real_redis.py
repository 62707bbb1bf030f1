"""What only a real server can do to a store: refuse what it would otherwise carry out."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.conversation.transcript import Line
from agent.store.base import StoreAway
from agent.store.redis import RedisStore

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

LINE = Line(n=1, role="caller", text="hello", heard="hello", at_ms=0, epoch=1)


@pytest.fixture
async def admin(redis_server: "RedisServer") -> AsyncGenerator[Redis]:
    """A client that changes the server; the server is a new one afterwards."""
    redis_server.start()
    async with Redis.from_url(redis_server.url, decode_responses=True) as client:
        yield client
    redis_server.stop()
    redis_server.start()


@pytest.fixture
async def store(redis_server: "RedisServer") -> AsyncGenerator[RedisStore]:
    """A store on that server."""
    store = RedisStore.from_url(redis_server.url)
    yield store
    await store.aclose()


async def why_away(store: RedisStore) -> str:
    with pytest.raises(StoreAway) as caught:
        await store.append("CA1", [LINE], 1)
    return caught.value.why


async def test_a_full_server_is_out_of_memory_and_keeps_what_it_has(
    admin: Redis, store: RedisStore
) -> None:
    await store.open_call("CA1")
    await admin.config_set("maxmemory", 1)
    assert await why_away(store) == "out of memory"
    await admin.config_set("maxmemory", 0)
    assert await store.append("CA1", [LINE], 1) == 1


async def test_a_replica_is_read_only(admin: Redis, store: RedisStore) -> None:
    await store.open_call("CA1")
    await admin.replicaof("127.0.0.1", "1")
    assert await why_away(store) == "read-only"


async def test_a_server_that_wants_a_password_is_not_authenticated(
    admin: Redis, store: RedisStore
) -> None:
    await admin.config_set("requirepass", "letmein")
    assert await why_away(store) == "not authenticated"


async def forbid(admin: Redis, command: str) -> None:
    # untyped in redis-py
    await admin.execute_command("ACL", "SETUSER", "default", f"-{command}")  # type: ignore[no-untyped-call]  # redis-py


async def test_a_user_without_the_right_is_not_permitted(admin: Redis, store: RedisStore) -> None:
    await store.open_call("CA1")
    await forbid(admin, "evalsha")
    assert await why_away(store) == "not permitted"


async def test_a_forgotten_script_is_sent_along_and_not_loaded_first(
    admin: Redis, store: RedisStore
) -> None:
    await store.open_call("CA1")
    await admin.script_flush()
    await forbid(admin, "script")
    assert await store.append("CA1", [LINE], 1) == 1


async def test_a_script_that_fails_halfway_leaves_no_key_without_an_expiry(
    admin: Redis, store: RedisStore
) -> None:
    await forbid(admin, "xadd")
    assert await why_away(store) == "refused"
    assert [await admin.ttl(key) > 0 async for key in admin.scan_iter()] == [True]


async def test_the_server_sees_one_command_for_a_batch(admin: Redis, store: RedisStore) -> None:
    lines = [
        Line(n=n, role="caller", text="x" * n, heard="x" * n, at_ms=n, epoch=1)
        for n in range(1, 501)
    ]
    await store.append("CA1", lines[:1], 1)
    await admin.config_resetstat()
    assert await store.append("CA1", lines, 1) == 500
    calls = {name: stats["calls"] for name, stats in (await admin.info("commandstats")).items()}
    assert calls["cmdstat_evalsha"] == 1
    assert calls["cmdstat_xadd"] == 499
