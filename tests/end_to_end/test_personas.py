"""Agents of one's own, over real sockets: which of them answers, when, and for whom not."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.conversation.events import UsageReported
from agent.simulator.server import SimulatedGemini
from telephony.call.commands import Command
from telephony.call.events import CallOpened, Event
from telephony.server import standing
from telephony.twilio.urls import RESUME_PATH, VOICE_PATH
from tests.end_to_end.records import stored
from tests.end_to_end.scripts import HANG_UP, SAY_MORGAN, caller
from tests.end_to_end.serving import LocalWorker, get, place, serving
from tests.end_to_end.twilio import (
    form_of,
    new_call_sid,
    open_stream,
    post,
    signed,
    start,
    token_in,
)

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

SALES = "+14155550101"


def write(folder: Path, name: str, more: str = "", greeting: str = "Hello there.") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(
        f'name = "{name}"\ninstructions = "You are {name}."\ngreeting = "{greeting}"\n{more}'
    )
    return file


async def ended_reason(worker: LocalWorker, call_sid: str) -> str:
    """What is stored."""
    record = await worker.server.worker.store.look_up(call_sid)
    assert record is not None
    return record.ended_reason


class Opened:
    """An observer that notes which persona each call got."""

    def __init__(self) -> None:
        self.by_call: dict[str, str] = {}
        self.greetings: list[str] = []
        self.ten = asyncio.Event()

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        del now_ms, commands
        if isinstance(event, CallOpened):
            self.by_call[call_sid] = event.persona.name
            self.greetings.append(event.persona.greeting_cue)
            if len(self.by_call) == 10:
                self.ten.set()


async def test_the_dialled_number_chooses_the_agent_and_its_greeting_is_heard(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    write(tmp_path, "Reception", "default = true", greeting="This is the reception.")
    write(tmp_path, "Sales", f'numbers = ["{SALES}"]', greeting="This is the sales desk.")
    async with serving(gemini, personas=tmp_path) as worker:
        reports = [
            await place(caller(HANG_UP), worker.url, called=called)
            for called in (SALES, "+14155550102")
        ]
        store = worker.server.worker.store
        records = [await store.look_up(report.call_sid) for report in reports]
    assert [report.problems for report in reports] == [(), ()]
    assert [(record.persona, record.lines[0].heard) for record in records if record] == [
        ("Sales", "This is the sales desk."),
        ("Reception", "This is the reception."),
    ]


async def test_a_call_that_comes_to_another_worker_keeps_its_agent(
    gemini: SimulatedGemini, redis_server: "RedisServer", tmp_path: Path
) -> None:
    write(tmp_path, "Reception", "default = true")
    write(tmp_path, "Sales", f'numbers = ["{SALES}"]')
    opened = Opened()
    call_sid = new_call_sid()
    form = form_of(call_sid) | {"To": SALES}
    url = redis_server.url
    async with (
        serving(gemini, redis_url=url, personas=tmp_path) as one,
        serving(gemini, opened, redis_url=url, personas=tmp_path) as other,
    ):
        answer = await post(one.url, VOICE_PATH, form, signed(VOICE_PATH, form))
        assert '<Parameter name="persona" value="Sales" />' in answer.text
        async with open_stream(other.url) as socket:
            await start(socket, call_sid, {"token": token_in(answer.text), "persona": "Sales"})
            await socket.close()
        form |= {"CallStatus": "in-progress", "To": "+14155550102"}
        answer = await post(other.url, RESUME_PATH, form, signed(RESUME_PATH, form))
        assert '<Parameter name="persona" value="Sales" />' in answer.text
    assert opened.by_call == {call_sid: "Sales"}


async def test_a_blocked_caller_is_rejected_and_no_model_is_dialled(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    file = write(tmp_path, "Reception", 'blocked = ["+1415555*", "anonymous"]')
    opened = Opened()
    async with serving(gemini, opened, personas=file) as worker:
        for blocked in ("+14155550123", "anonymous"):
            report = await place(caller(HANG_UP), worker.url, caller=blocked)
            assert (report.streams, report.ended_by) == (0, "rejected")
            assert await ended_reason(worker, report.call_sid) == "blocked"
        report = await place(caller(HANG_UP), worker.url, caller="+442079460000")
    assert report.problems == ()
    assert len(opened.by_call) == 1


async def test_a_call_that_began_outside_the_hours_is_the_same_on_another_worker_later(
    gemini: SimulatedGemini,
    redis_server: "RedisServer",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hours = '[hours]\nmon = "09:00-17:00"\nclosed_instructions = "Take a message."\n'
    write(tmp_path, "Reception", f'{hours}closed_greeting = "We are closed."\n')
    opened = Opened()
    call_sid = new_call_sid()
    form = form_of(call_sid)
    url = redis_server.url
    monday_ms = 1_795_996_800_000  # 2026-11-30, 00:00 UTC
    async with (
        serving(gemini, opened, redis_url=url, personas=tmp_path) as one,
        serving(gemini, opened, redis_url=url, personas=tmp_path) as other,
    ):
        monkeypatch.setattr(standing, "wall_time_ms", lambda: monday_ms + 8 * 3_600_000)
        answer = await post(one.url, VOICE_PATH, form, signed(VOICE_PATH, form))
        assert '<Parameter name="hours" value="closed" />' in answer.text
        monkeypatch.setattr(standing, "wall_time_ms", lambda: monday_ms + 10 * 3_600_000)
        async with open_stream(other.url) as socket:
            token = token_in(answer.text)
            await start(socket, call_sid, {"token": token, "hours": "closed"})
            await socket.close()
        form |= {"CallStatus": "in-progress"}
        answer = await post(other.url, RESUME_PATH, form, signed(RESUME_PATH, form))
        assert '<Parameter name="hours" value="closed" />' in answer.text
        within = form_of(new_call_sid())
        answer = await post(one.url, VOICE_PATH, within, signed(VOICE_PATH, within))
        assert 'name="hours"' not in answer.text
    closed, again, open_ = opened.greetings
    assert "We are closed." in closed
    assert closed == again
    assert "Hello there." in open_


async def test_outside_its_hours_an_agent_says_that_it_is_closed(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    file = write(tmp_path, "Reception", '[hours]\nmon = ""\nclosed = "We are closed."')
    opened = Opened()
    async with serving(gemini, opened, personas=file) as worker:
        report = await place(caller(HANG_UP), worker.url)
        assert await ended_reason(worker, report.call_sid) == "closed"
        form = form_of(report.call_sid)
        again = await post(worker.url, VOICE_PATH, form, signed(VOICE_PATH, form))
    assert "We are closed." in again.text, "Twilio had not heard the answer"
    assert (report.announced, report.streams, report.ended_by) == (("We are closed.",), 0, "agent")
    assert opened.by_call == {}


async def test_a_silent_caller_is_asked_and_then_the_call_ends(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    file = write(tmp_path, "Reception", '[limits]\nsilence_s = 1\n[says]\nstill_there = "Hello?"')
    async with serving(gemini, personas=file) as worker:
        report = await place(caller('wait = "agent"'), worker.url)
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert record is not None
    assert (report.problems, report.ended_by, record.ended_reason) == ((), "agent", "silence")
    assert [line.heard for line in record.lines] == ["Hello there.", "Hello?"]


async def test_a_call_that_lasts_too_long_ends_with_a_goodbye(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    limits = '[limits]\nminutes = 0.05\n[says]\ngoodbye = "Goodbye."'
    file = write(tmp_path, "Reception", limits)
    async with serving(gemini, personas=file) as worker:
        report = await place(caller(SAY_MORGAN), worker.url)
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert record is not None
    assert (report.problems, report.ended_by, record.ended_reason) == ((), "agent", "limit")
    assert record.lines[-1].heard == "Goodbye."


async def test_what_a_call_costs_is_in_its_record_and_a_cap_ends_it(
    gemini: SimulatedGemini, redis_server: "RedisServer", redis: Redis, tmp_path: Path
) -> None:
    file = write(tmp_path, "Reception", '[limits]\nusd = 0.0095\n[says]\ngoodbye = "Goodbye."')
    told = list[UsageReported]()

    def observe(call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
        if isinstance(event, UsageReported):
            told.append(event)

    async with serving(gemini, observe, personas=file, redis_url=redis_server.url) as worker:
        report = await place(caller(SAY_MORGAN), worker.url)
    kept = await stored(redis, report.call_sid)
    assert (report.problems, kept.record["ended_reason"]) == ((), "limit")
    assert kept.said[-1] == ("agent", "Goodbye.")
    # By hand: $0.75 and $3 a million tokens of text and audio read, $4.50 of text and thoughts
    # written, $12 of audio spoken; and one minute of the line.
    usd = 0.0085 + sum(
        (turn.prompt_tokens - turn.prompt_audio_tokens) * 0.75e-6
        + turn.prompt_audio_tokens * 3e-6
        + turn.thought_tokens * 4.5e-6
        + turn.response_tokens * 12e-6
        for turn in told
    )
    assert len(told) == 3
    assert float(kept.record["usd"]) == pytest.approx(usd, rel=0.01)
    assert int(kept.record["tokens"]) == sum(
        turn.total_tokens + turn.thought_tokens for turn in told
    )


async def test_an_edit_is_taken_up_by_the_next_call_and_a_mistake_by_none(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    file = write(tmp_path, "Reception", greeting="The first greeting.")
    heard = []
    opened = Opened()
    async with serving(gemini, opened, personas=file) as worker:

        async def call() -> None:
            report = await place(caller(HANG_UP), worker.url)
            assert (report.problems, len(report.turns)) == ((), 1)
            record = await worker.server.worker.store.look_up(report.call_sid)
            assert record is not None
            heard.append(record.lines[0].heard)

        async with asyncio.TaskGroup() as calls:
            for _ in range(10):
                calls.create_task(call())
            await opened.ten.wait()
            file.write_text('name = "Reception"\ninstructions = 7\n')
            for _ in range(10):
                calls.create_task(call())
        ready = (await get(worker.url, "/readyz")).json()
        write(tmp_path, "Reception", greeting="The second greeting.")
        await call()
        ready_again = (await get(worker.url, "/readyz")).json()
    assert heard == ["The first greeting."] * 20 + ["The second greeting."]
    sys.stdout.write("a broken edit under 10 running and 10 new calls: none noticed\n")
    assert (ready["status"], len(ready["reasons"])) == ("degraded", 1)
    assert f"{file}:2: instructions: expected a text in quotes, got 7" in ready["reasons"][0]
    assert ready_again == {"status": "ready", "reasons": []}
