"""What the calls of a day may cost, over real sockets: which calls begin, and which must end."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.conversation.meter import NANO
from agent.money import ahead
from agent.simulator.server import SimulatedGemini
from telephony.twilio.urls import VOICE_PATH
from tests.end_to_end.race import PERSONA, race
from tests.end_to_end.records import spent, stored
from tests.end_to_end.scripts import HANG_UP, SAY_MORGAN, caller
from tests.end_to_end.serving import get, place, serving
from tests.end_to_end.twilio import form_of, new_call_sid, post, signed

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

FIRST_MINUTE_USD = 2 * 0.0085 + 1_500 * (3 + 12) / 1e6
"""What must be left for a call to begin."""


def persona(folder: Path, limits: str) -> Path:
    """An agent with these limits."""
    file = folder / "reception.toml"
    file.write_text(PERSONA.replace("usd_per_day = {usd}", limits))
    return file


async def test_a_caller_whose_day_is_spent_is_told_so_and_another_one_is_answered(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer", tmp_path: Path
) -> None:
    file = persona(tmp_path, f"usd_per_caller_day = {FIRST_MINUTE_USD + 0.005}")
    async with serving(gemini, redis_url=redis_server.url, personas=file) as worker:
        first = await place(caller(HANG_UP), worker.url)
        again = await place(caller(HANG_UP), worker.url)
        other = await place(caller(HANG_UP), worker.url, caller="anonymous")
        metrics = (await get(worker.url, "/metrics")).text
    assert [report.problems for report in (first, other)] == [(), ()]
    assert (again.announced, again.streams, again.ended_by) == (("Not today.",), 0, "agent")
    refused = await stored(redis, again.call_sid)
    assert (refused.record["status"], refused.record["ended_reason"]) == ("completed", "no_budget")
    assert 'offhook_calls_not_begun_total{reason="no_budget"} 1.0' in metrics
    booked = await spent(redis)
    costs = [
        float((await stored(redis, report.call_sid)).record["usd"]) for report in (first, other)
    ]
    assert booked.pop("all") / NANO == pytest.approx(sum(costs), abs=1e-9)
    assert sum(name.startswith("caller:") for name in booked) == 2
    assert not any("+1415" in name for name in booked), "a caller's number is not kept"


async def test_calls_that_race_for_the_last_cent_of_a_day_keep_within_it(
    gemini: SimulatedGemini,
    redis_server: "RedisServer",
    redis: Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del redis
    # So that little is reserved, and the money is at its end after the first turn
    monkeypatch.setattr(ahead, "TOKENS_A_MINUTE", 300)
    found = await race(gemini, redis_server.url, tmp_path, calls=5, cap=0.044)
    assert found.problems == []
    assert (found.begun, found.turned_away, found.limited) == (2, 3, 2)
    assert found.cost <= found.most_booked <= found.cap
    assert found.booked == pytest.approx(found.cost, rel=1e-9)


async def test_a_call_that_never_had_a_stream_gives_back_what_was_reserved(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer", tmp_path: Path
) -> None:
    file = persona(tmp_path, "usd_per_day = 5")
    form = form_of(new_call_sid())
    async with serving(gemini, redis_url=redis_server.url, personas=file) as worker:
        for _ in range(2):  # Twilio may ask twice
            await post(worker.url, VOICE_PATH, form, signed(VOICE_PATH, form))
        assert (await spent(redis))["all"] == round(FIRST_MINUTE_USD * NANO)
        over = form | {"CallStatus": "canceled"}
        await post(worker.url, "/twilio/status", over, signed("/twilio/status", over))
    assert (await spent(redis))["all"] <= 0.0085 * NANO


async def test_while_the_store_is_away_a_worker_keeps_the_caps_by_what_it_knows(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer", tmp_path: Path
) -> None:
    file = persona(tmp_path, f"usd_per_day = {FIRST_MINUTE_USD + 0.011}")
    async with serving(gemini, redis_url=redis_server.url, personas=file) as worker:
        first = await place(caller(HANG_UP), worker.url)
        redis_server.stop()
        second = await place(caller(SAY_MORGAN, HANG_UP), worker.url)
        third = await place(caller(HANG_UP), worker.url)
        redis_server.start()
    await redis.connection_pool.disconnect()  # from the server that is gone
    assert [report.problems for report in (first, second)] == [(), ()]
    assert third.announced == ("Not today.",)
    assert (await spent(redis)).keys() >= {"all", f"call:{second.call_sid}"}
