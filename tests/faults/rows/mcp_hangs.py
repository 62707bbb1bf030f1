"""Row 73: an MCP server hangs while a caller waits for one of its tools."""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse
from agent.simulator.server import SimulatedGemini
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.simulator.report import Report
from tests.end_to_end.scripts import SAY_MORGAN, caller
from tests.end_to_end.serving import place, serving
from tests.faults.table import Figure, Row, at_most, exactly, scaled

CALLS = 20
AT_ONCE = 5
WAITS_MS = 8_000
"""So long the caller listens after the question: past the filler, and past the tool's timeout."""

SAYS_MS, SPEAKS = 400, 2
"""What is longer is said. The agent speaks after 1.2 s, and again when the tool is late."""

HEARD = 200
"""The least amplitude of a sample that is heard, of 32 767."""

SHOP = Path(__file__).parents[2] / "agent/tools/mcp_shop.py"
PERSONA = f"""
name = "Mira"
instructions = "You are Mira."
greeting = "Hello."
[mcp.shop]
command = ["{sys.executable}", "{SHOP}"]
[[tools]]
mcp = "shop:hangs"
"""

MODEL = parse(
    """
    [[turns]]
    expect = "morgan"
    call = { tool = "hangs", arguments = { order = "4711" } }
    say = "words:It is done."
    """
)


def longest_silence_ms(report: Report) -> int:
    """The longest time in which the caller heard nothing, once their question was finished."""
    said, heard = (
        np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(int)) >= HEARD)
        for pcm in (report.said_pcm(), report.heard_pcm())
    )
    after = heard[heard > said[-1]]
    end = len(report.heard_pcm()) // 2
    return int(np.diff(after, prepend=said[-1], append=end).max()) // PHONE_SAMPLES_PER_MS


def measure(share: float) -> Sequence[Figure]:
    """Each caller asks for what only the hung tool knows, and listens for 8 s."""
    reports = asyncio.run(_reports(scaled(CALLS, share)))
    return [
        Figure("calls", len(reports), None),
        Figure("calls with a problem", sum(bool(r.problems) for r in reports), exactly(0)),
        Figure("calls in which the agent did not speak", sum(map(_silent, reports)), exactly(0)),
        Figure(
            "longest silence",
            max(map(longest_silence_ms, reports)),
            at_most(1_500),
            "ms",
            wall_time=True,
        ),
    ]


def _silent(report: Report) -> bool:
    """Whether the greeting was all, but for the sounds of waiting, which are shorter."""
    return sum(turn.ended_ms - turn.started_ms > SAYS_MS for turn in report.turns[1:]) < SPEAKS


async def _reports(calls: int) -> list[Report]:
    script = caller(SAY_MORGAN, f"after_ms = {WAITS_MS}\nhang_up = true")
    found: list[Report] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mira.toml"
        file.write_text(PERSONA)
        async with (
            SimulatedGemini(GeminiServer(MODEL, BRISK)) as gemini,
            serving(gemini, personas=file) as worker,
        ):
            while len(found) < calls:
                at_once = min(AT_ONCE, calls - len(found))
                found += await asyncio.gather(*(place(script, worker.url) for _ in range(at_once)))
    return found


ROWS = (Row(73, "an MCP server hangs", measure),)
