"""Twilio's stream breaks and comes back to the same worker; a call that is over does not."""

import asyncio
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.simulator.server import SimulatedGemini
from telephony.server.webhooks import APOLOGY, MAX_RESUMES
from telephony.simulator import call_flow
from telephony.simulator.faults import CallFaults
from telephony.simulator.script import Cut
from telephony.twilio import twiml
from tests.end_to_end import twilio
from tests.end_to_end.scripts import CONVERSATION, HANG_UP, caller, cut_off
from tests.end_to_end.serving import LocalWorker, place, serving

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

SOON_BACK = CallFaults(reconnect_ms=(50, 150))
"""Sooner than Twilio, since real time is dear."""


async def test_a_stream_that_breaks_in_whatever_way_is_resumed_with_the_same_session(
    worker: LocalWorker, gemini: SimulatedGemini
) -> None:
    async with asyncio.TaskGroup() as tasks:
        calls = {
            how: tasks.create_task(place(cut_off(how), worker.url, faults=SOON_BACK)) for how in Cut
        }
    reports = {how: each.result() for how, each in calls.items()}
    records = {
        how: await worker.server.worker.store.look_up(each.call_sid)
        for how, each in reports.items()
    }
    assert {how: each.streams for how, each in reports.items()} == dict.fromkeys(Cut, 2)
    assert {how: each.problems for how, each in reports.items()} == dict.fromkeys(Cut, ())
    assert [session.handle for session in gemini.server.sessions] == [""] * len(Cut)
    for record in records.values():
        assert record is not None
        assert [(line.role, line.text) for line in record.lines] == CONVERSATION
        assert [(line.role, line.heard) for line in record.lines] == CONVERSATION
        assert (record.epoch, record.status) == (2, "completed")


async def test_a_stream_that_breaks_too_often_ends_the_call_with_an_apology(
    worker: LocalWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_flow, "SAY_MS_PER_CHARACTER", 0)  # our time is dear
    cuts = ['barge_in_ms = 100\ncut = "reset"'] + ['after_ms = 300\ncut = "reset"'] * MAX_RESUMES
    faults = CallFaults(reconnect_ms=(0, 0))
    report = await place(caller(*cuts, HANG_UP), worker.url, faults=faults)
    record = await worker.server.worker.store.look_up(report.call_sid)
    assert report.streams == MAX_RESUMES + 1
    assert report.announced == (APOLOGY,)
    assert report.ended_by == "agent"
    assert record is not None
    assert (record.status, record.ended_reason) == ("completed", "too_many_resumes")


async def test_a_call_that_is_over_is_hung_up_and_never_dialled_again(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    call_sid = twilio.new_call_sid()
    async with serving(gemini, redis_url=redis_server.url) as worker:
        await twilio.ring(worker.url, call_sid)
        form = twilio.form_of(call_sid, "completed")
        path = twiml.STATUS_PATH
        assert (
            await twilio.post(worker.url, path, form, twilio.signed(path, form))
        ).status_code == 204
        await hung_up(worker, call_sid)
    dialled = len(gemini.server.sessions)
    async with serving(gemini, redis_url=redis_server.url) as another:  # knows it from Redis alone
        await hung_up(another, call_sid)
    assert len(gemini.server.sessions) == dialled <= 1


async def hung_up(worker: LocalWorker, call_sid: str) -> None:
    """Ask both webhooks about a call that is over."""
    form = twilio.form_of(call_sid)
    for path in (twiml.VOICE_PATH, twiml.RESUME_PATH):
        answer = await twilio.post(worker.url, path, form, twilio.signed(path, form))
        assert "<Hangup" in answer.text
        assert "<Connect" not in answer.text
