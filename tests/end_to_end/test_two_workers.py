"""A call whose webhooks and streams land on different workers; workers in trouble of their own."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.simulator.faults import RefuseConnect
from agent.simulator.server import SimulatedGemini
from agent.store.leases import RedisLeases
from telephony.call.commands import Command, EndCall
from telephony.call.ending import EndedReason
from telephony.call.events import CallStatus, Event, OwnershipLost, StreamStarted
from telephony.call.machine import Call
from telephony.server.media_socket import TRY_AGAIN_LATER
from telephony.server.reaper import CLAIM_MS, LEASE_MS
from telephony.simulator.faults import CallFaults
from telephony.simulator.script import Cut
from telephony.twilio import urls
from tests.end_to_end import twilio
from tests.end_to_end.scripts import (
    CONVERSATION,
    CUT_ANSWER,
    HANG_UP,
    SAY_MORGAN,
    caller,
    cut_off,
    moved,
)
from tests.end_to_end.serving import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    PUBLIC_URL,
    LocalWorker,
    get,
    offhook,
    place,
    serving,
    worker_process,
)
from tests.end_to_end.watching import PATIENCE_S, Step, Watch, observer

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

SOON_BACK = CallFaults(reconnect_ms=(50, 150))
"""Sooner than Twilio, since real time is dear."""


async def test_a_call_goes_on_wherever_its_webhooks_and_streams_land(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    """Webhooks at one worker, streams at the other, as a balancer may have it."""
    url = redis_server.url
    async with serving(gemini, redis_url=url) as one, serving(gemini, redis_url=url) as two:
        report = await place(
            cut_off(Cut.RESET),
            one.url,
            two.url,
            route=lambda path: int(path == urls.MEDIA_PATH),
            faults=SOON_BACK,
        )
        record = await one.server.worker.store.look_up(report.call_sid)
    assert (report.streams, report.problems, report.ended_by) == (2, (), "caller")
    assert record is not None
    assert [(line.role, line.text) for line in record.lines] == CONVERSATION
    assert (record.epoch, record.status) == (2, "completed")


async def test_a_call_whose_stream_comes_back_elsewhere_is_taken_over_from_a_living_worker(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    url = redis_server.url
    ended: list[str] = []

    def watch(call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
        ended.extend(c.reason for c in commands if isinstance(c, EndCall))

    streams = iter([0, 1])
    async with serving(gemini, watch, redis_url=url) as one, serving(gemini, redis_url=url) as two:
        report = await place(
            moved(Cut.RESET),
            one.url,
            two.url,
            route=lambda path: next(streams) if path == urls.MEDIA_PATH else 0,
            faults=SOON_BACK,
        )
        record = await one.server.worker.store.look_up(report.call_sid)
        async with asyncio.timeout(PATIENCE_S):  # nobody watches a call that is over
            while await one.server.worker.store.listeners(report.call_sid):  # noqa: ASYNC110 - untold
                await asyncio.sleep(0.01)
    assert (report.streams, report.problems) == (2, ())
    assert ended == ["taken_over"]
    assert record is not None
    assert [line.n for line in record.lines] == list(range(1, len(record.lines) + 1))
    assert record.lines[0].text == CONVERSATION[0][1]
    assert sum(line.text == CONVERSATION[0][1] for line in record.lines) == 1  # one greeting
    assert [(line.role, line.text) for line in record.lines][-2:] == CONVERSATION[-2:]
    # It had a handle: the old session was closed before the new one resumed from it.
    assert gemini.server.sessions[-1].handle != ""


async def test_a_worker_that_never_hears_that_its_call_was_taken_is_refused_what_it_writes(
    gemini: SimulatedGemini,
    redis: Redis,
    redis_server: "RedisServer",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one that was stopped: only the store can tell it."""
    url = redis_server.url
    steps: Watch[Step] = Watch()
    heard = RedisLeases._received
    deaf: list[RedisLeases] = []

    def hear(leases: RedisLeases, kind: str, channel: str, message: str | int) -> None:
        if leases not in deaf or not str(message).startswith("taken"):
            heard(leases, kind, channel, message)

    monkeypatch.setattr(RedisLeases, "_received", hear)
    streams = iter([0, 1])
    async with (
        serving(gemini, observer(steps), redis_url=url) as one,
        serving(gemini, redis_url=url) as two,
    ):
        leases = one.server.worker.calls._ownership._leases
        assert isinstance(leases, RedisLeases)
        deaf.append(leases)
        report = await place(
            caller(SAY_MORGAN, CUT_ANSWER.format(Cut.RESET), "after_ms = 4000\nhang_up = true"),
            one.url,
            two.url,
            route=lambda path: next(streams) if path == urls.MEDIA_PATH else 0,
            faults=SOON_BACK,
        )
        await steps.until(lambda step: isinstance(step.event, OwnershipLost))
        record = await two.server.worker.store.look_up(report.call_sid)
    assert (report.streams, report.problems) == (2, ())
    last = steps.seen[-1].commands[-1]
    assert isinstance(last, EndCall)
    assert (last.reason, last.final) == (EndedReason.TAKEN_OVER, False)
    assert record is not None
    assert record.epoch == 2
    assert [line.n for line in record.lines] == list(range(1, len(record.lines) + 1))
    epochs = [line.epoch for line in record.lines]
    assert epochs == sorted(epochs)


async def test_two_streams_of_one_call_at_once_leave_one_of_them(
    worker: LocalWorker, steps: Watch[Step]
) -> None:
    call_sid = twilio.new_call_sid()
    token = await twilio.ring(worker.url, call_sid)
    form = twilio.form_of(call_sid, "in-progress")
    path = urls.RESUME_PATH
    answer = await twilio.post(worker.url, path, form, twilio.signed(path, form))
    other = twilio.token_in(answer.text)
    async with twilio.open_stream(worker.url) as a, twilio.open_stream(worker.url) as b:
        await asyncio.gather(
            twilio.start(a, call_sid, {"token": token}),
            twilio.start(b, call_sid, {"token": other}),
        )
        await steps.until(lambda step: isinstance(step.event, StreamStarted), times=2)
        driver = worker.server.worker.calls.get(call_sid)
        assert driver is not None
        assert driver.owned.epoch == 2


async def test_a_call_that_is_on_its_way_back_is_no_orphan_any_more(
    gemini: SimulatedGemini,
) -> None:
    """A reaper that has claimed it asks once more before it redirects."""
    async with serving(gemini, account_sid=ACCOUNT_SID) as worker:
        store, call_sid = worker.server.worker.store, twilio.new_call_sid()
        await store.open_call(call_sid)
        await store.held.hold([call_sid], [], lease_ms=0, claim_ms=None)
        [orphan] = await store.held.hold([], [], lease_ms=LEASE_MS, claim_ms=CLAIM_MS)
        assert await store.held.is_orphan(orphan)
        path, form = urls.RESUME_PATH, twilio.form_of(call_sid, "in-progress")
        answer = await twilio.post(worker.url, path, form, twilio.signed(path, form))
        assert "<Stream" in answer.text
        assert not await store.held.is_orphan(orphan)


async def test_a_bug_ends_the_one_call_it_is_in_and_leaves_no_session_open(
    worker: LocalWorker, gemini: SimulatedGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Call.step
    victim = twilio.new_call_sid()
    await twilio.ring(worker.url, victim)
    bystander = twilio.new_call_sid()
    await twilio.ring(worker.url, bystander)
    calls = worker.server.worker.calls
    failing = calls.get(victim)
    assert failing is not None

    def step(call: Call, event: Event, now_ms: int) -> list[Command]:
        if isinstance(event, CallStatus):
            raise ZeroDivisionError
        return whole(call, event, now_ms)

    monkeypatch.setattr(Call, "step", step)
    form = twilio.form_of(victim, "completed")
    path = urls.STATUS_PATH
    answer = await twilio.post(worker.url, path, form, twilio.signed(path, form))
    assert answer.status_code == 204
    async with asyncio.timeout(PATIENCE_S):
        await failing.let_go.wait()
    assert calls.get(victim) is None
    assert calls.get(bystander) is not None
    assert (await get(worker.url, "/healthz")).status_code == 200
    metrics = (await get(worker.url, "/metrics")).text
    assert "offhook_calls_active 1.0" in metrics
    assert 'offhook_calls_ended_total{reason="failed"} 1.0' in metrics


async def test_without_a_store_a_call_that_is_over_is_not_dialled_again(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    async with serving(gemini, redis_url=redis_server.url) as worker:
        redis_server.stop()
        try:
            gemini.inject(RefuseConnect(403))
            report = await place(caller(HANG_UP), worker.url)
        finally:
            redis_server.start()
    assert report.ended_by == "agent"
    assert len(report.announced) == 1
    assert report.streams == 1


async def test_a_worker_opens_no_call_while_it_drains(
    worker: LocalWorker, gemini: SimulatedGemini
) -> None:
    call_sid = twilio.new_call_sid()
    worker.server.worker.calls._drained_by_s = 0.0
    form = twilio.form_of(call_sid)
    for path in (urls.VOICE_PATH, urls.RESUME_PATH):
        answer = await twilio.post(worker.url, path, form, twilio.signed(path, form))
        assert "<Pause" in answer.text
        assert f"{path}</Redirect>" in answer.text
    async with twilio.open_stream(worker.url) as socket:
        await socket.wait_closed()
        assert socket.close_code == TRY_AGAIN_LATER
    assert worker.server.worker.calls.get(call_sid) is None
    assert (await get(worker.url, "/readyz")).status_code == 503
    assert gemini.server.sessions == []


async def test_a_stranger_who_sends_slowly_does_not_keep_a_worker_from_stopping(
    gemini: SimulatedGemini,
) -> None:
    async with worker_process(gemini, DRAIN_BUDGET_S="1") as worker:
        host, port = worker.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /twilio/voice HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na")
        await writer.drain()
        worker.process.terminate()
        assert await worker.wait() == 0
        writer.close()


async def test_settings_that_look_right_and_cannot_be_used_are_one_message(
    gemini: SimulatedGemini,
) -> None:
    good = {
        "GEMINI_API_KEY": "simulated",
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "PUBLIC_URL": PUBLIC_URL,
        "PORT": "0",
    }
    port = gemini.base_url.rsplit(":", 1)[1]
    for wrong in (
        {"RECORD_DIR": "/proc/no/such/place"},
        {"REDIS_URL": "redis://host:notaport"},
        {"SSL_CERT_FILE": __file__},
        {"PORT": port},
        {"PUBLIC_URL": "https://host/a<b"},
    ):
        process = await offhook("serve", environment=good | wrong)
        _, written = await process.communicate()
        assert process.returncode == 2, (wrong, written)
        assert b"Traceback" not in written
        assert written.startswith(b"offhook: "), (wrong, written)
