"""Tools in whole calls: whatever the caller, the session and the worker do, every result is told
and no act runs twice. The counts are printed as a table.
"""

import sys
from collections import Counter
from dataclasses import dataclass, replace
from itertools import product
from random import Random

import pytest

from agent.conversation.commands import RunTool
from agent.conversation.declaration import ENDS_CALL, Scheduling, Tool
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.tool_events import ToolCallsCancelled
from agent.simulator.behaviour import EXACT
from agent.simulator.faults import Reset
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse as model_script
from agent.simulator.voice import clip
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.commands import SendMedia
from telephony.simulator.script import parse as caller_script
from telephony.simulator.virtual_tools import VirtualTool
from telephony.simulator.world import World
from telephony.simulator.world_faults import KillWorker
from tests.worlds.sdk import WireSdk

ORDER = '{"properties":{"order":{"type":"string"}},"required":["order"],"type":"object"}'

MODEL = model_script(
    """
    [[turns]]
    expect = "q1"
    call = { tool = "act", arguments = { order = "7" } }
    say = "words:It is {status}."
    failed = "a2"

    [[turns]]
    expect = "q2"
    say = "a1"

    [[turns]]
    expect = "goodbye"
    say = "goodbye"
    then = { tool = "end_call" }
    """
)

ASKS = '[[steps]]\nwait = "agent"\nsay = "q1"\n'
TALKS = '[[steps]]\nafter_ms = 4300\nsay = "q2"\n'
LEAVES = '[[steps]]\nafter_ms = 16000\nsay = "goodbye"\n[[steps]]\nwait = "agent"\nhang_up = true\n'

LONGEST_SILENCE_MS = 1_500
"""Between two sounds to the caller while a tool runs, the agent's words or the waiting sound."""

HAPPENS = ("silent", "talks", "session lost", "worker killed")
SCHEDULINGS: tuple[Scheduling, ...] = ("WHEN_IDLE", "INTERRUPT", "SILENT")
AFTER_MS = (50, 700, 1_500, 3_200)
"""When it happens, after the tool was begun: it runs, its result is thought of, or it is said."""


@dataclass(frozen=True, slots=True)
class Case:
    """What the tool is, and what happens, so long after it was first begun."""

    happens: str
    after_ms: int = 0
    blocking: bool = False
    scheduling: Scheduling = "WHEN_IDLE"
    idempotent: bool = True
    takes_ms: int = 500
    calls_again: bool = False


def world_of(case: Case, at_ms: int | None = None) -> World:
    """The whole call; what happens, happens at this time."""
    tool = Tool(
        "act",
        "Does it.",
        ORDER,
        idempotent=case.idempotent,
        scheduling=case.scheduling,
        blocking=case.blocking,
    )
    behaviour = replace(EXACT, calls_again=case.calls_again)
    steps = ASKS + (TALKS if case.happens == "talks" else "") + LEAVES
    world = World(
        caller_script("patience_ms = 20000\n" + steps),
        GeminiServer(MODEL, behaviour, Random(1)),
        WireSdk(),
        persona=replace(DEFAULT_PERSONA, tools=(tool, ENDS_CALL)),
        tools={"act": VirtualTool('{"status":"done"}', case.takes_ms)},
    )
    if at_ms is not None:
        match case.happens:
            case "session lost":
                world.at(at_ms, Reset())
            case "worker killed":
                world.at(at_ms, KillWorker())
    world.run(120_000)
    return world


def played(case: Case) -> World:
    """The call of a case."""
    if case.happens in {"silent", "talks"}:
        return world_of(case)
    calm = world_of(replace(case, happens="silent"))
    [begun_ms] = [
        step.at_ms for step in calm.steps if any(isinstance(c, RunTool) for c in step.commands)
    ]
    return world_of(case, begun_ms + case.after_ms)


def verdict(case: Case, world: World) -> str:
    """What became of the result: said, or said that nobody knows it, not wanted, or lost."""
    said = [line.heard for line in world.store.lines if line.role == "agent"]
    if "It is done." in said:
        return "said"
    if clip("agent/a2").text in said:
        return "unknown"
    if case.scheduling == "SILENT":
        return "silent"
    cancels = (e for step in world.steps if isinstance(e := step.event, ToolCallsCancelled))
    return "cancelled" if any(cancels) and case.idempotent else "LOST"


def cases() -> list[Case]:
    """All of them; what happens in time has its moments."""
    found = []
    for happens, blocking, scheduling, idempotent, takes_ms, again in product(
        HAPPENS, (False, True), SCHEDULINGS, (False, True), (500, 3_000), (False, True)
    ):
        moments = (0,) if happens in {"silent", "talks"} else AFTER_MS
        found += [
            Case(happens, after_ms, blocking, scheduling, idempotent, takes_ms, again)
            for after_ms in moments
        ]
    return found


def problems(case: Case) -> tuple[str, list[str]]:
    """What became of the result, and what is wrong."""
    world = played(case)
    found = verdict(case, world)
    wrong = [found] if found == "LOST" else []
    if not case.idempotent and len(world.tools.begun) > 1:
        wrong.append("TWICE")
    if world.worker.ended is None or world.worker.ended.reason != "agent_hangup":
        wrong.append(f"ended {world.worker.ended and world.worker.ended.reason}")
    wrong += world.store.complaints
    return found, wrong


PLAYED = 32
"""How many of the cases are played, chosen by a seed: all of them take ten minutes."""


def test_no_result_is_lost_and_no_act_runs_twice(capsys: pytest.CaptureFixture[str]) -> None:
    table: Counter[tuple[str, str]] = Counter()
    wrong: dict[Case, list[str]] = {}
    for case in Random(14).sample(cases(), PLAYED):
        found, problem = problems(case)
        table[case.happens, found] += 1
        if problem:
            wrong[case] = problem
    with capsys.disabled():
        for happens in HAPPENS:
            row = {found: n for (what, found), n in sorted(table.items()) if what == happens}
            counts = ", ".join(f"{found} {n}" for found, n in row.items())
            sys.stdout.write(f"\n  {happens}: {counts}")
    assert wrong == {}


@pytest.mark.parametrize("takes_ms", [5_000, 60_000])
def test_while_a_tool_runs_the_caller_never_hears_nothing_for_long(takes_ms: int) -> None:
    world = world_of(Case("silent", takes_ms=takes_ms))
    [begun_ms] = [
        step.at_ms for step in world.steps if any(isinstance(c, RunTool) for c in step.commands)
    ]
    # What is sent is played from then on, or behind what was sent before.
    played_ms, silences = begun_ms, []
    for step in world.steps:
        for command in step.commands:
            if isinstance(command, SendMedia) and step.at_ms <= begun_ms + 8_000:
                if step.at_ms > begun_ms:
                    silences.append(step.at_ms - played_ms)
                played_ms = max(played_ms, step.at_ms) + len(command.ulaw) // PHONE_SAMPLES_PER_MS
    assert max(silences) <= LONGEST_SILENCE_MS
