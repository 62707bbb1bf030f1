"""Worker processes behind one public URL, with a real Redis and both simulators, to harm.

processes, their readers, both simulators   acquired and released: `running`
"""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace

import msgspec
from redis.asyncio import Redis

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import Script as AgentScript
from agent.simulator.server import SimulatedGemini
from telephony.simulator.faults import CallFaults
from telephony.simulator.report import CallEvent, Report
from telephony.simulator.rest import RestAccount
from telephony.simulator.rest_server import SimulatedRest
from telephony.simulator.script import Script
from tests.end_to_end.records import Stored, stored
from tests.end_to_end.scripts import AGENT
from tests.end_to_end.serving import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    PUBLIC_URL,
    WorkerProcess,
    get,
    place,
)
from tests.end_to_end.watching import PATIENCE_S, Watch
from tests.faults.telling_worker import Told
from tests.forked import Forked, forked
from tests.ports import free_ports
from tests.redis_server import redis_running

AS_DEMANDED = replace(BRISK, setup_ms=(150, 150))
"""The rows ask for a model that takes 150 ms."""

AT_ONCE = CallFaults(reconnect_ms=(0, 0))
"""Twilio's own time taken out, where the figure is ours."""


@dataclass
class Slot:
    """A place for a worker, at a port of its own, and the one that is in it."""

    port: int
    worker: WorkerProcess | None = None
    ready: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Fleet:
    """The workers. `first` says which one gets the next connection; else each ready one in turn.

    `environment` is what each of them is started with.
    """

    def __init__(
        self,
        size: int,
        environment: dict[str, str],
        rest: RestAccount,
        redis_url: str,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.told: Watch[Told] = Watch()
        self.rest = rest
        self.first: int | None = None
        self._turn = 0
        self.environment, self._redis_url, self._tasks = environment, redis_url, tasks
        self.slots = [Slot(port) for port in free_ports(size)]

    async def start(self, *numbers: int) -> None:
        """Fill these places, each with a new worker, and wait until it is ready."""
        await asyncio.gather(*(self._start(self.slots[number]) for number in numbers))

    def send(self, number: int, what: signal.Signals) -> int:
        """Send a worker a signal; returns its process ID."""
        process = self._process(number)
        process.send_signal(what)
        return process.pid

    async def wait(self, number: int) -> int:
        """The exit code of a worker, once it is gone."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._process(number).wait()

    def log(self, number: int) -> Watch[str]:
        """What a worker logs."""
        worker = self.slots[number].worker
        assert worker is not None
        return worker.log

    async def place(
        self,
        script: Script,
        faults: CallFaults = AT_ONCE,
        on_event: Callable[[CallEvent], None] | None = None,
        call_sid: str | None = None,
        patience_s: float = 2 * PATIENCE_S,
        interrupted: asyncio.Event | None = None,
    ) -> Report:
        """Place a call to the fleet. Its caller hangs up when `interrupted` is set."""
        return await place(
            script,
            *(slot.url for slot in self.slots),
            route=self._route,
            faults=faults,
            on_event=on_event,
            call_sid=call_sid,
            rest=self.rest,
            patience_s=patience_s,
            interrupted=interrupted,
        )

    async def stored(self, call_sids: Sequence[str]) -> dict[str, Stored]:
        """What stands in Redis of these calls."""
        async with Redis.from_url(self._redis_url, decode_responses=True) as redis:
            return {call_sid: await stored(redis, call_sid) for call_sid in call_sids}

    async def stored_at_the_end(self, call_sid: str) -> Stored:
        """The same of one call, once its end is stored; that is the last that a worker writes."""
        async with Redis.from_url(self._redis_url, decode_responses=True) as redis:
            async with asyncio.timeout(PATIENCE_S):
                while not await _is_over(redis, call_sid):  # noqa: ASYNC110 - untold
                    await asyncio.sleep(0.05)
            return await stored(redis, call_sid)  # whose lines were read before its record

    def stop(self) -> None:
        """Kill all."""
        for slot in self.slots:
            if slot.worker is not None and slot.worker.exit_code is None:
                slot.worker.process.kill()

    def _process(self, number: int) -> Forked | Process:
        worker = self.slots[number].worker
        assert worker is not None
        return worker.process

    def _route(self, _path: str) -> int:
        if self.first is not None:
            return self.first
        self._turn += 1
        ready = [number for number, slot in enumerate(self.slots) if slot.ready]
        return ready[self._turn % len(ready)] if ready else 0

    async def _start(self, slot: Slot) -> None:
        environment = self.environment | {"PORT": str(slot.port)}
        process = await forked("tests.faults.telling_worker", environment=environment)
        worker = slot.worker = WorkerProcess(process)
        self._tasks.create_task(worker.read_log(), name="log")
        self._tasks.create_task(self._listen(process), name="told")
        await worker.tells("listening")
        assert (await get(slot.url, "/readyz")).status_code == 200
        slot.ready = True

    async def _listen(self, process: Forked) -> None:
        async for line in process.stdout:
            with suppress(msgspec.DecodeError):  # the last line of one that was killed
                self.told(msgspec.json.decode(line, type=Told))
        await process.wait()


@asynccontextmanager
async def running(
    size: int, redis_url: str = "", model: AgentScript = AGENT, **environment: str
) -> AsyncIterator[Fleet]:
    """A fleet of so many workers, all ready, with REST to move calls by.

    Args:
        size: How many.
        redis_url: Where they keep their calls; without one, a Redis of their own.
        model: What the model says.
        environment: More of it, for each of them.
    """
    with ExitStack() as kept:
        url = redis_url or kept.enter_context(redis_running()).url
        async with (
            SimulatedGemini(GeminiServer(model, AS_DEMANDED, keep=False)) as gemini,
            SimulatedRest(RestAccount(ACCOUNT_SID, AUTH_TOKEN)) as rest,
            asyncio.TaskGroup() as tasks,
        ):
            known = {
                "GEMINI_API_KEY": "simulated",
                "GOOGLE_GEMINI_BASE_URL": gemini.base_url,
                "SSL_CERT_FILE": str(gemini.ca_file),
                "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
                "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
                "TWILIO_API_URL": rest.url,
                "PUBLIC_URL": PUBLIC_URL,
                "REDIS_URL": url,
            }
            fleet = Fleet(size, known | environment, rest.account, url, tasks)
            try:
                await fleet.start(*range(size))
                yield fleet
            finally:
                fleet.stop()


async def side_by_side[T](runs: int, most: int, live: Callable[[int], Awaitable[T]]) -> Sequence[T]:
    """Share out runs that mostly wait to so many fleets, or fewer, that live at the same time.

    Args:
        runs: How many there are in all.
        most: How many fleets there are at most.
        live: Makes a fleet of its own, and does so many runs with it, one after another.
    """
    fleets = min(most, runs)

    async def lived(number: int) -> T:
        return await live(runs // fleets + (number < runs % fleets))

    async with asyncio.TaskGroup() as tasks:
        living = [tasks.create_task(lived(number)) for number in range(fleets)]
    return [each.result() for each in living]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of all does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


async def _is_over(redis: Redis, call_sid: str) -> bool:
    return (await stored(redis, call_sid)).record.get("status") == "completed"
