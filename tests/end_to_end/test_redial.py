"""A caller who was cut off dials again, and the conversation goes on; nobody else's does."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from agent.conversation.commands import SayToModel
from agent.conversation.events import UsageReported
from agent.conversation.persona import CUT_OFF_CUE, DEFAULT_PERSONA
from agent.simulator.server import SimulatedGemini
from telephony.call.commands import EndCall
from telephony.simulator.faults import AfterLoss, CallFaults
from telephony.simulator.report import AgentHeard, CallEvent, Report
from tests.end_to_end.records import stored
from tests.end_to_end.scripts import (
    CONVERSATION,
    CUT_ANSWER,
    HANG_UP,
    SAY_MORGAN,
    TWO_TURNS,
    caller,
)
from tests.end_to_end.serving import LocalWorker, place, serving, worker_process
from tests.end_to_end.watching import Step, Watch, observer

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

ENDS = CallFaults(after_loss=AfterLoss.ENDS)
CUT_OFF = caller(SAY_MORGAN, CUT_ANSWER.format("reset"))
SAYS_GOODBYE = caller(HANG_UP)
ANOTHER = "+14155550124"


def cues(steps: Watch[Step], report: Report) -> list[str]:
    """What the model was told to say in a call."""
    commands = [
        each for step in steps.seen if step.call_sid == report.call_sid for each in step.commands
    ]
    return [command.text for command in commands if isinstance(command, SayToModel)]


async def over(steps: Watch[Step], report: Report) -> None:
    """Wait until the server knows that a call is over, too."""
    await steps.until(
        lambda step: (
            step.call_sid == report.call_sid
            and any(isinstance(command, EndCall) for command in step.commands)
        )
    )


async def texts(worker: LocalWorker, report: Report) -> list[tuple[str, int]]:
    """The lines of a call, with their ownerships."""
    record = await worker.server.worker.store.look_up(report.call_sid)
    assert record is not None
    return [(line.text, line.epoch) for line in record.lines]


async def test_who_was_cut_off_and_dials_again_goes_on_and_is_not_greeted(
    worker: LocalWorker, steps: Watch[Step], gemini: SimulatedGemini
) -> None:
    first = await place(CUT_OFF, worker.url, faults=ENDS)
    assert first.ended_by == "socket"
    await over(steps, first)
    second = await place(SAYS_GOODBYE, worker.url, faults=CallFaults(webhook_twice=True))
    third = await place(SAYS_GOODBYE, worker.url)
    assert [each.problems for each in (first, second, third)] == [()] * 3

    before = await texts(worker, first)
    after = await texts(worker, second)
    assert [text for text, _ in before] == [text for _, text in CONVERSATION[:3]]
    assert after[:3] == [(text, 0) for text, _ in before]
    assert [epoch for _, epoch in after[3:]] == [1]
    assert cues(steps, second) == [CUT_OFF_CUE]
    [told] = [
        each for each in gemini.server.sessions if each.memory and len(each.memory.entries) > 4
    ]
    assert told.handle == ""
    # The second was hung up: the third is a call of its own.
    assert cues(steps, third) == [DEFAULT_PERSONA.greeting_cue]
    assert [epoch for _, epoch in await texts(worker, third)] == [1]


async def test_a_call_that_goes_on_after_a_redial_costs_what_it_costs_itself(
    worker: LocalWorker, steps: Watch[Step]
) -> None:
    first = await place(CUT_OFF, worker.url, faults=ENDS)
    await over(steps, first)
    second = await place(SAYS_GOODBYE, worker.url)
    await over(steps, second)
    for report in (first, second):
        record = await worker.server.worker.store.look_up(report.call_sid)
        assert record is not None
        mine = [step for step in steps.seen if step.call_sid == report.call_sid]
        billed = [step.event for step in mine if isinstance(step.event, UsageReported)]
        assert record.tokens == sum(each.total_tokens + each.thought_tokens for each in billed)
        [ended] = [each for step in mine for each in step.commands if isinstance(each, EndCall)]
        tariff = worker.server.worker.tariffs({}).wanted
        assert tariff is not None
        assert ended.cost == sum(map(tariff.of, billed)) + tariff.minute, "the first minute alone"
        assert ended.tokens == record.tokens
    assert cues(steps, second) == [CUT_OFF_CUE]


async def test_nobody_else_goes_on_with_a_call_that_was_cut_off(
    worker: LocalWorker, steps: Watch[Step]
) -> None:
    cut_off = await place(CUT_OFF, worker.url, faults=ENDS)
    await over(steps, cut_off)
    other = await place(SAYS_GOODBYE, worker.url, caller=ANOTHER)
    withheld = await place(SAYS_GOODBYE, worker.url, caller="anonymous")
    for report in (other, withheld):
        assert cues(steps, report) == [DEFAULT_PERSONA.greeting_cue]


async def test_a_call_that_we_place_goes_on_with_whom_it_is_placed_to_and_with_nobody_else(
    worker: LocalWorker, steps: Watch[Step]
) -> None:
    placed = CallFaults(outbound=True)
    cut_off = await place(CUT_OFF, worker.url, faults=replace(ENDS, outbound=True))
    await over(steps, cut_off)
    other = await place(SAYS_GOODBYE, worker.url, caller=ANOTHER, faults=placed)
    again = await place(SAYS_GOODBYE, worker.url, faults=placed)
    assert cues(steps, other) == [DEFAULT_PERSONA.greeting_cue]
    assert cues(steps, again) == [CUT_OFF_CUE]


async def test_a_call_whose_worker_was_killed_and_that_twilio_ended_goes_on_after_a_redial(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    events: Watch[CallEvent] = Watch()
    steps: Watch[Step] = Watch()
    async with (
        worker_process(gemini, redis_server.url) as first,
        serving(gemini, observer(steps), redis_url=redis_server.url) as second,
        asyncio.TaskGroup() as tasks,
    ):
        urls = (first.url, second.url)
        running = tasks.create_task(
            place(TWO_TURNS, *urls, route=lambda _path: 0, on_event=events, faults=ENDS)
        )
        await events.until(lambda event: isinstance(event, AgentHeard), times=2)
        first.process.kill()
        lost = await running
        again = await place(SAYS_GOODBYE, second.url)
    assert lost.ended_by == "socket"
    assert again.problems == ()
    assert (await stored(redis, lost.call_sid)).record["ended_reason"] == "cut_off"
    call = await stored(redis, again.call_sid)
    assert [line["epoch"] for line in call.lines][:2] == ["0", "0"]
    assert cues(steps, again) == [CUT_OFF_CUE]
    assert all(life_s > 0 for life_s in call.lives_s.values())
