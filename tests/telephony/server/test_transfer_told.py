"""What the owner of a call that is over is told of a transfer in it."""

from dataclasses import replace

import pytest

from agent.conversation.built_in_tools import Target, puts_through
from agent.conversation.tool_call import State
from agent.conversation.tools import Ledger
from tests.contracts.stored import CHECKPOINT
from tests.telephony.server.test_errands import CALL, Case, Receiver


@pytest.mark.parametrize(
    ("begun", "outcome", "told"),
    [
        (True, "completed", ("done", "ok", "completed")),
        (True, "answered", ("done", "ok", "answered")),
        (True, "busy", ("failed", "error", "busy")),
        (True, "", ("unknown", "unknown", None)),
        (False, "", ("cancelled", "cancelled", None)),
    ],
)
async def test_a_transfer_is_told_as_it_ended_and_not_as_if_the_caller_were_back(
    outcome: str, told: tuple[str, str, str | None], *, begun: bool
) -> None:
    receiver = Receiver(204)
    case, ledger = Case(None, receiver), Ledger()
    call = ledger.begin(puts_through((Target("sales", "One moment."),)), '{"to":"sales"}', 0)
    call.state = State.RUNNING
    await case.store.take(CALL, "nonce", "worker", 60)
    await case.store.save_checkpoint(CALL, ledger.kept_in(replace(CHECKPOINT, epoch=1)), 1)
    if begun:
        await case.store.claim_step(CALL, "r1")
    if outcome:
        await case.store.settle_step(CALL, outcome)
    await case.store.mark_completed(CALL, "transferred")
    await case.do(2)
    [(_, body)] = receiver.posts
    [tool] = body["tools"]
    assert (tool["state"], tool["result"]["status"], tool["result"]["data"]) == told
    assert tool["result"]["hint"] == ""
