"""What every store promises of a call, on a server in memory and on a real one."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.store.base import Measured, StoreAway
from agent.store.redis import RedisStore
from tests.contracts.stored import CHECKPOINT, line, take

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend


# The call record


async def test_a_call_is_opened_as_ringing_and_owned_by_nobody(
    store: RedisStore, call_sid: str
) -> None:
    record = await store.open_call(call_sid)
    assert (record.status, record.ended_reason, record.epoch, record.owner) == (
        "ringing",
        "",
        0,
        "",
    )
    assert record.checkpoint is None
    assert record.lines == ()


async def test_whether_a_call_came_within_the_hours_is_stored_once(
    store: RedisStore, call_sid: str
) -> None:
    opened = await store.open_call(call_sid, "Ada", hours="closed")
    again = await store.open_call(call_sid, "Ada", hours="open")
    assert (opened.hours, again.hours) == ("closed", "closed")
    assert (await store.open_call(f"{call_sid}1")).hours == "open"


async def test_a_call_nobody_opened_is_not_found(store: RedisStore, call_sid: str) -> None:
    assert await store.look_up(call_sid) is None


async def test_opening_again_changes_nothing(store: RedisStore, call_sid: str) -> None:
    await store.open_call(call_sid)
    await take(store, call_sid, "a")
    assert (await store.open_call(call_sid)).status == "in-progress"
    await store.end_call(call_sid, 1, "caller hung up")
    record = await store.open_call(call_sid)
    assert (record.status, record.ended_reason, record.epoch, record.owner) == (
        "completed",
        "caller hung up",
        1,
        "worker-1",
    )


async def test_who_called_stands_in_the_record_and_in_nothing_that_is_printed(
    store: RedisStore, call_sid: str
) -> None:
    await store.open_call(call_sid, "Ada", "+14155550123")
    record = await store.open_call(call_sid, "Ada", "+14155550124")
    assert record.caller == "+14155550123"
    assert "+1415" not in f"{record}"


async def test_what_one_worker_stores_another_finds(backend: "Backend", call_sid: str) -> None:
    here, there = backend.worker(), backend.worker()
    await here.open_call(call_sid)
    epoch = (await take(here, call_sid, "a")).epoch
    lines = (line(1), line(2), line(3))
    await here.append(call_sid, lines, epoch)
    await here.save_checkpoint(call_sid, CHECKPOINT, epoch)

    record = await there.look_up(call_sid)
    assert record is not None
    assert (record.status, record.owner, record.epoch) == ("in-progress", "worker-1", 1)
    assert record.lines == lines
    assert record.checkpoint == CHECKPOINT


async def test_calls_do_not_mix(backend: "Backend", store: RedisStore) -> None:
    one, other = backend.new_call(), backend.new_call()
    await take(store, one, "a")
    await store.append(one, [line(1)], 1)
    assert await store.look_up(other) is None
    assert (await take(store, other, "a")).lines == ()


async def test_the_names_of_keys_and_fields_are_those_others_rely_on(store: RedisStore) -> None:
    await take(store, "CA123", "nonce")
    await store.append("CA123", [replace(line(1), text="hello", heard="hell")], 1)
    checkpoint = replace(CHECKPOINT, elapsed_ms=42_900, began_ms=30_000, tokens=700)
    measured = Measured(1, '{"turns":3}')
    await store.save_checkpoint("CA123", checkpoint, 1, cost=12_500_001, measured=measured)
    await store.count_resume("CA123")

    redis = store._client
    assert {key async for key in redis.scan_iter()} == {
        "offhook:calls",
        "offhook:{CA123}:call",
        "offhook:{CA123}:lines",
        "offhook:{CA123}:checkpoint",
        "offhook:{CA123}:token:nonce",
        "offhook:{CA123}:resumes",
    }
    assert await redis.hgetall("offhook:{CA123}:call") == {
        "status": "in-progress",
        "ended_reason": "",
        "epoch": "1",
        "owner": "worker-1",
        "usd": "0.012500001",
        "tokens": "700",
        "seconds": "12",
        "measured_1": '{"turns":3}',
    }
    [(entry_id, fields)] = await redis.xrange("offhook:{CA123}:lines") or []
    assert entry_id == "1-1"
    assert list((fields or {}).items()) == [
        ("n", "1"),
        ("role", "caller"),
        ("text", "hello"),
        ("heard", "hell"),
        ("at_ms", "1000"),
        ("epoch", "1"),
    ]


async def test_what_each_worker_has_measured_of_its_part_stands_in_the_record(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.save_checkpoint(call_sid, CHECKPOINT, 1)
    record = await store.look_up(call_sid)
    assert record is not None
    assert record.measured == {}
    await store.save_checkpoint(call_sid, CHECKPOINT, 1, measured=Measured(1, '{"turns":1}'))
    await take(store, call_sid, "b")  # a new stream, on the same worker
    await store.save_checkpoint(call_sid, CHECKPOINT, 2, measured=Measured(1, '{"turns":2}'))
    await take(store, call_sid, "c")
    await store.save_checkpoint(call_sid, CHECKPOINT, 3, measured=Measured(3, '{"turns":4}'))
    await store.save_checkpoint(call_sid, CHECKPOINT, 3)
    record = await store.look_up(call_sid)
    assert record is not None
    assert record.measured == {1: {"turns": 2}, 3: {"turns": 4}}


# Being away


async def test_a_store_that_is_away_says_so_and_works_again_when_it_is_back(
    backend: "Backend", store: RedisStore, call_sid: str
) -> None:
    await store.ping()
    await store.open_call(call_sid)
    backend.stop()
    for request in (
        store.ping(),
        store.open_call(call_sid),
        store.look_up(call_sid),
        store.take(call_sid, "a", "worker-1", 60),
        store.append(call_sid, [line(1)], 1),
        store.save_checkpoint(call_sid, CHECKPOINT, 1),
        store.end_call(call_sid, 1, "caller hung up"),
        store.mark_completed(call_sid, "completed"),
        store.count_resume(call_sid),
        store.announce_released(call_sid, 1),
        store.listeners(call_sid),
    ):
        with pytest.raises(StoreAway) as caught:
            await request
        assert caught.value.why == "unreachable"
    backend.start()
    await store.ping()
    assert (await take(store, call_sid, "a")).epoch == 1
    assert await store.append(call_sid, [line(1)], 1) == 1


async def test_a_store_can_be_made_while_its_server_is_away(
    backend: "Backend", call_sid: str
) -> None:
    backend.stop()
    store = backend.worker()
    with pytest.raises(StoreAway):
        await store.ping()
    backend.start()
    assert (await store.open_call(call_sid)).status == "ringing"
