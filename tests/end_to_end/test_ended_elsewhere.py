"""A call ends while no worker holds it: its record says why, and never that a caller was put
through who talked with nobody.
"""

from dataclasses import replace

import pytest

from agent.conversation.next_step import (
    ACCEPTS,
    BRIEFS,
    JOINS,
    PLACES,
    RINGS,
    Kind,
    Move,
    NextStep,
    Stage,
    ends,
)
from agent.simulator.server import SimulatedGemini
from agent.store.redis import RedisStore
from telephony.server.on_hold import ACCEPTED
from telephony.twilio.conference import STEP_QUERY
from telephony.twilio.urls import DIALLED_PATH, RESUME_PATH, STATUS_PATH, TRANSFERRED_PATH
from tests.contracts.stored import CHECKPOINT
from tests.end_to_end.serving import LocalWorker, serving
from tests.end_to_end.twilio import form_of, new_call_sid, post, signed

RINGING = (PLACES, RINGS)
TAKEN = (*RINGING, BRIEFS, ACCEPTS)


async def away(worker: LocalWorker, kind: Kind, moves: tuple[Move, ...] | None) -> str:
    """A call whose line somebody else has, and whose leg, if any, has moved so; its CallSid."""
    store, call_sid = worker.server.worker.store, new_call_sid()
    step = NextStep(1, kind, "12#" if kind == "digits" else "sales", "agent")
    await store.take(call_sid, "nonce", "worker", 60)
    kept = replace(CHECKPOINT, epoch=1, next_step=step.to_json())
    await store.save_checkpoint(call_sid, kept, 1)
    await store.claim_step(call_sid, "r1")
    if moves is not None:
        assert isinstance(store, RedisStore)
        await store.legs.hold(call_sid, 1, "Ada calls.", "+14155550199")
        for move in moves:
            await store.legs.move(call_sid, 1, move)
    return call_sid


async def ended(worker: LocalWorker, path: str, form: dict[str, str]) -> str:
    answer = await post(worker.url, path, form, signed(path, form))
    assert answer.status_code in {200, 204}
    record = await worker.server.worker.store.look_up(form["CallSid"])
    assert record is not None
    assert record.status == "completed"
    return record.ended_reason


@pytest.mark.parametrize(
    ("kind", "moves", "why"),
    [
        ("digits", None, "caller_hangup"),
        ("transfer", None, "caller_hangup"),  # it rings
        ("transfer", (), "caller_hangup"),
        ("transfer", RINGING, "caller_hangup"),
        ("transfer", (*RINGING, BRIEFS), "caller_hangup"),
        ("transfer", (*RINGING, ends("busy")), "caller_hangup"),
        ("transfer", TAKEN, "transferred"),
        ("transfer", (*TAKEN, JOINS), "transferred"),
        ("transfer", (*TAKEN, ends("completed", ACCEPTED)), "transferred"),
        ("transfer", (*TAKEN, ends("failed", ACCEPTED)), "caller_hangup"),
    ],
)
async def test_a_caller_who_hung_up_was_transferred_only_if_somebody_may_have_talked_with_them(
    gemini: SimulatedGemini, kind: Kind, moves: tuple[Move, ...] | None, why: str
) -> None:
    async with serving(gemini) as worker:
        call_sid = await away(worker, kind, moves)
        assert await ended(worker, STATUS_PATH, form_of(call_sid, "completed")) == why


@pytest.mark.parametrize(
    ("status", "why"), [("completed", "transferred"), ("no-answer", "caller_hangup")]
)
async def test_how_a_dial_ended_with_its_call_tells_whether_they_talked(
    gemini: SimulatedGemini, status: str, why: str
) -> None:
    async with serving(gemini) as worker:
        call_sid = await away(worker, "transfer", None)
        form = form_of(call_sid, "completed") | {"DialCallStatus": status}
        assert await ended(worker, TRANSFERRED_PATH, form) == why


@pytest.mark.parametrize(
    ("said", "kind", "n", "why"),
    [
        ({"CallStatus": "in-progress"}, "transfer", 1, "transferred"),
        ({"CallStatus": "completed", "CallDuration": "5"}, "transfer", 1, "transferred"),
        ({"CallStatus": "canceled", "CallDuration": "0"}, "transfer", 1, "caller_hangup"),
        ({"CallStatus": "no-answer"}, "transfer", 1, "caller_hangup"),
        ({"CallStatus": "completed", "CallDuration": "5"}, "transfer", 0, "caller_hangup"),
        ({"CallStatus": "completed", "CallDuration": "5"}, "digits", 1, "caller_hangup"),
    ],
)
@pytest.mark.parametrize("late", [False, True])
async def test_what_twilio_tells_of_the_leg_says_whether_a_caller_was_transferred(
    gemini: SimulatedGemini, said: dict[str, str], kind: Kind, n: int, why: str, *, late: bool
) -> None:
    async with serving(gemini) as worker:
        call_sid = await away(worker, kind, None)
        leg = form_of(new_call_sid(), "in-progress") | {"ParentCallSid": call_sid} | said

        async def told() -> None:
            path = f"{DIALLED_PATH}?{STEP_QUERY}={call_sid}.{n}"
            answer = await post(worker.url, path, leg, signed(path, leg))
            assert answer.status_code == 204

        if not late:
            await told()
        over = form_of(call_sid, "completed")
        await post(worker.url, STATUS_PATH, over, signed(STATUS_PATH, over))
        if late:
            await told()
        record = await worker.server.worker.store.look_up(call_sid)
    assert record is not None
    assert (record.status, record.ended_reason) == ("completed", why)


async def test_keys_that_nobody_knows_any_more_have_failed(gemini: SimulatedGemini) -> None:
    async with serving(gemini) as worker:
        store, call_sid = worker.server.worker.store, new_call_sid()
        step = NextStep(1, "digits", "[card number]", "agent")
        await store.take(call_sid, "nonce", "worker", 60)
        kept = replace(CHECKPOINT, epoch=1, next_step=step.to_json())
        await store.save_checkpoint(call_sid, kept, 1)
        form = form_of(call_sid, "in-progress")
        await post(worker.url, RESUME_PATH, form, signed(RESUME_PATH, form))
        record = await store.look_up(call_sid)
    assert record is not None
    assert record.next_step is not None
    assert (record.next_step.stage, record.next_step.outcome) == (Stage.DONE, "failed")
