"""The model is late, breaks off, forgets its handles, or is not there at all."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.conversation.commands import OpenModel
from agent.gemini.breaker import FAILURES
from agent.persona.agents import Says
from agent.simulator.behaviour import BRISK
from agent.simulator.faults import DropHandles, GoAway, RefuseConnect, Reset, SlowSetup
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.audio.earcon import EARCON
from telephony.call.commands import NO_REPLY, SendMedia
from telephony.simulator import call_flow
from telephony.simulator.report import AgentHeard, CallEvent
from tests.end_to_end.records import stored
from tests.end_to_end.scripts import (
    AGENT,
    CONVERSATION,
    GARDEN,
    GREETING,
    HANG_UP,
    MORGAN,
    MORGAN_ANSWER,
    SAY_MORGAN,
    TWO_TURNS,
    caller,
)
from tests.end_to_end.serving import LocalWorker, get, place, serving
from tests.end_to_end.watching import Step, Watch, observer

if TYPE_CHECKING:
    from tests.redis_server import RedisServer


def in_order[T](wanted: Sequence[T], found: Iterable[T]) -> bool:
    """Whether all that is wanted was found, in that order, among other things perhaps."""
    rest = iter(found)
    return all(one in rest for one in wanted)


def joined(turns: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same with a reply whose rest was said by another session as one."""
    out: list[tuple[str, str]] = []
    for role, text in turns:
        before = f"{out.pop()[1]} " if out and out[-1][0] == role else ""
        out.append((role, before + text))
    return out


AT_ONCE = 'after_ms = 800\nsay = "morgan"'
"""As soon as the stream is sure to be up."""


async def test_a_model_that_takes_three_seconds_hears_every_word_said_meanwhile(
    worker: LocalWorker, gemini: SimulatedGemini
) -> None:
    gemini.inject(SlowSetup(3_000))
    report = await place(caller(AT_ONCE, HANG_UP), worker.url)
    record = await worker.server.worker.store.look_up(report.call_sid)
    assert report.problems == ()
    [utterance] = gemini.server.heard
    assert (utterance.phrase, utterance.coverage) == ("morgan", 1)
    assert record is not None
    assert [line.text for line in record.lines if line.role == "caller"] == [MORGAN]


async def test_a_broken_session_is_resumed_and_a_forgotten_one_begun_anew_without_a_greeting(
    worker: LocalWorker, gemini: SimulatedGemini, steps: Watch[Step]
) -> None:
    turns = 0

    def break_it(event: CallEvent) -> None:
        nonlocal turns
        if not isinstance(event, AgentHeard):
            return
        turns += 1
        if turns == 3:
            gemini.inject(DropHandles())
        if turns in {2, 3}:
            gemini.inject(Reset())  # in the middle of a reply

    report = await place(TWO_TURNS, worker.url, on_event=break_it)
    record = await worker.server.worker.store.look_up(report.call_sid)

    assert report.problems == ()
    asked = [c for step in steps.seen for c in step.commands if isinstance(c, OpenModel)]
    assert [bool(command.handle) for command in asked] == [False, True, True, False]
    _, resumed, refused, fresh = gemini.server.sessions
    assert resumed.handle == asked[1].handle
    assert refused.memory is None
    assert fresh.memory is not None
    told = joined([(entry.role, entry.text) for entry in fresh.memory.entries])
    assert in_order([GREETING, MORGAN, MORGAN_ANSWER], [text for _, text in told])
    assert record is not None
    said = joined([(line.role, line.text) for line in record.lines])
    assert in_order(CONVERSATION, said)
    assert [text for role, text in said if role == "caller"] == [MORGAN, GARDEN]
    assert [text for _, text in said].count(GREETING) == 1


async def test_a_session_that_is_told_to_go_is_closed_before_the_next_one_is_dialled(
    worker: LocalWorker, gemini: SimulatedGemini, steps: Watch[Step]
) -> None:
    told = False

    def tell_it_to_go(event: CallEvent) -> None:
        nonlocal told
        if isinstance(event, AgentHeard) and not told:
            gemini.inject(GoAway(time_left_ms=16_000))  # a young session: a quarter is used
            told = True

    report = await place(TWO_TURNS, worker.url, on_event=tell_it_to_go)
    record = await worker.server.worker.store.look_up(report.call_sid)
    assert report.problems == ()
    asked = [c for step in steps.seen for c in step.commands if isinstance(c, OpenModel)]
    assert [bool(command.handle) for command in asked] == [False, True]
    assert len(gemini.server.sessions) == len(asked)  # a handle in use would have been refused
    assert record is not None
    assert [(line.role, line.text) for line in record.lines] == CONVERSATION


async def test_a_model_that_is_down_is_left_alone_while_the_caller_hears_a_sound(
    worker: LocalWorker, gemini: SimulatedGemini, steps: Watch[Step]
) -> None:
    for _ in range(FAILURES):
        gemini.inject(RefuseConnect())
    report = await place(caller(SAY_MORGAN, HANG_UP), worker.url)
    assert report.problems == ()
    assert report.ended_by == "caller"
    assert len(gemini.server.sessions) == FAILURES + 1
    sent = [c for step in steps.seen for c in step.commands if isinstance(c, SendMedia)]
    assert sent[0] == SendMedia(sent[0].stream_sid, NO_REPLY, EARCON)
    metrics = (await get(worker.url, "/metrics")).text
    assert 'offhook_model_breaker{model="first",state="half open"} 1.0' in metrics
    ready = await get(worker.url, "/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert "half open" in ready.json()["reasons"][0]


async def test_a_caller_whose_model_is_gone_talks_with_the_fallback(steps: Watch[Step]) -> None:
    only = replace(BRISK, models=frozenset({"spare"}))
    async with (
        SimulatedGemini(GeminiServer(AGENT, only)) as gemini,
        serving(gemini, observer(steps), fallback_model="spare") as worker,
    ):
        report = await place(TWO_TURNS, worker.url)
        record = await worker.server.worker.store.look_up(report.call_sid)
        metrics = (await get(worker.url, "/metrics")).text
    assert report.problems == ()
    asked = [c.fallback for s in steps.seen for c in s.commands if isinstance(c, OpenModel)]
    assert asked == [False, True]
    assert record is not None
    assert in_order(CONVERSATION, [(line.role, line.text) for line in record.lines])
    assert record.checkpoint is not None
    assert record.checkpoint.fallback
    assert "offhook_sessions_fallback_total 1.0" in metrics


@pytest.mark.parametrize(
    ("transfer_to", "announced"), [("", Says().apology), ("sip:desk@example.com", Says().transfer)]
)
async def test_a_caller_whom_no_model_answers_hears_so_and_is_put_through_if_there_is_somebody(
    redis: Redis,
    redis_server: "RedisServer",
    monkeypatch: pytest.MonkeyPatch,
    transfer_to: str,
    announced: str,
) -> None:
    monkeypatch.setattr(call_flow, "SAY_MS_PER_CHARACTER", 0)  # our time is dear
    nobody = GeminiServer(AGENT, replace(BRISK, keys=frozenset()))
    async with (
        SimulatedGemini(nobody) as gemini,
        serving(gemini, redis_url=redis_server.url, transfer_to=transfer_to) as worker,
    ):
        report = await place(TWO_TURNS, worker.url)
    assert report.announced == (announced,)
    assert report.dialled == ((transfer_to,) if transfer_to else ())
    assert report.ended_by == "agent"
    assert report.problems == ()
    record = (await stored(redis, report.call_sid)).record
    assert (record["status"], record["ended_reason"]) == ("completed", "model_refused")
