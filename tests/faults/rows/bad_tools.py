"""Row 44: a tool hangs, raises, computes, or returns 5 MB or nothing; and one that takes 5 s.

Each tool is called in a call of its own, all at once, in a worker process whose event loop tells
how late its timers come. A caller who has heard the agent asks for something else, and is answered.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.simulator.script import parse as model_script
from telephony.simulator.report import Report
from telephony.simulator.script import Script
from tests.agent.tools.shop import Shop
from tests.end_to_end.scripts import caller
from tests.faults.fleet import percentile, running
from tests.faults.table import SMALLEST, Figure, Row, at_least, at_most, exactly, scaled
from tests.worlds.tools import LONGEST_SILENCE_MS, longest_silence_ms

ROUNDS = 20

TOOLS = """
import time
from agent.tools import tool

@tool(idempotent=True)
def hangs() -> str:
    '''Hangs.'''
    time.sleep(60)
    return "late"

@tool(idempotent=True)
def raises() -> str:
    '''Raises.'''
    raise KeyError("order")

@tool(idempotent=True)
def floods() -> dict[str, object]:
    '''Returns 5 MB.'''
    return {{"rows": [{{"n": n, "text": "x" * 90}} for n in range(50_000)], "status": "done"}}

@tool(idempotent=True)
def nothing() -> None:
    '''Returns nothing.'''

@tool(idempotent=True)
def computes() -> int:
    '''Computes, without a pause.'''
    until_s, n = time.monotonic() + {computes_s}, 0
    while time.monotonic() < until_s:
        n += 1
    return n
"""

PERSONA = """
name = "Mira"
instructions = "You are Mira."
greeting = "Hello there."

[[tools]]
name = "reads"
description = "Reads 5 MB from the web."
url = "{shop}/flood"
allow_private = true
"""

CALLED = {
    "hangs": "q1",
    "raises": "q2",
    "floods": "q3",
    "nothing": "q4",
    "computes": "q5",
    "reads": "repeat",
}
"""Each tool, and what a caller says to have it called."""

MODEL = model_script(
    "".join(
        f'[[turns]]\nexpect = "{says}"\ncall = {{ tool = "{name}" }}\nsay = "a1"\nfailed = "a2"\n'
        for name, says in CALLED.items()
    )
    + '[[turns]]\nexpect = "morgan"\nsay = "goodbye"\n'
)


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it: the calls by tool, and how late timers were."""

    reports: Sequence[tuple[str, Report]]
    late_us: Sequence[int]


def measure(share: float) -> Sequence[Figure]:
    """Call each of them so often."""
    rounds = scaled(ROUNDS, share)
    found = asyncio.run(_found(rounds, computes_s=0.3 if share == SMALLEST else 3))
    stuck = [name for name, report in found.reports if report.problems]
    waits = [(turn.response_ms or 0) / 1000 for _, report in found.reports for turn in report.turns]
    lag_ms = percentile(found.late_us, 0.99) / 1000
    silence_ms = longest_silence_ms(5_000)
    return [
        Figure(f"calls of {len(CALLED)} tools", len(found.reports), None),
        Figure("of these that did not go on", len(stuck), exactly(0)),
        Figure("the agent speaks after", max(waits), at_most(4), "s", wall_time=True),
        Figure("timers looked at", len(found.late_us), at_least(100)),
        Figure("loop lag, p99", lag_ms, at_most(10), "ms", wall_time=True),
        Figure("loop lag, longest", max(found.late_us) / 1000, None, "ms", wall_time=True),
        Figure("a tool of 5 s: longest silence", silence_ms, at_most(LONGEST_SILENCE_MS), "ms"),
    ]


async def _found(rounds: int, computes_s: float) -> Found:
    reports: list[tuple[str, Report]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bad_tools_of_row_44.py").write_text(TOOLS.format(computes_s=computes_s))
        async with Shop() as shop:
            own = [f'\n[[tools]]\npython = "bad_tools_of_row_44:{each}"\n' for each in CALLED]
            text = PERSONA.format(shop=shop.url) + "".join(own[:-1])
            (folder / "mira.toml").write_text(text)
            async with running(1, model=MODEL, PERSONAS=name, TELL_LAG="1") as fleet:
                for _ in range(rounds):
                    async with asyncio.TaskGroup() as tasks:
                        placed = {
                            each: tasks.create_task(fleet.place(_says(says)))
                            for each, says in CALLED.items()
                        }
                    reports += [(each, task.result()) for each, task in placed.items()]
                told = [each for each in fleet.told.seen if each.what == "lag"]
    return Found(reports, [us for each in told for us in each.late_us])


def _says(name: str) -> Script:
    return caller(
        f'wait = "agent"\nsay = "{name}"',
        'wait = "agent"\nsay = "morgan"',
        'until_said = "goodbye"\nhang_up = true',
    )


ROWS = (Row(44, "a tool hangs, raises, computes, returns 5 MB or nothing", measure),)
