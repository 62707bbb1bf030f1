"""Whole calls with a tool, whatever the caller, the session and the worker do meanwhile.

python -m tests.worlds.tools                  # the table of all cases: some minutes
python -m tests.worlds.tools --sample 100     # of so many of them, drawn by a seed
"""
# ruff: noqa: T201 -- printing is what this command is for

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from random import Random

from agent.conversation.built_in_tools import ENDS_CALL
from agent.conversation.commands import RunTool
from agent.conversation.declaration import Scheduling, Tool
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.tool_events import ToolCallsCancelled
from agent.simulator.behaviour import EXACT
from agent.simulator.faults import Reset
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse as model_script
from agent.simulator.voice import clip
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.commands import SendMedia
from telephony.server.logs import configure
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
INTERRUPTS = '[[steps]]\nbarge_in_ms = {}\nsay = "q2"\n'
TALKS = '[[steps]]\nafter_ms = 4300\nsay = "q2"\n'
LEAVES = '[[steps]]\nafter_ms = 16000\nsay = "goodbye"\n[[steps]]\nwait = "agent"\nhang_up = true\n'

LONGEST_SILENCE_MS = 1_500
"""Between two sounds to the caller while a tool runs, the agent's words or the waiting sound."""

HAPPENS = ("silent", "talks", "interrupts", "session lost", "worker killed")
SCHEDULINGS: tuple[Scheduling, ...] = ("WHEN_IDLE", "INTERRUPT", "SILENT")
AFTER_MS = (50, 700, 1_500, 3_200)
"""When it happens, after the tool was begun: it runs, its result is thought of, or it is said."""

INTO_MS = (150, 450)
"""When the caller talks over the agent, after its first sound: what is said meanwhile, or the
answer.
"""


@dataclass(frozen=True, slots=True)
class Case:
    """What the tool is, and what happens, so long after it was first begun.

    Args:
        happens: One of `HAPPENS`.
        after_ms: See there; for "interrupts", after the agent is heard again.
        blocking: As of `Tool`, like the next two.
        scheduling: See there.
        idempotent: See there.
        takes_ms: How long it runs.
        calls_again: Whether a model that knows of the call calls again.
        meanwhile: Whether the model goes on speaking while the tool runs.
    """

    happens: str
    after_ms: int = 0
    blocking: bool = False
    scheduling: Scheduling = "WHEN_IDLE"
    idempotent: bool = True
    takes_ms: int = 500
    calls_again: bool = False
    meanwhile: bool = False


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
    does = {"talks": TALKS, "interrupts": INTERRUPTS.format(case.after_ms)}
    steps = ASKS + does.get(case.happens, "") + LEAVES
    model = MODEL
    if case.meanwhile:
        model = replace(model, turns=(replace(model.turns[0], meanwhile="a4"), *model.turns[1:]))
    world = World(
        caller_script("patience_ms = 20000\n" + steps),
        GeminiServer(model, behaviour, Random(1)),
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
    if case.happens not in {"session lost", "worker killed"}:
        return world_of(case)
    calm = world_of(replace(case, happens="silent"))
    [begun_ms] = [
        step.at_ms for step in calm.steps if any(isinstance(c, RunTool) for c in step.commands)
    ]
    return world_of(case, begun_ms + case.after_ms)


def verdict(case: Case, world: World) -> str:
    """What became of the result: said, or said that nobody knows it; not wanted, or lost."""
    lines = [line for line in world.store.lines if line.role == "agent"]
    for text, found in (("It is done.", "said"), (clip("agent/a2").text, "said to be unknown")):
        if text in [line.heard for line in lines]:
            return found
        if case.happens == "interrupts" and any(line.heard and line.text == text for line in lines):
            return "talked over"
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
        moments = {"silent": (0,), "talks": (0,), "interrupts": INTO_MS}.get(happens, AFTER_MS)
        for after_ms in moments:
            case = Case(happens, after_ms, blocking, scheduling, idempotent, takes_ms, again)
            if happens == "interrupts":  # which no lost session makes call again
                case = replace(case, calls_again=False, meanwhile=again)
                if scheduling == "SILENT" and not (blocking or case.meanwhile):
                    continue  # nothing is said that could be talked over
            found.append(case)
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


type Problem = tuple[str, list[str]]


def table(found: Sequence[tuple[Case, Problem]]) -> Iterable[str]:
    """A line for each way in which a tool may be called, and for each thing that may happen."""
    yield f"{'tool':<26}{'what happens':<16}{'cases':>6}{'lost':>6}{'twice':>7}  what became of it"
    for blocking, scheduling, happens in product((True, False), SCHEDULINGS, HAPPENS):
        cell = [
            each
            for each in found
            if (each[0].blocking, each[0].scheduling, each[0].happens)
            == (blocking, scheduling, happens)
        ]
        if not cell:
            continue
        became = Counter(verdict for _, (verdict, _) in cell)
        wrong = [problem for _, (_, problems) in cell for problem in problems]
        tool = f"{'BLOCKING' if blocking else 'NON_BLOCKING'} {scheduling}"
        counts = f"{len(cell):>6}{wrong.count('LOST'):>6}{wrong.count('TWICE'):>7}"
        what = ", ".join(f"{verdict} {n}" for verdict, n in sorted(became.items()))
        yield f"{tool:<26}{happens:<16}{counts}  {what}"


def longest_silence_ms(takes_ms: int) -> int:
    """The longest silence to a caller while a tool takes so long, within its first 8 s."""
    world = world_of(Case("silent", takes_ms=takes_ms))
    [begun_ms] = [
        step.at_ms for step in world.steps if any(isinstance(c, RunTool) for c in step.commands)
    ]
    # What is sent is played from then on, or behind what was sent before.
    played_ms, silences = 0, [0]
    for step in world.steps:
        for command in step.commands:
            if isinstance(command, SendMedia) and step.at_ms <= begun_ms + 8_000:
                if step.at_ms > begun_ms:
                    silences.append(step.at_ms - max(played_ms, begun_ms))
                played_ms = max(played_ms, step.at_ms) + len(command.ulaw) // PHONE_SAMPLES_PER_MS
    return max(silences)


def main() -> int:
    """Play all cases, or some; print the table, and each case with a problem."""
    parser = argparse.ArgumentParser(prog="python -m tests.worlds.tools", description=__doc__)
    parser.add_argument("--sample", type=int, help="so many cases; all without it")
    asked = parser.parse_args()
    chosen = cases()
    if asked.sample is not None:
        chosen = Random(14).sample(chosen, min(asked.sample, len(chosen)))
    configure(logging.CRITICAL)
    with ProcessPoolExecutor() as processes:
        found = list(zip(chosen, processes.map(problems, chosen, chunksize=4), strict=True))
    for line in table(found):
        print(line)
    wrong = [(case, problem) for case, (_, problem) in found if problem]
    for case, problem in wrong:
        print(f"{', '.join(problem)}: {case}")
    print(f"\n{len(found)} cases, {len(wrong)} with a problem")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
