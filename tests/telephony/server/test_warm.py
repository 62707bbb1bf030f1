"""However a warm transfer ends and wherever a worker dies: nobody rings on, and nobody waits on."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from agent.conversation.next_step import NextStep, Stage
from agent.store.redis import RedisStore
from telephony.server.personas import Personas
from telephony.server.placing import Placement
from telephony.server.warm import WarmTransfers
from tests.contracts.stored import CHECKPOINT
from tests.telephony.server.warm_endings import ENDINGS, legs_up, line, outlived_ms, row

MOST_OUTLIVED_MS = 1_000
"""How long a telephone may ring on, or a target be told of a caller, after the caller has gone."""

DOC = Path(__file__).parents[3] / "docs" / "transfers.md"


@pytest.mark.parametrize("name", ENDINGS)
async def test_each_ending_leaves_nobody_behind_and_no_act_is_done_twice(name: str) -> None:
    ending, found = ENDINGS[name], await row(name)
    for paper in (found.plain, found.dirty):
        assert (paper.caller, paper.step.outcome) == (ending.caller, ending.outcome)
        assert paper.acts.count("place") == 1
        assert paper.acts.count("redirect") == (ending.caller == "agent")
        assert outlived_ms(paper) <= MOST_OUTLIVED_MS
        assert paper.watched == {}
    for paper in found.all:
        told = f"killed before operation {paper.kill_at}: {paper.step} {paper.acts}"
        assert paper.caller in {"agent", "over"}, told
        assert legs_up(paper) == 0, told
        assert paper.acts.count("place") <= 1, told
        assert paper.acts.count("redirect") <= 1, told
    assert line(name, found) in DOC.read_text(encoding="utf-8"), "python -m …warm_endings prints it"


async def test_where_nobody_can_be_called_the_caller_stays_with_the_agent() -> None:
    store = RedisStore.in_memory()
    asked = NextStep(1, "transfer", "sales", "agent")
    await store.take("CA0", "nonce", "worker", 60)
    kept = replace(CHECKPOINT, epoch=1, next_step=asked.to_json())
    await store.save_checkpoint("CA0", kept, 1)
    step, _ = await store.claim_step("CA0", "r1")
    record = await store.look_up("CA0")
    assert step is not None
    assert record is not None
    without = WarmTransfers(
        "https://voice.example.com",
        store,
        store.legs,
        cast("Personas", None),
        rest=None,
        place=cast("Callable[[Placement], Awaitable[str]]", None),
    )
    await without.watch("CA0")
    assert await without.hold("CA0", record, step, "+14155550199") is None
    settled, _ = await store.claim_step("CA0", "r2")
    assert settled is not None
    assert (settled.stage, settled.outcome) == (Stage.DONE, "failed")
    assert await store.legs.overdue(0) == ()
    await store.aclose()
