"""The check that every test here ends with: it sees what is left, and nothing else. And what it
does not look at: that a call needs no garbage collector to be gone.
"""

import asyncio
import gc
import socket
import weakref
from typing import TYPE_CHECKING

from agent.conversation.persona import DEFAULT_PERSONA
from agent.simulator.server import SimulatedGemini
from telephony.call.events import CallOpened
from telephony.call.machine import Call
from telephony.server.driver import Driver
from telephony.simulator.report import CallEvent, StreamOpened
from tests.end_to_end.left_behind import begin, held
from tests.end_to_end.scripts import HANG_UP, SAY_MORGAN, caller
from tests.end_to_end.serving import place, serving
from tests.end_to_end.watching import PATIENCE_S

if TYPE_CHECKING:
    from tests.redis_server import RedisServer


async def test_nothing_is_left_where_nothing_was_made() -> None:
    assert held().beyond(held()) == {}


async def test_each_kind_of_thing_is_seen_while_it_is_there() -> None:
    before = held()
    call = Call(CallOpened("CA1", 1, 0, DEFAULT_PERSONA))
    timer = asyncio.get_running_loop().call_later(3600, call.deadline_ms)
    with socket.socket():
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(asyncio.Event().wait(), name="waits")
            assert held().beyond(before) == {
                "tasks": {"waits": 1},
                "timers": {"Call.deadline_ms": 1},
                "sockets": 1,
                "objects": {"Call": 1},
            }
            waiting.cancel()
    timer.cancel()
    del call, timer, waiting
    assert held().beyond(before) == {}


async def test_what_is_older_than_the_test_is_not_looked_at() -> None:
    older = Call(CallOpened("CA1", 1, 0, DEFAULT_PERSONA))
    before = begin()
    newer = Call(CallOpened("CA2", 1, 0, DEFAULT_PERSONA))
    assert held().beyond(before) == {"objects": {"Call": 1}}
    del newer
    assert held().beyond(before) == {}
    del older


async def test_a_call_that_is_over_is_gone_before_the_garbage_collector_comes(
    gemini: SimulatedGemini, redis_server: "RedisServer"
) -> None:
    drivers: list[weakref.ref[Driver]] = []
    async with serving(gemini, redis_url=redis_server.url) as worker:

        def watch(event: CallEvent) -> None:
            if isinstance(event, StreamOpened):
                drivers.extend(map(weakref.ref, worker.server.worker.calls._running))

        # The first call has Redis load its scripts: errors of redis-py, which go round.
        await place(caller(SAY_MORGAN, HANG_UP), worker.url)
        gc.disable()
        try:
            await place(caller(SAY_MORGAN, HANG_UP), worker.url, on_event=watch)
            async with asyncio.timeout(PATIENCE_S):
                while any(driver() is not None for driver in drivers):  # noqa: ASYNC110 - untold
                    await asyncio.sleep(0.01)
        finally:
            gc.enable()
    assert len(drivers) == 1
