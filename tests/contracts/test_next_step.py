"""What is to happen with the line of a call next is stored once, and carried out once or never."""

import asyncio
from dataclasses import replace
from random import Random
from typing import Any, cast

import pytest

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.next_step import Asked, NextStep, Stage
from agent.store.base import Fenced
from agent.store.redis import RedisStore
from tests.contracts.stored import CHECKPOINT, take

SALES = NextStep(3, "transfer", "sales", "agent")


def wanting(step: NextStep | None, epoch: int = 1) -> Checkpoint:
    return replace(CHECKPOINT, epoch=epoch, next_step="" if step is None else step.to_json())


async def stored(store: RedisStore, call_sid: str) -> NextStep | None:
    record = await store.look_up(call_sid)
    assert record is not None
    return record.next_step


@pytest.fixture
async def intended(store: RedisStore, call_sid: str) -> NextStep:
    """A step that is stored, and was not begun."""
    await take(store, call_sid, "a")
    await store.save_checkpoint(call_sid, wanting(SALES), 1)
    return SALES


async def test_a_step_is_stored_with_its_checkpoint(
    store: RedisStore, call_sid: str, intended: NextStep
) -> None:
    record = await store.look_up(call_sid)
    assert record is not None
    assert record.checkpoint is not None
    assert record.next_step == intended
    assert NextStep.from_json(record.checkpoint.next_step) == intended


async def test_one_of_many_requests_at_once_carries_it_out(
    store: RedisStore, call_sid: str, intended: NextStep
) -> None:
    claims = [store.claim_step(call_sid, f"request-{n}") for n in range(20)]
    assert sum(mine for _, mine in await asyncio.gather(*claims)) == 1


async def test_a_repeated_request_gets_the_same_answer_and_another_one_does_not(
    store: RedisStore, call_sid: str, intended: NextStep
) -> None:
    begun = replace(intended, stage=Stage.RUNNING, claim="r1")
    assert await store.claim_step(call_sid, "r1") == (begun, True)
    assert await store.claim_step(call_sid, "r1") == (begun, True)
    lost = replace(begun, stage=Stage.UNKNOWN)
    assert await store.claim_step(call_sid, "r2") == (lost, False)
    assert await store.claim_step(call_sid, "r1") == (lost, False)
    assert await store.settle_step(call_sid, "busy") == replace(
        lost, stage=Stage.DONE, outcome="busy"
    )


async def test_what_a_worker_writes_late_does_not_begin_a_step_again(
    store: RedisStore, call_sid: str, intended: NextStep
) -> None:
    await store.claim_step(call_sid, "r1")
    await store.settle_step(call_sid, "busy")
    await store.save_checkpoint(call_sid, wanting(SALES), 1)
    await store.save_checkpoint(call_sid, wanting(None), 1)
    done = await stored(store, call_sid)
    assert done is not None
    assert (done.stage, done.outcome) == (Stage.DONE, "busy")


async def test_a_conversation_that_goes_on_withdraws_its_step(
    store: RedisStore, call_sid: str, intended: NextStep
) -> None:
    await store.save_checkpoint(call_sid, wanting(None), 1)
    gone = replace(intended, stage=Stage.WITHDRAWN)
    assert await stored(store, call_sid) == gone
    assert await store.claim_step(call_sid, "r1") == (gone, False)


async def test_a_worker_that_has_lost_the_call_asks_for_nothing(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    await take(store, call_sid, "b")
    with pytest.raises(Fenced):
        await store.save_checkpoint(call_sid, wanting(SALES), 1)
    assert await stored(store, call_sid) is None


async def test_while_a_worker_has_the_call_nobody_else_has_its_line(
    store: RedisStore, call_sid: str, intended: NextStep
) -> None:
    begun, _ = await store.claim_step(call_sid, "r1")
    assert begun is not None
    taken = await take(store, call_sid, "b")
    record = await store.look_up(call_sid)
    assert record is not None
    assert (record.next_step, record.is_away) == (begun.line_is_back(), False)
    assert taken.checkpoint is not None
    assert NextStep.from_json(taken.checkpoint.next_step) == record.next_step
    settled = await store.settle_step(call_sid, "busy")
    assert settled is not None
    assert settled.stage is Stage.DONE


async def test_the_server_asks_once_for_a_call_that_the_agent_can_not_go_on_with(
    store: RedisStore, call_sid: str, intended: NextStep
) -> None:
    asked = Asked("transfer", "")
    step, mine = await store.claim_step(call_sid, "r1", asked)
    assert (step, mine) == (NextStep(4, "transfer", "", "server", Stage.RUNNING, "r1"), True)
    assert (await store.claim_step(call_sid, "r1", asked))[1]
    assert not (await store.claim_step(call_sid, "r2", asked))[1]
    await store.save_checkpoint(call_sid, wanting(SALES), 1)  # what was still to be written
    step = await stored(store, call_sid)
    assert step is not None
    assert (step.by, step.stage) == ("server", Stage.UNKNOWN)


async def test_a_caller_asks_once_before_the_conversation_which_may_ask_anew(
    store: RedisStore, call_sid: str
) -> None:
    asked = Asked("transfer", "sales", "caller")
    step, mine = await store.claim_step(call_sid, "r1", asked)
    assert (step, mine) == (NextStep(0, "transfer", "sales", "caller", Stage.RUNNING, "r1"), True)
    assert (await store.claim_step(call_sid, "r1", asked))[1]
    assert not (await store.claim_step(call_sid, "r2", asked))[1]
    assert not (await store.claim_step(call_sid, "r1", asked))[1]
    await take(store, call_sid, "a")
    first = replace(SALES, n=1)
    await store.save_checkpoint(call_sid, wanting(first), 1)
    late, mine = await store.claim_step(call_sid, "r1", asked)
    assert (late, mine) == (first, False)
    assert await store.claim_step(call_sid, "r3") == (first.claimed("r3")[0], True)


async def test_the_store_follows_the_rules_of_the_pure_step(
    store: RedisStore, call_sid: str
) -> None:
    await take(store, call_sid, "a")
    for seed in range(30):
        random, step = Random(seed), await stored(store, call_sid)
        asked = NextStep(
            1 if step is None else step.n + 1,
            *("digits", "4111#", "agent"),
            kept=random.choice(["", "[masked]"]),
        )
        await store.save_checkpoint(call_sid, wanting(asked), 1)
        step = asked
        for _ in range(4):
            match random.choice(["claim", "settle", "withdraw", "repeat"]):
                case "claim":
                    request = random.choice(["", "r1", "r2"])
                    step, mine = step.claimed(request)
                    assert await store.claim_step(call_sid, request) == (step, mine)
                case "settle":
                    step = step.settled("busy")
                    assert await store.settle_step(call_sid, "busy") == step
                case "withdraw":
                    step = step.withdrawn()
                    await store.save_checkpoint(call_sid, wanting(None), 1)
                case _:
                    await store.save_checkpoint(call_sid, wanting(asked), 1)
        assert await stored(store, call_sid) == step


@pytest.mark.parametrize("how", ["settled", "taken back", "withdrawn", "completed", "ended"])
async def test_of_keys_only_what_may_be_kept_is_stored_once_the_step_is_over(
    store: RedisStore, call_sid: str, how: str
) -> None:
    await take(store, call_sid, "a")
    keys = NextStep(1, "digits", "4111#", "agent", kept="[masked]")
    await store.save_checkpoint(call_sid, wanting(keys), 1)
    assert await stored(store, call_sid) == keys
    if how != "withdrawn":
        await store.claim_step(call_sid, "r1")
    match how:
        case "settled":
            await store.settle_step(call_sid, "completed")
        case "taken back":
            await take(store, call_sid, "b")
        case "withdrawn":
            await store.save_checkpoint(call_sid, wanting(None), 1)
        case "completed":
            await store.mark_completed(call_sid, "caller_hangup")
        case _:
            await store.end_call(call_sid, 1, "caller_hangup")
    step, client = await stored(store, call_sid), cast("Any", store)._client
    assert step is not None
    assert (step.to, step.kept) == ("[masked]", "")
    record = await client.hgetall(f"offhook:{{{call_sid}}}:call")
    assert "4111" not in f"{record} {await client.get(f'offhook:{{{call_sid}}}:checkpoint')}"
