"""What every store promises of who holds a call: one worker at a time, and no other writes."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent.store.base import Began, Fenced, Taken
from agent.store.redis import CONNECTION, RedisStore
from tests.contracts.stored import CHECKPOINT, line, take

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend


# Taking a call


async def test_taking_hands_over_checkpoint_and_lines(store: RedisStore, call_sid: str) -> None:
    await take(store, call_sid, "a")
    lines = (line(1), line(2))
    await store.append(call_sid, lines, 1)
    await store.save_checkpoint(call_sid, CHECKPOINT, 1)
    taken = await take(store, call_sid, "b", owner="worker-2")
    assert taken == Taken(epoch=2, checkpoint=CHECKPOINT, lines=lines, listeners=0)
    record = await store.look_up(call_sid)
    assert record is not None
    assert (record.owner, record.epoch) == ("worker-2", 2)


async def test_a_record_that_names_no_agent_gets_it_with_the_hours_and_keeps_them(
    store: RedisStore, call_sid: str
) -> None:
    """The store was away when the call began: no webhook has made a record."""
    other = f"{call_sid}0"
    assert await store.take(call_sid, "a", "worker-1", 60, Began("Ada", "closed")) is not None
    await take(store, other, "a")
    await store.note_beginning(other, Began("Ada", "closed"))
    for each in (call_sid, other):
        await store.note_beginning(each, Began("Bo"))
        assert await store.take(each, "b", "worker-2", 60, Began("Bo")) is not None
        assert (await store.open_call(each, "Bo")).persona == "Ada"
        record = await store.look_up(each)
        assert record is not None
        assert (record.persona, record.hours, record.epoch) == ("Ada", "closed", 2)


async def test_a_token_is_good_once(store: RedisStore, call_sid: str) -> None:
    await take(store, call_sid, "a")
    assert await store.take(call_sid, "a", "worker-2", 60) is None
    record = await store.look_up(call_sid)
    assert record is not None
    assert (record.owner, record.epoch) == ("worker-1", 1)


async def test_of_a_thousand_that_redeem_one_token_at_once_one_is_accepted(
    backend: "Backend", call_sid: str
) -> None:
    """A worker redeems as many at once as it has connections. One that finds none free within a
    second is refused, and these are more streams in one instant than any worker gets.
    """
    owners = iter(range(1000))

    async def redeem(worker: RedisStore) -> list[Taken | None]:
        return [await worker.take(call_sid, "a", f"worker-{n}", 60) for n in owners]

    workers = [backend.worker() for _ in range(4)]
    at_once = CONNECTION["max_connections"]
    for worker in workers:  # a worker connects by and by: the race is for the token alone
        await asyncio.gather(*(worker.look_up(call_sid) for _ in range(at_once)))
    connections = [worker for worker in workers for _ in range(at_once)]
    redeemed = await asyncio.gather(*(redeem(worker) for worker in connections))
    answers = [answer for each in redeemed for answer in each]
    assert len(answers) == 1000
    accepted = [answer for answer in answers if answer is not None]
    assert [taken.epoch for taken in accepted] == [1]


async def test_no_two_owners_ever_hold_the_same_epoch(backend: "Backend", call_sid: str) -> None:
    workers = [backend.worker() for _ in range(4)]
    answers = await asyncio.gather(
        *(workers[i % 4].take(call_sid, f"nonce-{i}", f"worker-{i}", 60) for i in range(100))
    )
    assert sorted(taken.epoch for taken in answers if taken) == list(range(1, 101))


async def test_a_completed_call_cannot_be_taken(store: RedisStore, call_sid: str) -> None:
    await take(store, call_sid, "a")
    await store.end_call(call_sid, 1, "caller hung up")
    assert await store.take(call_sid, "b", "worker-2", 60) is None


async def test_an_unreadable_checkpoint_costs_the_checkpoint_and_not_the_call(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.append(call_sid, [line(1)], 1)
    await store._client.set(f"offhook:{{{call_sid}}}:checkpoint", '{"version":', ex=60)
    taken = await take(store, call_sid, "b")
    assert taken.checkpoint is None
    assert taken.lines == (line(1),)


# Fencing


async def test_a_replaced_owner_can_write_nothing(store: RedisStore, call_sid: str) -> None:
    await take(store, call_sid, "a")
    await store.append(call_sid, [line(1)], 1)
    await take(store, call_sid, "b", owner="worker-2")
    before = await store.look_up(call_sid)
    for write in (
        store.append(call_sid, [line(2)], 1),
        store.append(call_sid, [line(1)], 1),
        store.save_checkpoint(call_sid, CHECKPOINT, 1),
        store.end_call(call_sid, 1, "worker lost"),
    ):
        with pytest.raises(Fenced) as caught:
            await write
        assert caught.value.epoch == 2
    assert await store.look_up(call_sid) == before


async def test_lines_and_a_checkpoint_may_follow_the_end_of_the_call(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.mark_completed(call_sid, "completed")
    await store.append(call_sid, [line(1)], 1)
    await store.save_checkpoint(call_sid, CHECKPOINT, 1)
    record = await store.look_up(call_sid)
    assert record is not None
    assert (record.status, record.lines) == ("completed", (line(1),))


async def test_a_status_callback_does_not_overwrite_why_the_call_ended(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.end_call(call_sid, 1, "caller hung up")
    await store.mark_completed(call_sid, "completed")
    record = await store.look_up(call_sid)
    assert record is not None
    assert (record.status, record.ended_reason) == ("completed", "caller hung up")


async def test_a_status_callback_may_be_the_first_to_say_that_the_call_is_over(
    store: RedisStore, call_sid: str
) -> None:
    await store.mark_completed(call_sid, "no-answer")
    record = await store.open_call(call_sid)
    assert (record.status, record.ended_reason) == ("completed", "no-answer")
    assert await store.take(call_sid, "a", "worker-1", 60) is None


async def test_a_call_that_goes_on_after_all_can_be_taken_again(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await store.end_call(call_sid, 1, "a guess")
    await store.reopen(call_sid, "another reason")
    assert await store.take(call_sid, "b", "worker-1", 60) is None
    await store.reopen(call_sid, "a guess")
    record = await store.open_call(call_sid)
    assert (record.status, record.ended_reason, record.epoch) == ("in-progress", "", 1)
    taken = await store.take(call_sid, "c", "worker-1", 60)
    assert taken is not None
    assert taken.epoch == 2


async def test_the_first_reason_a_call_ended_for_stands(store: RedisStore, call_sid: str) -> None:
    await take(store, call_sid, "a")
    await store.mark_completed(call_sid, "too many resumes")
    await store.end_call(call_sid, 1, "caller hung up")
    record = await store.look_up(call_sid)
    assert record is not None
    assert record.ended_reason == "too many resumes"
