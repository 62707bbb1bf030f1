"""One call from the first webhook to the hang-up, with a real Valkey server to look into."""

import json
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from agent.simulator.server import SimulatedGemini
from tests.end_to_end.records import stored
from tests.end_to_end.scripts import CONVERSATION, TWO_TURNS
from tests.end_to_end.serving import place, serving

if TYPE_CHECKING:
    from tests.redis_server import RedisServer


async def test_a_caller_is_greeted_understood_answered_and_written_down(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    async with serving(gemini, redis_url=redis_server.url) as worker:
        report = await place(TWO_TURNS, worker.url)
    call = await stored(redis, report.call_sid)

    assert report.problems == ()
    assert report.ended_by == "caller"
    assert len(report.turns) == 3
    assert report.warnings == {}
    assert report.clears == ()
    assert [heard.phrase for heard in gemini.server.heard] == ["morgan", "q2"]
    assert all(heard.coverage == 1 for heard in gemini.server.heard)

    assert call.ids == ["1-1", "1-2", "1-3", "1-4", "1-5"]
    fields = ["n", "role", "text", "heard", "at_ms", "epoch"]
    assert [list(line) for line in call.lines] == [fields] * 5
    assert [line["n"] for line in call.lines] == ["1", "2", "3", "4", "5"]
    assert {line["epoch"] for line in call.lines} == {"1"}
    assert call.said == CONVERSATION
    assert call.heard == CONVERSATION
    times_ms = [int(line["at_ms"]) for line in call.lines]
    assert times_ms == sorted(times_ms)
    assert 0 <= times_ms[0] <= times_ms[-1] <= report.duration_ms

    assert call.record.pop("owner")
    measured = json.loads(call.record.pop("measured_1"))
    assert (measured["turns"], measured["barge_ins"], measured["gaps"]) == (3, 0, 0)
    cost = [call.record.pop(name) for name in ("usd", "tokens", "seconds")]
    assert all(float(figure) > 0 for figure in cost)
    assert call.record == {
        "status": "completed",
        "ended_reason": "caller_hangup",
        "epoch": "1",
        "persona": "Ada",
    }

    prefix = f"offhook:{{{report.call_sid}}}:"
    assert {f"{prefix}lines", f"{prefix}call", f"{prefix}checkpoint"} <= call.lives_s.keys()
    assert all(name.startswith(prefix) for name in call.lives_s)
    assert all(life_s > 0 for life_s in call.lives_s.values()), call.lives_s
    of_the_caller = [
        *await redis.keys("offhook:caller:*"),
        *await redis.keys("offhook:party:*"),
    ]
    of_all_calls = ["offhook:calls"]
    assert [await redis.ttl(key) > 0 for key in (*of_the_caller, *of_all_calls)] == [True] * 3
    assert await redis.dbsize() == len(call.lives_s) + len(of_the_caller) + len(of_all_calls)


async def test_all_through_the_libraries_a_call_is_the_same(gemini: SimulatedGemini) -> None:
    async with serving(gemini, hot_path="sdk") as worker:
        report = await place(TWO_TURNS, worker.url)
    assert (report.problems, len(report.turns), report.warnings) == ((), 3, {})
    assert [heard.phrase for heard in gemini.server.heard] == ["morgan", "q2"]
    assert all(heard.coverage == 1 for heard in gemini.server.heard)
