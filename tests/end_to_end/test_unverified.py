"""What nobody has seen of Twilio yet, in every position of its switch: nothing may depend on it.

Whether callbacks come before or after the socket's end; whether a call outlives its socket; whether
the old socket stays open, and silent, while the new one is here, on the same worker or on another.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from agent.simulator.server import SimulatedGemini
from telephony.call.commands import Command, EndCall
from telephony.call.events import Event
from telephony.simulator.faults import AfterLoss, Callbacks, CallFaults
from telephony.simulator.report import Report
from telephony.simulator.script import Cut
from telephony.twilio import urls
from tests.end_to_end.records import Stored, stored
from tests.end_to_end.scripts import (
    CONVERSATION,
    CUT_ANSWER,
    GREETING,
    MORGAN_ANSWER,
    SAY_MORGAN,
    TWO_TURNS,
    caller,
    cut_off,
    moved,
)
from tests.end_to_end.serving import LocalWorker, place, serving

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

SOON_BACK = CallFaults(reconnect_ms=(50, 150))
ENDS = CallFaults(after_loss=AfterLoss.ENDS)

ORDERS = (Callbacks.BEFORE, Callbacks.AFTER)


class Ends:
    """An observer: how each call ended on each worker."""

    def __init__(self) -> None:
        self.of: dict[str, list[str]] = {}

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        """One step of one call."""
        del event, now_ms
        ended = [command.reason.value for command in commands if isinstance(command, EndCall)]
        self.of.setdefault(call_sid, []).extend(ended)


async def test_callbacks_may_come_before_or_after_the_sockets_end(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    scripts = {"": TWO_TURNS} | {how.value: cut_off(how) for how in Cut}
    ends = Ends()
    async with (
        serving(gemini, ends, redis_url=redis_server.url) as worker,
        asyncio.TaskGroup() as tasks,
    ):
        placed = {
            (how, when): tasks.create_task(
                place(script, worker.url, faults=replace(SOON_BACK, callbacks=when))
            )
            for (how, script), when in product(scripts.items(), ORDERS)
        }
    for (how, when), each in placed.items():
        report = each.result()
        call = await stored(redis, report.call_sid)
        found = (report.problems, report.ended_by, report.streams)
        assert found == ((), "caller", 2 if how else 1), (how, when)
        first_and_last = [call.said[0], call.said[-1]]
        assert (_doubled(call), first_and_last) == (0, [*CONVERSATION[::4]]), (how, when)
        assert call.record["ended_reason"] == "caller_hangup", (how, when)
        assert ends.of[report.call_sid] == ["caller_hangup"], (how, when)
    assert len(gemini.server.sessions) == len(placed)  # no second agent


async def test_a_call_may_end_with_its_socket_and_callbacks_say_so_before_or_after(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    ends = Ends()
    async with (
        serving(gemini, ends, redis_url=redis_server.url) as worker,
        asyncio.TaskGroup() as tasks,
    ):
        placed = {
            (how, when): tasks.create_task(
                place(
                    caller(SAY_MORGAN, CUT_ANSWER.format(how)),
                    worker.url,
                    faults=replace(ENDS, callbacks=when),
                )
            )
            for how, when in product(Cut, ORDERS)
        }
    for kind, each in placed.items():
        report = each.result()
        call = await stored(redis, report.call_sid)
        assert (report.problems, report.ended_by) == ((), "socket"), kind
        assert call.said[:2] == CONVERSATION[:2], kind
        [(role, begun)] = call.said[2:]  # the model sends its words with the sound
        assert role == "agent", kind
        assert begun, kind
        assert MORGAN_ANSWER.startswith(begun), kind
        reason = call.record["ended_reason"]
        if Callbacks.BEFORE in kind or Cut.RESET in kind:
            assert reason == "cut_off", kind
        else:  # what tells a cut from a hang-up is a callback, and crosses the one of the call
            assert reason in {"cut_off", "caller_hangup"}, kind
        assert ends.of[report.call_sid] == [reason], kind


async def test_an_old_socket_may_stay_open_and_silent_while_the_new_one_is_elsewhere(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    ends = Ends()
    url = redis_server.url
    async with (
        serving(gemini, ends, redis_url=url) as one,
        serving(gemini, ends, redis_url=url) as two,
        asyncio.TaskGroup() as tasks,
    ):
        placed = {
            (how, when): tasks.create_task(_moved(one, two, how, when))
            for how, when in product((Cut.ZOMBIE, Cut.RESET), ORDERS)
        }
    for kind, each in placed.items():
        report = each.result()
        call = await stored(redis, report.call_sid)
        assert (report.problems, report.ended_by, report.streams) == ((), "caller", 2), kind
        assert sorted(ends.of[report.call_sid]) == ["caller_hangup", "taken_over"], kind
        assert _doubled(call) == 0, kind
        assert call.said.count(("agent", GREETING)) == 1, kind
        assert call.record["ended_reason"] == "caller_hangup", kind


async def _moved(one: LocalWorker, two: LocalWorker, how: Cut, when: Callbacks) -> Report:
    streams = iter([0, 1])
    return await place(
        moved(how),
        one.url,
        two.url,
        route=lambda path: next(streams) if path == urls.MEDIA_PATH else 0,
        faults=replace(SOON_BACK, callbacks=when),
    )


def _doubled(call: Stored) -> int:
    """Lines that stand there twice, or out of order."""
    numbers = [int(line["n"]) for line in call.lines]
    twice = sum(times - 1 for times in Counter(numbers).values())
    return twice + (numbers != list(range(1, len(numbers) + 1)))
