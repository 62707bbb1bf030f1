"""Redis goes away in mid-call and comes back without its data: calls go on, no line is lost."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis
from websockets.exceptions import ConnectionClosed

from agent.simulator.server import SimulatedGemini
from telephony.call.events import OwnershipLost, StoreBack, StreamStarted
from telephony.simulator.report import AgentHeard, CallerSpoke, CallEvent, StreamClosed
from telephony.simulator.script import Cut
from telephony.twilio.urls import RESUME_PATH, VOICE_PATH
from tests.end_to_end import twilio
from tests.end_to_end.records import stored
from tests.end_to_end.scripts import CONVERSATION, TWO_TURNS, cut_off
from tests.end_to_end.serving import PUBLIC_URL, get, place, serving, worker_process
from tests.end_to_end.watching import Step, Watch, observer

if TYPE_CHECKING:
    from tests.redis_server import RedisServer


async def test_calls_go_on_and_begin_without_redis_and_no_line_is_lost_or_doubled(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    before: Watch[CallEvent] = Watch()
    during: Watch[CallEvent] = Watch()
    async with (
        serving(gemini, redis_url=redis_server.url) as worker,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(place(TWO_TURNS, worker.url, on_event=before))
        await before.until(lambda event: isinstance(event, CallerSpoke))
        assert (await get(worker.url, "/readyz")).json() == {"status": "ready", "reasons": []}
        redis_server.stop()
        begun = tasks.create_task(place(TWO_TURNS, worker.url, on_event=during))
        ready = await get(worker.url, "/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert "store is away" in ready.json()["reasons"][0]
        await during.until(lambda event: isinstance(event, AgentHeard), times=2)
        redis_server.start()
    await redis.connection_pool.disconnect()  # from the server that is gone

    for report in (running.result(), begun.result()):
        call = await stored(redis, report.call_sid)
        assert report.problems == ()
        assert len(report.turns) == 3
        assert [line["n"] for line in call.lines] == ["1", "2", "3", "4", "5"]
        assert call.said == CONVERSATION
        assert call.heard == CONVERSATION
        ended = call.record["status"], call.record["ended_reason"]
        assert ended == ("completed", "caller_hangup")
        assert all(life_s > 0 for life_s in call.lives_s.values()), call.lives_s


@pytest.mark.parametrize("thawed", ["once the stream is back", "while it comes back"])
async def test_a_call_goes_on_though_the_store_is_frozen_when_its_stream_comes_back(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer", thawed: str
) -> None:
    steps: Watch[Step] = Watch()

    def freeze(event: CallEvent) -> None:
        if isinstance(event, StreamClosed) and len(streams()) == 1:
            redis_server.freeze()
            if thawed == "while it comes back":  # later than the worker waits, sooner than a reply
                asyncio.get_running_loop().call_later(1.5, redis_server.thaw)

    def streams() -> list[int]:
        return [s.event.epoch for s in steps.seen if isinstance(s.event, StreamStarted)]

    async with (
        serving(gemini, observer(steps), redis_url=redis_server.url) as worker,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(place(cut_off(Cut.RESET), worker.url, on_event=freeze))
        await steps.until(lambda step: isinstance(step.event, StreamStarted), times=2)
        if thawed == "once the stream is back":
            redis_server.thaw()
    report = running.result()
    call = await stored(redis, report.call_sid)
    assert report.problems == ()
    assert call.said == call.heard == CONVERSATION
    assert [session.handle for session in gemini.server.sessions] == [""]
    assert streams() == [1, 2]
    assert not any(isinstance(step.event, OwnershipLost) for step in steps.seen)


async def test_a_worker_that_starts_without_its_redis_says_what_that_means_for_calls(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    redis_server.stop()
    try:
        url = f"redis://reader:the-password@127.0.0.1:{redis_server.port}/0?protocol=2"
        async with worker_process(gemini, url) as worker:
            told = await worker.tells("REDIS_URL: Redis cannot be used")
            assert (told["level"], told["why"]) == ("warning", "unreachable")
            assert told["address"] == f"redis://127.0.0.1:{redis_server.port}/0"
            assert "Calls are answered" in told["event"]
            assert not any("the-password" in line or "lease" in line for line in worker.log.seen)
    finally:
        redis_server.start()


async def test_a_worker_says_when_its_redis_goes_and_comes(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    async with worker_process(gemini, redis_server.url) as worker:
        redis_server.stop()
        told = await worker.tells("the store is away: calls go on")
        assert (told["level"], told["why"]) == ("warning", "unreachable")
        redis_server.start()
        await worker.tells("the store is back")


@pytest.mark.parametrize("back", ["before the stream", "after it"])
async def test_a_call_that_began_without_redis_outside_the_hours_is_known_for_that_later(
    gemini: SimulatedGemini, redis_server: "RedisServer", tmp_path: Path, back: str
) -> None:
    (tmp_path / "ada.toml").write_text(
        'name = "Ada"\ninstructions = "You are Ada."\n[hours]\nmon = ""\n'
        'closed_instructions = "Take a message."\n'
    )
    steps: Watch[Step] = Watch()
    url, call_sid = redis_server.url, twilio.new_call_sid()
    async with (
        serving(gemini, observer(steps), redis_url=url, personas=tmp_path) as worker,
        serving(gemini, redis_url=url, personas=tmp_path) as other,
    ):
        redis_server.stop()
        given = {"token": await twilio.ring(worker.url, call_sid), "hours": "closed"}
        if back == "before the stream":
            redis_server.start()
        async with twilio.open_stream(worker.url) as socket:
            await twilio.start(socket, call_sid, given)
            assert '"media"' in str(await socket.recv())
            if back == "after it":
                redis_server.start()
                await steps.until(lambda step: isinstance(step.event, StoreBack))
        store = other.server.worker.store
        record = await store.look_up(call_sid)
        assert record is not None
        assert (record.persona, record.hours) == ("Ada", "closed")
        form = twilio.form_of(call_sid, "in-progress")
        answer = await twilio.post(other.url, RESUME_PATH, form, twilio.signed(RESUME_PATH, form))
    assert '<Parameter name="hours" value="closed" />' in answer.text


async def test_a_call_that_began_outside_the_hours_goes_on_so_elsewhere_without_redis(
    gemini: SimulatedGemini, redis_server: "RedisServer", tmp_path: Path
) -> None:
    (tmp_path / "ada.toml").write_text(
        'name = "Ada"\ninstructions = "You are Ada."\n[hours]\nmon = ""\n'
        'closed_instructions = "Take a message."\n'
    )
    form = twilio.form_of(twilio.new_call_sid())
    async with (
        serving(gemini, redis_url=redis_server.url, personas=tmp_path) as worker,
        serving(gemini, redis_url=redis_server.url, personas=tmp_path) as other,
    ):
        redis_server.stop()
        asks = VOICE_PATH
        for asked in (worker, other, other):
            answer = await twilio.post(asked.url, asks, form, twilio.signed(asks, form))
            assert '<Parameter name="hours" value="closed" />' in answer.text
            _, _, then = answer.text.partition(f">{PUBLIC_URL}")  # in its <Redirect>
            asks, form = then.partition("<")[0], form | {"CallStatus": "in-progress"}


async def test_without_redis_a_token_opens_one_stream_and_no_second(
    gemini: SimulatedGemini, redis_server: "RedisServer"
) -> None:
    async with serving(gemini, redis_url=redis_server.url) as worker:
        redis_server.stop()
        call_sid = twilio.new_call_sid()
        token = {"token": await twilio.ring(worker.url, call_sid)}
        async with twilio.open_stream(worker.url) as first, twilio.open_stream(worker.url) as again:
            await twilio.start(first, call_sid, token)
            assert '"media"' in str(await first.recv())
            await twilio.start(again, call_sid, token)
            with pytest.raises(ConnectionClosed) as closed:
                await again.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "used")
        redis_server.start()
