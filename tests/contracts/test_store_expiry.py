"""What every store promises of what is forgotten: by the server, or because it has expired."""

from typing import TYPE_CHECKING

import pytest

from agent.store.base import Fenced, Gap
from agent.store.index import CALLS, LONGEST_CALL_S
from agent.store.redis import RedisStore
from tests.contracts.stored import CHECKPOINT, line, take

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend


# Forgetting


async def test_an_owner_brings_back_what_the_server_has_forgotten(
    store: RedisStore, call_sid: str
) -> None:
    lines = [line(1), line(2), line(3, epoch=2)]
    await take(store, call_sid, "a")
    await store.append(call_sid, lines[:2], 1)
    await take(store, call_sid, "b")
    await store._client.flushall()

    with pytest.raises(Gap) as caught:
        await store.append(call_sid, lines[2:], 2)
    assert await store.append(call_sid, lines[caught.value.expected_n - 1 :], 2) == 3
    record = await store.look_up(call_sid)
    assert record is not None
    assert (record.status, record.epoch, list(record.lines)) == ("in-progress", 2, lines)
    with pytest.raises(Fenced):
        await store.append(call_sid, [line(4)], 1)


async def test_an_epoch_is_not_given_twice_when_only_the_lines_are_left(
    store: RedisStore, call_sid: str
) -> None:
    for nonce in "abc":
        await take(store, call_sid, nonce)
    await store.append(call_sid, [line(1, epoch=3)], 3)
    await store._client.delete(f"offhook:{{{call_sid}}}:call")
    with pytest.raises(Fenced):
        await store.append(call_sid, [line(2)], 2)
    taken = await take(store, call_sid, "d")
    assert (taken.epoch, len(taken.lines)) == (4, 1)
    assert await store.append(call_sid, [line(2, epoch=4)], 4) == 2


async def test_scripts_the_server_has_forgotten_are_sent_again(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.append(call_sid, [line(1)], 1)
    await store._client.script_flush()
    assert await store.append(call_sid, [line(2)], 1) == 2


# Expiry


async def ttls_s(store: RedisStore) -> dict[str, int]:
    redis = store._client
    return {key: await redis.ttl(key) async for key in redis.scan_iter()}


async def test_no_key_is_ever_without_an_expiry(backend: "Backend", store: RedisStore) -> None:
    opened, ringing, ended, called_back = (backend.new_call() for _ in range(4))
    await store.open_call(ringing)
    await store.mark_completed(called_back, "busy")
    await store.append(backend.new_call(), [line(1)], 1)
    await store.save_checkpoint(backend.new_call(), CHECKPOINT, 1)
    await store.end_call(backend.new_call(), 1, "caller hung up")
    await store.append(backend.new_call(), [], 1)
    for call_sid in (opened, ended):
        await take(store, call_sid, "a")
        await store.append(call_sid, [line(1)], 1)
        await store.save_checkpoint(call_sid, CHECKPOINT, 1)
        await store.count_resume(call_sid)
    await store.end_call(ended, 1, "caller hung up")
    assert await store.take(ended, "b", "worker-1", 60) is None

    expiries = await ttls_s(store)
    assert 0 < expiries.pop(CALLS) <= 3600 + LONGEST_CALL_S
    assert len(expiries) == 5 * 2 + 1 + 7 + 1
    for key, ttl_s in expiries.items():
        bound_s = 60 if ":token:" in key or key.endswith(":resumes") else 3600
        assert 0 < ttl_s <= bound_s, key


async def test_every_write_renews_the_expiry_of_the_whole_call(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.append(call_sid, [line(1)], 1)
    await store.save_checkpoint(call_sid, CHECKPOINT, 1)
    names = [f"offhook:{{{call_sid}}}:{name}" for name in ("call", "lines", "checkpoint")]

    async def renewed() -> bool:
        expiries = await ttls_s(store)
        for name in names:
            await store._client.expire(name, 10)
        return all(expiries[name] > 3000 for name in names)

    assert await renewed()
    assert not await renewed()
    for write in (
        store.open_call(call_sid),
        store.append(call_sid, [line(2)], 1),
        store.save_checkpoint(call_sid, CHECKPOINT, 1),
        take(store, call_sid, "b"),
        store.end_call(call_sid, 2, "caller hung up"),
        store.mark_completed(call_sid, "completed"),
    ):
        await write
        assert await renewed()


async def test_resumes_are_counted_within_their_window(store: RedisStore, call_sid: str) -> None:
    assert [await store.count_resume(call_sid) for _ in range(3)] == [1, 2, 3]
    [ttl_s] = (await ttls_s(store)).values()
    assert 0 < ttl_s <= 60
    await store._client.expire(f"offhook:{{{call_sid}}}:resumes", 10)  # 50 s later
    assert await store.count_resume(call_sid) == 4
    [ttl_s] = (await ttls_s(store)).values()
    assert 0 < ttl_s <= 10
    await store._client.pexpire(f"offhook:{{{call_sid}}}:resumes", 0)  # the window is over
    assert await store.count_resume(call_sid) == 1
