"""What every store promises about errands, on a server in memory and on a real one."""

from typing import TYPE_CHECKING

import pytest

from agent.conversation.checkpoint import Checkpoint
from agent.store.errands import Attempt, Errand, RedisErrands
from agent.store.redis import RedisStore

if TYPE_CHECKING:
    from tests.contracts.conftest import Backend

CLAIM_MS = 60_000


@pytest.fixture
def owner(backend: "Backend") -> RedisStore:
    """The store of a worker that leaves errands, which are due at once."""
    store = backend.worker()
    store.errands = errands_of(store)
    return store


def errands_of(store: RedisStore) -> RedisErrands:
    return RedisErrands(store._client, 3600, first_due_ms=0)


async def over(store: RedisStore, call_sid: str, reason: str = "caller_hangup") -> None:
    await store.take(call_sid, f"nonce {reason}", "worker", 60)
    await store.end_call(call_sid, 1, reason)


async def test_each_errand_goes_to_one_worker(owner: RedisStore, backend: "Backend") -> None:
    calls = {backend.new_call() for _ in range(5)}
    for call_sid in calls:
        await over(owner, call_sid)
    here, there = errands_of(owner), errands_of(backend.worker())
    claimed = [*await here.claim(2, CLAIM_MS), *await there.claim(9, CLAIM_MS)]
    assert len(claimed) == 5
    assert {errand.conversation_id for errand in claimed} == calls
    assert await here.claim(9, CLAIM_MS) == []


async def test_a_claim_that_ends_gives_the_errand_to_another_worker(
    owner: RedisStore, call_sid: str
) -> None:
    await over(owner, call_sid)
    errands = errands_of(owner)
    [dead] = await errands.claim(1, 0)
    [claimed] = await errands.claim(1, CLAIM_MS)
    assert claimed.conversation_id == call_sid
    await errands.settle(Errand(call_sid, dead.claimed_until_ms - 1))
    await errands.postpone(Errand(call_sid, dead.claimed_until_ms - 1), 0)
    assert await errands.claim(1, CLAIM_MS) == []
    await errands.postpone(claimed, 0)
    [again] = await errands.claim(1, CLAIM_MS)
    await errands.settle(again)
    assert await errands.claim(1, 0) == []


async def test_attempts_at_a_step_are_counted_and_the_next_step_begins_anew(
    owner: RedisStore, call_sid: str
) -> None:
    await over(owner, call_sid)
    errands, errand = errands_of(owner), Errand(call_sid, 0)
    first, second = await errands.begin(errand), await errands.begin(errand)
    assert isinstance(first, Attempt)
    assert isinstance(second, Attempt)
    assert (first.step, first.number, second.number) == ("summary", 1, 2)
    assert first.since_ms == second.since_ms
    assert 0 <= second.age_ms < 60_000
    assert await errands.summary(call_sid) is None
    await errands.advance(errand, "webhook", '{"a":1}')
    third = await errands.begin(errand)
    assert isinstance(third, Attempt)
    assert (third.step, third.number) == ("webhook", 1)
    assert await errands.summary(call_sid) == '{"a":1}'
    await errands.advance(errand, "done")
    done = await errands.begin(errand)
    assert isinstance(done, Attempt)
    assert done.step == "done"
    assert await errands.summary(call_sid) == '{"a":1}'


async def test_a_call_that_goes_on_after_all_gets_another_summary_when_it_is_over(
    owner: RedisStore, call_sid: str
) -> None:
    await over(owner, call_sid)
    errands, errand = errands_of(owner), Errand(call_sid, 0)
    await errands.begin(errand)
    await errands.advance(errand, "done")
    await owner.reopen(call_sid, "caller_hangup")
    assert await errands.begin(errand) == "running"
    await owner.mark_completed(call_sid, "cut_off")
    again = await errands.begin(errand)
    assert isinstance(again, Attempt)
    assert (again.step, again.number) == ("summary", 1)


async def test_a_call_of_which_nothing_is_stored_is_gone(owner: RedisStore, call_sid: str) -> None:
    assert await errands_of(owner).begin(Errand(call_sid, 0)) == "gone"


async def test_without_errands_a_call_leaves_none(store: RedisStore, call_sid: str) -> None:
    await over(store, call_sid)
    assert await errands_of(store).claim(9, CLAIM_MS) == []


async def test_the_record_tells_what_the_call_has_cost(store: RedisStore, call_sid: str) -> None:
    await store.take(call_sid, "nonce", "worker", 60)
    checkpoint = Checkpoint(1, 61_500, 1_790_000_000_000, greeted=True, handle="", handle_lines=0)
    await store.save_checkpoint(call_sid, checkpoint, 1, cost=8_500_000)
    record = await store.look_up(call_sid)
    assert record is not None
    assert (record.usd, record.seconds, record.tokens) == (0.0085, 61, 0)
    await store.save_checkpoint(call_sid, checkpoint, 1)
    record = await store.look_up(call_sid)
    assert record is not None
    assert record.usd is None
