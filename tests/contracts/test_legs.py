"""The leg of a warm transfer goes on once at each stage, whoever tells so and however often."""

import asyncio
from dataclasses import replace
from random import Random

import pytest

from agent.conversation.next_step import (
    ACCEPTS,
    BRIEFS,
    JOINS,
    PLACES,
    RINGS,
    Leg,
    Move,
    NextStep,
    Stage,
    ends,
)
from agent.store.redis import RedisStore
from tests.contracts.stored import take
from tests.contracts.test_next_step import SALES, stored, wanting

SUMMARY, OURS = "Ada asks about her order.", "+14155550100"
MOVES = (
    PLACES,
    RINGS,
    BRIEFS,
    ACCEPTS,
    JOINS,
    ends("declined"),
    ends("completed", frozenset({Leg.JOINED})),
)


@pytest.fixture
async def held(store: RedisStore, call_sid: str) -> NextStep:
    """A step whose caller waits."""
    await take(store, call_sid, "a")
    await store.save_checkpoint(call_sid, wanting(SALES), 1)
    await store.claim_step(call_sid, "r1")
    step = await store.legs.hold(call_sid, SALES.n, SUMMARY, OURS)
    assert step is not None
    return step


async def test_a_caller_is_held_with_what_the_target_is_told(
    store: RedisStore, call_sid: str, held: NextStep
) -> None:
    assert (held.stage, held.leg, held.summary, held.ours) == (
        *(Stage.RUNNING, Leg.HELD),
        *(SUMMARY, OURS),
    )
    assert await store.legs.hold(call_sid, SALES.n, "another", "") == held
    assert "Ada" not in repr(held)


async def test_one_of_many_at_once_moves_a_leg(
    store: RedisStore, call_sid: str, held: NextStep
) -> None:
    moves = [store.legs.move(call_sid, held.n, PLACES) for _ in range(20)]
    assert sum(moved for _, moved in await asyncio.gather(*moves)) == 1
    settles = [store.legs.move(call_sid, held.n, ends(f"e{n}")) for n in range(20)]
    assert sum(moved for _, moved in await asyncio.gather(*settles)) == 1


async def test_a_leg_of_an_older_step_or_another_leg_moves_nothing(
    store: RedisStore, call_sid: str, held: NextStep
) -> None:
    assert await store.legs.move(call_sid, held.n - 1, PLACES) == (held, False)
    await store.legs.move(call_sid, held.n, PLACES)
    rings, moved = await store.legs.move(call_sid, held.n, RINGS, "CA1")
    assert moved
    assert rings is not None
    assert (rings.wants("CA1"), rings.wants("CA2")) == (True, False)
    assert await store.legs.move(call_sid, held.n, BRIEFS, "CA2") == (rings, False)


async def test_a_line_that_is_back_is_not_waited_for(
    store: RedisStore, call_sid: str, held: NextStep
) -> None:
    await take(store, call_sid, "b")
    back = held.line_is_back()
    assert (back.leg, back.stage) == (Leg.BACK, Stage.UNKNOWN)
    assert await stored(store, call_sid) == back
    assert await store.legs.move(call_sid, held.n, PLACES) == (back, False)


async def test_a_call_is_looked_after_once_and_not_too_early(
    store: RedisStore, call_sid: str
) -> None:
    await store.legs.watch(call_sid, 60_000)
    await store.legs.watch(call_sid, 0)  # it may not come sooner for that
    assert call_sid not in await store.legs.overdue(60_000)
    await store.legs.watch(call_sid, 0, sooner=True)
    found = [await store.legs.overdue(60_000) for _ in range(2)]
    assert [call_sid in each for each in found] == [True, False]
    await store.legs.watch(call_sid, 0, sooner=True)
    await store.legs.unwatch(call_sid)
    assert call_sid not in await store.legs.overdue(60_000)


async def test_the_store_moves_a_leg_as_the_pure_step_does(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    for seed in range(40):
        random, before = Random(seed), await stored(store, call_sid)
        asked = NextStep(1 if before is None else before.n + 1, "transfer", "sales", "agent")
        await store.save_checkpoint(call_sid, wanting(asked), 1)
        step, _ = asked.claimed("r1")
        await store.claim_step(call_sid, "r1")
        step = step.held(SUMMARY, OURS)
        await store.legs.hold(call_sid, step.n, SUMMARY, OURS)
        for _ in range(8):
            move: Move = random.choice(MOVES)
            leg_id = random.choice(["", "CA1", "CA1", "CA2"])
            step, moved = step.moved(move, leg_id)
            assert await store.legs.move(call_sid, step.n, move, leg_id) == (step, moved)


def test_what_is_kept_of_a_step_without_a_leg_is_as_it_was() -> None:
    assert "leg" not in SALES.to_json()
    held = replace(SALES, stage=Stage.RUNNING).held(SUMMARY, OURS)
    assert NextStep.from_json(held.to_json()) == held
