"""Print what survives what: `python tests/benchmarks/bench_survival.py`.

A caller who talks over everything, a slow model, a store that goes away, a worker that is killed:
each over real sockets, the last two with real worker processes and a real Valkey server. Times are
wall times of this machine, which others share. Of what the simulated Twilio takes they hold the
100 to 170 ms from a stream's start to its first media, not the 400 to 730 ms before it connects
again, which are 0 here. Nothing is asserted here; tests/end_to_end does.
"""
# ruff: noqa: E402, T201 -- tests are found by a path that a script has to add; and this one prints

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from redis.asyncio import Redis

from agent.simulator.behaviour import BRISK
from agent.simulator.faults import SlowSetup
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS
from telephony.server.logs import configure
from telephony.simulator import wire
from telephony.simulator.ear import is_loud, last_sound_ms
from telephony.simulator.faults import CallFaults
from telephony.simulator.line import Line
from telephony.simulator.report import AgentHeard, CallEvent, Report
from tests.end_to_end import barge_ins
from tests.end_to_end.records import stored
from tests.end_to_end.scripts import AGENT, CONVERSATION, HANG_UP, TWO_TURNS, caller
from tests.end_to_end.serving import place, worker_process
from tests.end_to_end.watching import Watch
from tests.redis_server import RedisServer, redis_running

REPEATS = 2
AT_ONCE = CallFaults(reconnect_ms=(0, 0))


def main() -> None:
    """Print one table: figure, measured."""
    configure(logging.ERROR)
    with redis_running() as redis_server:
        asyncio.run(measure(redis_server))


async def measure(redis_server: RedisServer) -> None:
    """Each scene in turn; repeats of a scene side by side would measure each other."""
    await talked_over()
    await slow_model()
    await store_away(redis_server)
    figures = [await worker_killed(redis_server) for _ in range(REPEATS)]
    for name in figures[0]:
        row(f"worker killed: {name}", ", ".join(str(each[name]) for each in figures))


def row(name: str, measured: str) -> None:
    """One line of the table."""
    print(f"{name:<70} {measured}", flush=True)


async def talked_over() -> None:
    """Two calls at once, ten barge-ins each, in one process."""
    lived = await barge_ins.live()
    clears = [len(stretches) - 1 for stretches in lived.stretches()]
    row(f"{barge_ins.CALLS} calls of {barge_ins.BARGE_INS} barge-ins: clears", str(clears))
    row("2 calls of barge-ins: stretches with stale audio", str(lived.stale()))
    row("2 calls of barge-ins: least share of a sentence heard", f"{lived.least_coverage:.2f}")


async def slow_model() -> None:
    """The caller speaks at once; the model takes 3 s."""
    async with SimulatedGemini(GeminiServer(AGENT, BRISK)) as gemini, worker_process(gemini) as one:
        gemini.inject(SlowSetup(3_000))
        script = caller('after_ms = 800\nsay = "morgan"', HANG_UP)
        report = await place(script, one.url)
        heard = gemini.server.heard
    row("model 3 s late: share of the caller's words heard", f"{heard[0].coverage:.2f}")
    row("model 3 s late: first sound after the call (wall ms)", str(report.turns[0].started_ms))


async def store_away(redis_server: RedisServer) -> None:
    """Redis stops in the second reply, and comes back empty in the third."""
    events: Watch[CallEvent] = Watch()
    async with (
        SimulatedGemini(GeminiServer(AGENT, BRISK)) as gemini,
        worker_process(gemini, redis_server.url) as one,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(place(TWO_TURNS, one.url, on_event=events))
        await events.until(lambda event: isinstance(event, AgentHeard), times=2)
        redis_server.stop()
        await events.until(lambda event: isinstance(event, AgentHeard), times=3)
        redis_server.start()
        report = await running
        one.process.terminate()
        await one.wait()
    told = await lines_of(redis_server, report)
    row("store away: lines stored / lost / doubled", losses(told))
    row("store away: turns of the agent heard, of 3", str(len(report.turns)))


async def worker_killed(redis_server: RedisServer) -> dict[str, object]:
    """The first worker is killed in the second reply."""
    events: Watch[CallEvent] = Watch()
    async with (
        SimulatedGemini(GeminiServer(AGENT, BRISK)) as gemini,
        worker_process(gemini, redis_server.url) as first,
        worker_process(gemini, redis_server.url) as second,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(
            place(
                TWO_TURNS,
                *(first.url, second.url),
                route=lambda _path: 0,
                on_event=events,
                faults=AT_ONCE,
            )
        )
        await events.until(lambda event: isinstance(event, AgentHeard), times=2)
        first.process.kill()
        report = await running
        second.process.terminate()
        await second.wait()
        heard = gemini.server.heard
    told = await lines_of(redis_server, report)
    before, after = report.lines
    died_ms = before.ended_ms or 0
    return {
        "stream lost → first media of the new worker (wall ms)": first_media_ms(after) - died_ms,
        "gap the caller heard (wall ms)": gap_ms(before, after),
        "words of the caller lost": sum(one.coverage < 1 for one in heard),
        "lines stored / lost / doubled": losses(told),
        "streams": report.streams,
    }


def first_media_ms(line: Line) -> int:
    """When the first media of a stream came to Twilio."""
    return next(each.at_ms for each in line.received if isinstance(each.message, wire.Media))


def gap_ms(before: Line, after: Line) -> int:
    """From the last sound on one stream to the first one on the next."""
    last_ms = before.media_start_ms + last_sound_ms(bytes(before.heard))
    frames = range(0, len(after.heard), FRAME_SAMPLES)
    first = next(at for at in frames if is_loud(bytes(after.heard[at : at + FRAME_SAMPLES])))
    return after.media_start_ms + first // PHONE_SAMPLES_PER_MS - last_ms


async def lines_of(redis_server: RedisServer, report: Report) -> list[tuple[str, str]]:
    """Role and text of each line stored."""
    async with Redis.from_url(redis_server.url, decode_responses=True) as redis:
        return (await stored(redis, report.call_sid)).said


def losses(told: Sequence[tuple[str, str]]) -> str:
    """How many lines there are, how many of the conversation's are not, and how many come twice."""
    lost = [line for line in CONVERSATION if line not in told]
    return f"{len(told)} / {len(lost)} / {len(told) - len(set(told))}"


if __name__ == "__main__":
    main()
