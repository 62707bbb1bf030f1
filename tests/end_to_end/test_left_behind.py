"""The check that every test here ends with: it sees what is left, and nothing else."""

import asyncio
import socket

from agent.conversation.persona import DEFAULT_PERSONA
from telephony.call.events import CallOpened
from telephony.call.machine import Call
from tests.end_to_end.left_behind import held


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
