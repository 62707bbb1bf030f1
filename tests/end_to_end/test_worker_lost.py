"""Real worker processes behind one public URL: one is killed, or told to stop, in mid-call."""

import asyncio
import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.conversation.meter import NANO
from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse
from agent.simulator.server import SimulatedGemini
from agent.simulator.voice import clip
from telephony.simulator.report import AgentHeard, CallEvent
from tests.end_to_end.records import spent, stored
from tests.end_to_end.scripts import (
    CONVERSATION,
    GARDEN,
    GREETING,
    MORGAN,
    SAY_MORGAN,
    TWO_TURNS,
    caller,
)
from tests.end_to_end.serving import get, place, worker_process
from tests.end_to_end.watching import Watch

if TYPE_CHECKING:
    from tests.redis_server import RedisServer


def the_first(_path: str) -> int:
    """Every connection is tried at the first worker first."""
    return 0


async def test_a_worker_is_killed_and_another_goes_on_with_the_same_conversation(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer", tmp_path: Path
) -> None:
    persona = tmp_path / "ada.toml"
    persona.write_text('name = "Ada"\ninstructions = "You are Ada."\n[limits]\nusd_per_day = 5')
    events: Watch[CallEvent] = Watch()
    async with (
        worker_process(gemini, redis_server.url, PERSONAS=str(persona)) as first,
        worker_process(gemini, redis_server.url, PERSONAS=str(persona)) as second,
        asyncio.TaskGroup() as tasks,
    ):
        urls = (first.url, second.url)
        running = tasks.create_task(place(TWO_TURNS, *urls, route=the_first, on_event=events))
        await events.until(lambda event: isinstance(event, AgentHeard), times=2)
        first.process.kill()
        report = await running
        second.process.send_signal(signal.SIGTERM)  # so that all of it is stored
        assert await second.wait() == 0
    call = await stored(redis, report.call_sid)

    assert report.problems == ()
    assert report.streams == 2
    assert [line["n"] for line in call.lines] == [str(n + 1) for n in range(len(call.lines))]
    epochs = [line["epoch"] for line in call.lines]
    assert epochs == sorted(epochs)
    assert set(epochs) == {"1", "2"}
    assert [text for role, text in call.said if role == "caller"] == [MORGAN, GARDEN]
    assert call.said.count(("agent", GREETING)) == 1
    assert (call.said[0], call.said[-1]) == (CONVERSATION[0], CONVERSATION[-1])
    assert call.record.pop("owner")
    measured = [json.loads(call.record.pop(f"measured_{epoch}")) for epoch in (1, 2)]
    assert [each["turns"] for each in measured] == [1, 2], "each worker measures what it answers"
    cost = [call.record.pop(name) for name in ("usd", "tokens", "seconds")]
    assert all(float(figure) > 0 for figure in cost)
    assert call.record.pop("account")
    booked = await spent(redis)
    assert booked["all"] == booked[f"call:{report.call_sid}"], "what it cost is booked once"
    assert booked["all"] / NANO == pytest.approx(float(cost[0]), abs=1e-6)
    assert call.record == {
        "status": "completed",
        "ended_reason": "caller_hangup",
        "epoch": "2",
        "persona": "Ada",
    }
    old, new = gemini.server.sessions
    assert old.handle == ""
    assert new.handle


async def test_a_worker_told_to_stop_hands_its_call_over_at_a_pause_and_exits_with_0(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    events: Watch[CallEvent] = Watch()
    async with (
        worker_process(gemini, redis_server.url, DRAIN_BUDGET_S="8") as first,
        worker_process(gemini, redis_server.url) as second,
        asyncio.TaskGroup() as tasks,
    ):
        urls = (first.url, second.url)
        running = tasks.create_task(place(TWO_TURNS, *urls, route=the_first, on_event=events))
        await events.until(lambda event: isinstance(event, AgentHeard), times=2)
        first.process.send_signal(signal.SIGTERM)
        assert (await first.tells("draining"))["calls"] == 1
        ready = await get(first.url, "/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "draining")
        assert (await get(first.url, "/healthz")).status_code == 200
        assert (await first.tells("call ended"))["reason"] == "handed_over"
        assert await first.wait() == 0
        report = await running
        second.process.send_signal(signal.SIGTERM)  # so that all of it is stored
        assert await second.wait() == 0
    call = await stored(redis, report.call_sid)

    assert report.problems == ()
    assert report.streams == 2
    assert report.announced == ()
    # At a pause: not a word of the reply that was being said is lost or said again.
    assert call.said == CONVERSATION
    assert call.heard == CONVERSATION
    assert [line["epoch"] for line in call.lines] == ["1", "1", "1", "2", "2"]
    assert (call.record["status"], call.record["epoch"]) == ("completed", "2")
    assert [bool(session.handle) for session in gemini.server.sessions] == [False, True]


async def test_a_worker_without_calls_stops_as_soon_as_it_is_told(gemini: SimulatedGemini) -> None:
    async with worker_process(gemini, DRAIN_BUDGET_S="3600") as worker:
        worker.process.send_signal(signal.SIGTERM)
        assert (await worker.tells("draining"))["calls"] == 0
        assert await worker.wait() == 0


PAYS = """
import socket
from agent.tools import tool

@tool
def refund(order: str) -> str:
    '''Pays an order back.'''
    with socket.create_connection(("127.0.0.1", {port})) as bank:
        return bank.recv(100).decode()  # the bank does not answer
"""
PERSONA = """
name = "Mira"
instructions = "You are Mira."
greeting = "Hello there."

[[tools]]
python = "{module}:refund"
"""
CALLS = """
[[turns]]
expect = "morgan"
call = { tool = "refund", arguments = { order = "7" } }
say = "a1"
failed = "a2"
"""


async def test_an_act_whose_worker_is_killed_ran_once_and_is_told_as_unknown(
    redis: Redis, redis_server: "RedisServer", tmp_path: Path
) -> None:
    paid: Watch[str] = Watch()

    async def bank(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        paid("once")
        await reader.read()
        writer.close()

    # The model calls again after the worker is lost, although it is told of the call.
    model = GeminiServer(parse(CALLS), replace(BRISK, calls_again=True))
    script = caller(SAY_MORGAN, 'until_said = "a2"\nhang_up = true')
    async with await asyncio.start_server(bank, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        module = f"bank_at_{port}"
        (tmp_path / f"{module}.py").write_text(PAYS.format(port=port))
        file = tmp_path / "mira.toml"
        file.write_text(PERSONA.format(module=module))
        async with (
            SimulatedGemini(model) as gemini,
            worker_process(gemini, redis_server.url, PERSONAS=str(file)) as first,
            worker_process(gemini, redis_server.url, PERSONAS=str(file)) as second,
            asyncio.TaskGroup() as tasks,
        ):
            urls = (first.url, second.url)
            running = tasks.create_task(place(script, *urls, route=the_first))
            await paid.until(lambda _: True)
            first.process.kill()
            report = await running
            second.process.send_signal(signal.SIGTERM)  # so that all of it is stored
            assert await second.wait() == 0
    call = await stored(redis, report.call_sid)
    assert (report.problems, report.streams) == ((), 2)
    assert paid.seen == ["once"]
    assert call.said[-1] == ("agent", clip("agent/a2").text)
    assert call.record["epoch"] == "2"
