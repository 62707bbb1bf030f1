"""Runs very many short calls in one process, and checks that nothing of them remains.

python -m tests.soak                # 100 000 calls, as `make soak`
python -m tests.soak --calls 5000

Webhooks, WebSockets, TLS, the google-genai SDK and the Valkey server are real. Twilio and Gemini
are simulated. Worker, model and callers share this process, so a leak in any of them is found.
A call is a signed webhook, a stream, a tenth of a second of caller audio, the first audio of the
greeting, and the status callback of a hang-up.

The exit code is 1 if memory, descriptors, tasks or objects of calls have grown.
"""
# ruff: noqa: T201 -- printing is what this command is for

import argparse
import asyncio
import gc
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import httpx
import psutil
from websockets.exceptions import ConnectionClosed

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.audio.formats import ULAW_SILENCE
from telephony.server.calls import Calls
from telephony.server.logs import configure
from telephony.server.ownership import REMEMBERED
from telephony.simulator import wire
from telephony.twilio.urls import STATUS_PATH, VOICE_PATH
from tests.end_to_end import twilio
from tests.end_to_end.left_behind import Held, held, left_behind
from tests.end_to_end.scripts import AGENT
from tests.end_to_end.serving import ACCOUNT_SID, serving
from tests.redis_server import redis_running

CALLS = 100_000
AT_ONCE = 10
WARM_UP_CALLS = REMEMBERED + 500
"""What a process loads, compiles, pools and remembers once is not counted."""
TOLD_TIMES = 10
COLLECT_EVERY = 500
"""A call is gone when it is over, but not the simulated sessions: what they hold goes round."""
FRAMES = 5
GROWTH_LIMIT_MIB = 10

FORGETFUL = replace(BRISK, handle_ttl_ms=10_000)
"""A service that keeps its sessions for two hours, as Gemini does, would be all that grows."""

LIMITS = httpx.Limits(max_keepalive_connections=0)
"""A connection each: one that is kept can be closed, by either side, as its next request begins."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the process holds while no call is going on."""

    rss_mib: float
    descriptors: int
    held: Held


async def main(calls: int) -> int:
    """Run the calls; returns the exit code."""
    server = GeminiServer(AGENT, FORGETFUL, keep=False)
    with redis_running() as redis:
        async with (
            SimulatedGemini(server) as gemini,
            serving(gemini, redis_url=redis.url) as worker,
            httpx.AsyncClient(trust_env=False, timeout=60, limits=LIMITS) as client,
        ):
            failed = await place(WARM_UP_CALLS, worker.url, client)
            kept = worker.server.worker.calls
            before = await read(kept)
            tell(0, before, before)
            left = calls
            while left:
                some = min(left, max(1, calls // TOLD_TIMES))
                failed += await place(some, worker.url, client)
                left -= some
                now = await read(kept)
                tell(calls - left, now, before)
            await left_behind(before.held)
            return verdict(await read(kept), before, failed)


async def place(calls: int, url: str, client: httpx.AsyncClient) -> int:
    """So many calls, some of them at once. Returns how many failed."""
    numbers = iter(range(calls))
    async with asyncio.TaskGroup() as tasks:
        lanes = [
            tasks.create_task(_one_after_another(numbers, url, client)) for _ in range(AT_ONCE)
        ]
    return sum(lane.result() for lane in lanes)


async def _one_after_another(numbers: Iterator[int], url: str, client: httpx.AsyncClient) -> int:
    failed = 0
    for number in numbers:
        if number % COLLECT_EVERY == 0:
            gc.collect()
        try:
            await call(url, client)
        except (httpx.HTTPError, ConnectionClosed) as error:
            failed += 1
            print(f"a call failed: {error!r}", flush=True)
    return failed


async def call(url: str, client: httpx.AsyncClient) -> None:
    """One call, to the first audio of the greeting."""
    call_sid = twilio.new_call_sid()
    document = await _post(client, url, VOICE_PATH, call_sid, "ringing")
    while "<Redirect" in document:  # "again in a second", says a worker that is full
        await asyncio.sleep(1)
        document = await _post(client, url, VOICE_PATH, call_sid, "ringing")
    token = twilio.token_in(document)
    async with twilio.open_stream(url) as socket:
        stream_sid = await twilio.start(socket, call_sid, {"token": token})
        for n in range(FRAMES):
            await socket.send(wire.media(n + 2, stream_sid, n + 1, 20 * n, ULAW_SILENCE * 160))
        while '"media"' not in str(await socket.recv()):
            pass
        await socket.send(wire.stop(FRAMES + 2, stream_sid, call_sid, ACCOUNT_SID))
    await _post(client, url, STATUS_PATH, call_sid, "completed")


async def _post(client: httpx.AsyncClient, url: str, path: str, call_sid: str, status: str) -> str:
    form = twilio.form_of(call_sid, status)
    answer = await client.post(url + path, data=form, headers=twilio.signed(path, form))
    answer.raise_for_status()
    return answer.text


async def read(calls: Calls) -> Reading:
    """Once every call is over, and its last line is stored."""
    while calls._running:  # noqa: ASYNC110 - only a worker that stops is told
        await asyncio.sleep(0.01)
    now = held()
    process = psutil.Process()
    return Reading(process.memory_info().rss / 2**20, process.num_fds(), now)


def tell(calls: int, now: Reading, before: Reading) -> None:
    """One line."""
    grown_mib = now.rss_mib - before.rss_mib
    print(
        f"{calls:>7} calls  RSS {now.rss_mib:7.1f} MiB ({grown_mib:+6.1f})  "
        f"{now.descriptors} descriptors  {sum(now.held.tasks.values())} tasks",
        flush=True,
    )


def verdict(now: Reading, before: Reading, failed: int) -> int:
    """Print what fell short; returns the exit code."""
    print(f"calls failed: {failed}")
    left: dict[str, object] = dict(now.held.beyond(before.held))
    if now.descriptors > before.descriptors:
        left["descriptors"] = now.descriptors - before.descriptors
    if (grown_mib := now.rss_mib - before.rss_mib) > GROWTH_LIMIT_MIB:
        left["RSS"] = f"{grown_mib:.1f} MiB more, demanded ≤ {GROWTH_LIMIT_MIB}"
    print(f"left behind: {left or 'nothing'}")
    return 1 if left or failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make soak", description="Short calls, very many.")
    parser.add_argument("--calls", type=int, default=CALLS)
    configure(logging.ERROR)
    sys.exit(asyncio.run(main(parser.parse_args().calls)))
