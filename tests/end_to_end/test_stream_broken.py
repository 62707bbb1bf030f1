"""Twilio's stream breaks and comes back to the same worker; a call that is over does not."""

import asyncio
import struct
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis
from websockets.frames import Frame, Opcode

from agent.persona.agents import Says
from agent.simulator.server import SimulatedGemini
from telephony.call.commands import EndCall
from telephony.call.ending import EndedReason
from telephony.call.events import CallStatus, StreamEnded, StreamStarted
from telephony.server.answering import MAX_RESUMES
from telephony.simulator import call_flow, wire
from telephony.simulator.faults import CallFaults
from telephony.simulator.script import Cut
from telephony.twilio import urls
from telephony.twilio.messages import Stop
from tests.end_to_end import twilio
from tests.end_to_end.scripts import CONVERSATION, HANG_UP, caller, cut_off
from tests.end_to_end.serving import ACCOUNT_SID, LocalWorker, place, serving
from tests.end_to_end.watching import Step, Watch, observer

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
    assert report.announced == (Says().apology,)
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
        path = urls.STATUS_PATH
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
    for path in (urls.VOICE_PATH, urls.RESUME_PATH):
        answer = await twilio.post(worker.url, path, form, twilio.signed(path, form))
        assert "<Hangup" in answer.text
        assert "<Connect" not in answer.text


NO_SUCH_CODE = 999
"""No peer may send it: the frame that holds it cannot be read."""


async def closed_with(worker: LocalWorker, steps: Watch[Step], code: int, *, stop: bool) -> Step:
    """A stream is closed with a code, in one segment with a `stop` or not; returns the step in
    which the server notices, or the one of the `stop`.
    """
    call_sid = twilio.new_call_sid()
    token = await twilio.ring(worker.url, call_sid)
    async with twilio.open_stream(worker.url) as socket:
        stream_sid = await twilio.start(socket, call_sid, {"token": token})
        await steps.until(lambda s: isinstance(s.event, StreamStarted) and s.call_sid == call_sid)
        frames = [Frame(Opcode.CLOSE, struct.pack("!H", code) if code else b"")]
        if stop:
            last = wire.stop(2, stream_sid, call_sid, ACCOUNT_SID)
            frames.insert(0, Frame(Opcode.TEXT, last.encode()))
        socket.transport.write(b"".join(frame.serialize(mask=True) for frame in frames))
        kind = Stop if stop else StreamEnded
        step = await steps.until(lambda s: isinstance(s.event, kind) and s.call_sid == call_sid)
        form = twilio.form_of(call_sid, "completed")
        headers = twilio.signed(urls.STATUS_PATH, form)
        await twilio.post(worker.url, urls.STATUS_PATH, form, headers)
    return step


async def reason_of(worker: LocalWorker, step: Step) -> str | None:
    """Why the call of a step has ended, once that is known."""
    await worker.server.worker.calls.drain(0)
    return worker.server.worker.calls.ended_reason(step.call_sid)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1000, EndedReason.CALLER_HANGUP),
        (0, EndedReason.CALLER_HANGUP),  # none, as at the end of a normal call
        *((code, EndedReason.CUT_OFF) for code in (1001, 1011, 1012, 4000, NO_SUCH_CODE)),
    ],
)
async def test_only_a_close_with_1000_means_that_the_caller_hung_up(
    worker: LocalWorker, steps: Watch[Step], code: int, reason: EndedReason
) -> None:
    step = await closed_with(worker, steps, code, stop=False)
    assert await reason_of(worker, step) is reason


@pytest.mark.parametrize("code", [NO_SUCH_CODE, 1001])
async def test_a_stop_in_one_segment_with_a_bad_close_counts(
    worker: LocalWorker, steps: Watch[Step], code: int
) -> None:
    step = await closed_with(worker, steps, code, stop=True)
    assert await reason_of(worker, step) is EndedReason.CALLER_HANGUP


async def stopped(url: str, call_sid: str, token: str) -> None:
    """A stream that Twilio stops in good order."""
    async with twilio.open_stream(url) as socket:
        stream_sid = await twilio.start(socket, call_sid, {"token": token})
        await socket.send(wire.stop(2, stream_sid, call_sid, ACCOUNT_SID))
        await socket.wait_closed()


async def told_that_it_goes_on(steps: Watch[Step], call_sid: str) -> None:
    """Wait until a call knows it."""
    told = CallStatus("in-progress")
    await steps.until(lambda step: (step.call_sid, step.event) == (call_sid, told))


async def asks(url: str, path: str, call_sid: str, status: str) -> str:
    """One of Twilio's webhooks; returns the document."""
    form = twilio.form_of(call_sid, status)
    return (await twilio.post(url, path, form, twilio.signed(path, form))).text


async def test_a_resume_tells_the_call_that_waits_after_a_stop_that_it_goes_on(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    steps: Watch[Step] = Watch()
    async with (
        serving(gemini, observer(steps), redis_url=redis_server.url) as holder,
        serving(gemini, redis_url=redis_server.url) as other,
    ):
        for asked in (holder, other):
            call_sid = twilio.new_call_sid()
            await stopped(holder.url, call_sid, await twilio.ring(holder.url, call_sid))
            document = await asks(asked.url, urls.RESUME_PATH, call_sid, "in-progress")
            assert twilio.token_in(document)
            await told_that_it_goes_on(steps, call_sid)


@pytest.mark.parametrize("path", [urls.RESUME_PATH, urls.VOICE_PATH])
async def test_a_call_that_was_elsewhere_for_longer_than_the_grace_goes_on(
    worker: LocalWorker, steps: Watch[Step], path: str
) -> None:
    call_sid = twilio.new_call_sid()
    store = worker.server.worker.store
    await stopped(worker.url, call_sid, await twilio.ring(worker.url, call_sid))
    await steps.until(lambda s: any(isinstance(c, EndCall) for c in s.commands))
    while (await store.open_call(call_sid)).status != "completed":  # noqa: ASYNC110 - untold
        await asyncio.sleep(0.01)
    over = await asks(worker.url, path, call_sid, "completed")
    assert "<Hangup" in over
    token = twilio.token_in(await asks(worker.url, path, call_sid, "in-progress"))
    async with twilio.open_stream(worker.url) as socket:
        await twilio.start(socket, call_sid, {"token": token})
        await steps.until(lambda s: isinstance(s.event, StreamStarted) and s.event.epoch == 2)
        record = await store.open_call(call_sid)
        assert (record.status, record.ended_reason) == ("in-progress", "")
        await asks(worker.url, urls.STATUS_PATH, call_sid, "completed")
        await socket.wait_closed()
