"""Row 53: calls are recorded only where their owner wants it, callers are told, and may refuse."""

import asyncio
import tempfile
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from time import monotonic
from typing import Any

import structlog
from structlog.testing import capture_logs

from agent.conversation.commands import StopRecording
from agent.conversation.tool_events import ToolCalled
from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse as model_script
from agent.simulator.server import SimulatedGemini
from telephony.call.commands import Command
from telephony.call.events import Event
from telephony.replay.verdict import Options, judge
from telephony.simulator.report import Report
from tests.end_to_end.scripts import HANG_UP, caller
from tests.end_to_end.serving import place, serving
from tests.end_to_end.watching import Watch
from tests.faults.table import Figure, Row, at_most, exactly, scaled

CALLS = 20
STOPPED_MS, DELETED_S = 1_000, 60

NOTICE = "This call is recorded."
PERSONA = 'name = "Mira"\ninstructions = "You are Mira."\n'
RECORDS = f'[recording]\non = true\nnotice = "{NOTICE}"\n'

SAYS = 'wait = "agent"\nsay = "{}"'
REFUSES, AGREES = "q1", "morgan"
MODEL = model_script(
    'greeting = "still-here"\n'
    f'[[turns]]\nexpect = "{REFUSES}"\ncall = {{ tool = "stop_recording" }}\nsay = "sorry"\n'
    f'[[turns]]\nexpect = "{AGREES}"\nsay = "goodbye"\n'
)


def measure(share: float) -> Sequence[Figure]:
    """Calls of an agent that records nothing; then of one that does, half of which are refused."""
    return asyncio.run(_measure(scaled(CALLS, share)))


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one call, as an observer sees it."""

    call_sid: str
    event: Event
    now_ms: int
    commands: tuple[Command, ...]


async def _measure(calls: int) -> Sequence[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain, _, _ = await _calls(folder, PERSONA, [AGREES] * calls)
        unwanted = len(_recordings(folder))
        saying = [AGREES, REFUSES] * calls
        with _everything_logged() as logs:
            reports, steps, deleted_s = await _calls(folder, PERSONA + RECORDS, saying)
        left = {path.name.partition(".")[0] for path in _recordings(folder)}
        refused = {report.call_sid for report in reports[1::2]}
        agreed = {report.call_sid for report in reports[::2]}
        replayed = [judge(path, Options()).passed for path in _recordings(folder)]
    told = [each["call_sid"] for each in logs if each["event"].startswith("recording refused")]
    untold = [report for report in reports if report.announced[:1] != (NOTICE,)]
    return [
        Figure("calls of an agent that records nothing", len(plain), None),
        Figure("recordings of these", unwanted, exactly(0)),
        Figure("calls of an agent that records", len(reports), None),
        Figure("callers who were not told before the stream", len(untold), exactly(0)),
        Figure("recordings missing of callers who agreed", len(agreed - left), exactly(0)),
        Figure("of these that do not replay equal", replayed.count(False), exactly(0)),
        Figure("recordings left of callers who refused", len(refused & left), exactly(0)),
        Figure("refused: stopped after", _stopped_ms(steps), at_most(STOPPED_MS), "ms"),
        Figure("refused: deleted after", deleted_s, at_most(DELETED_S), "s", wall_time=True),
        Figure("refusals without a line in the log", len(refused - set(told)), exactly(0)),
    ]


@contextmanager
def _everything_logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged, also where the log is set to tell next to nothing, as for all rows."""
    before = structlog.get_config()
    structlog.reset_defaults()
    try:
        with capture_logs() as logs:
            yield logs
    finally:
        structlog.configure(**before)


async def _calls(
    folder: Path, persona: str, saying: Sequence[str]
) -> tuple[list[Report], list[Step], float]:
    """Place calls, two at once. Returns how they went, and how long the last deletion took."""
    steps: Watch[Step] = Watch()

    def observe(call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
        steps(Step(call_sid, event, now_ms, tuple(commands)))

    file = folder / "mira.toml"
    file.write_text(persona)
    reports, longest_s = [], 0.0
    async with (
        SimulatedGemini(GeminiServer(MODEL, BRISK)) as gemini,
        serving(gemini, observe, personas=file, state_dir=str(folder)) as worker,
    ):
        for n, pair in enumerate(batched(saying, 2, strict=False), 1):
            async with asyncio.TaskGroup() as tasks:
                scripts = [caller(SAYS.format(each), HANG_UP) for each in pair]
                placing = [tasks.create_task(place(each, worker.url)) for each in scripts]
                if REFUSES in pair:
                    stopped = await steps.until(_stops, times=n)
                    longest_s = max(longest_s, await _deleted(folder, stopped.call_sid))
            reports += [each.result() for each in placing]
    return reports, steps.seen, longest_s


def _stops(step: Step) -> bool:
    return any(isinstance(command, StopRecording) for command in step.commands)


async def _deleted(folder: Path, call_sid: str) -> float:
    began_s = monotonic()
    while any(path.name.startswith(call_sid) for path in _recordings(folder)):
        await asyncio.sleep(0.01)
        if monotonic() - began_s > DELETED_S:
            break
    return monotonic() - began_s


def _recordings(folder: Path) -> list[Path]:
    return sorted((folder / "recordings").glob("*.call"))


def _stopped_ms(steps: Sequence[Step]) -> int:
    """How long after the model's call nothing more was recorded, at most."""
    longest_ms = 0
    for call_sid in {step.call_sid for step in steps if _stops(step)}:
        own = [step for step in steps if step.call_sid == call_sid]
        called_ms = next(step.now_ms for step in own if isinstance(step.event, ToolCalled))
        stopped_ms = next(step.now_ms for step in own if _stops(step))
        longest_ms = max(longest_ms, stopped_ms - called_ms)
    return longest_ms


ROWS = (Row(53, "callers who are recorded agree, or refuse", measure),)
