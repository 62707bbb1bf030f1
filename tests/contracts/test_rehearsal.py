"""Whether a server does all that a call needs: it must, as every other test here says."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.store.base import StoreAway
from agent.store.budgets import KEPT_S
from agent.store.redis import RedisStore
from agent.store.rehearsal import rehearse
from tests.contracts.conftest import TTL_S, Backend

if TYPE_CHECKING:
    from tests.redis_server import RedisServer


async def test_a_good_server_does_all_that_a_call_needs(store: RedisStore, call_sid: str) -> None:
    await rehearse(store, call_sid)
    record = await store.look_up(call_sid)
    assert record is not None
    assert (record.status, record.epoch, len(record.lines)) == ("completed", 1, 1)


async def test_a_server_that_is_away_is_said_to_be(
    backend: Backend, store: RedisStore, call_sid: str
) -> None:
    backend.stop()
    with pytest.raises(StoreAway):
        await rehearse(store, call_sid)


@pytest.fixture
async def admin(redis_server: "RedisServer") -> AsyncIterator[Redis]:
    """Gives rights on the real server, and takes them back."""
    redis_server.start()
    async with Redis.from_url(redis_server.url, decode_responses=True) as client:
        await client.flushall()
        yield client
        await client.execute_command("ACL", "DELUSER", "worker")  # type: ignore[no-untyped-call]  # redis-py


@pytest.mark.parametrize(
    ("rights", "enough"),
    [
        ("~offhook:* &offhook:* +@all", True),
        ("~offhook:* &offhook:* +@all -evalsha", False),
        ("~offhook:* &offhook:* +@all -xadd", False),
        ("~offhook:* &offhook:* +@all -zadd", False),
        ("~offhook:* &offhook:* +@all -publish", False),
        ("~offhook:* &offhook:* +@all -subscribe", False),
        ("~offhook:* &other:* +@all", False),
        ("~other:* &offhook:* +@all", False),
    ],
)
async def test_a_missing_right_is_found(
    admin: Redis, redis_server: "RedisServer", rights: str, *, enough: bool
) -> None:
    user = ("worker", "on", ">secret", *rights.split())
    await admin.execute_command("ACL", "SETUSER", *user)  # type: ignore[no-untyped-call]  # redis-py
    url = redis_server.url.replace("redis://", "redis://worker:secret@")
    store = RedisStore.from_url(url, ttl_s=TTL_S)
    try:
        if enough:
            await rehearse(store, "doctor-1")
            return
        with pytest.raises(StoreAway) as caught:
            await rehearse(store, "doctor-1")
        # Which of the two depends on where the server's release looks for the right
        assert caught.value.why in {"not permitted", "refused"}
    finally:
        await store.aclose()


async def test_what_a_rehearsal_leaves_expires(admin: Redis, redis_server: "RedisServer") -> None:
    store = RedisStore.from_url(redis_server.url, ttl_s=60)
    await rehearse(store, "doctor-1")
    await store.aclose()
    keys = await admin.keys("*")
    assert keys
    for key in keys:
        longest_s = KEPT_S if "offhook:spent:" in str(key) else 60
        assert 0 < await admin.ttl(key) <= longest_s
