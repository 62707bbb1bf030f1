"""Two callers at once who talk over the agent again and again, for a test and a measurement."""

import asyncio
from dataclasses import dataclass
from random import Random

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import Script, Turn
from agent.simulator.server import SimulatedGemini
from agent.simulator.voice import clip
from agent.store.base import CallRecord
from telephony.audio.g711 import encode
from telephony.audio.resample import model_to_phone
from telephony.simulator import wire
from telephony.simulator.line import Line
from telephony.simulator.report import Report
from tests.end_to_end.scripts import HANG_UP, caller
from tests.end_to_end.serving import place, serving

CALLS = 2
BARGE_INS = 10

ANSWERS = ("a1", "a2", "a3", "a4", "a5")

TALKATIVE = Script(turns=tuple(Turn(name) for name in ANSWERS))
"""Each answer is unlike the one before it, so that a byte of an old reply shows in the next."""


def ulaw_of(name: str) -> bytes:
    """An agent's clip as the caller gets it."""
    resampler = model_to_phone()
    return encode(resampler.push(clip(f"agent/{name}").pcm) + resampler.flush())


def between_clears(line: Line) -> list[bytes]:
    """The audio Twilio got: up to the first clear, between clears, after the last."""
    runs = [b""]
    for each in line.received:
        match each.message:
            case wire.Media() as media:
                runs[-1] += media.media.payload
            case wire.Clear():
                runs.append(b"")
    return runs


@dataclass(frozen=True, slots=True)
class Lived:
    """How the calls went: reports, records, and the least share heard of any of their words."""

    reports: list[Report]
    records: list[CallRecord | None]
    least_coverage: float

    def stretches(self) -> list[list[bytes]]:
        """Of each call, the audio between its clears."""
        return [between_clears(report.lines[0]) for report in self.reports]

    def stale(self) -> int:
        """Stretches that are not the beginning of one reply."""
        clips = [ulaw_of(name) for name in ("greeting", *ANSWERS)]
        return sum(
            not any(clip.startswith(stretch) for clip in clips)
            for stretches in self.stretches()
            for stretch in stretches[:-1]
        )


async def live() -> Lived:
    """Both calls, over real sockets, from the greeting to the answer that is heard whole."""
    random = Random(2026)
    scripts = [
        caller(
            *[
                f'barge_in_ms = {random.randint(60, 700)}\nsay = "{("morgan", "q2")[n % 2]}"'
                for n in range(BARGE_INS)
            ],
            HANG_UP,
        )
        for _ in range(CALLS)
    ]
    async with (
        SimulatedGemini(GeminiServer(TALKATIVE, BRISK)) as gemini,
        serving(gemini) as worker,
    ):
        async with asyncio.TaskGroup() as calls:
            tasks = [
                calls.create_task(place(script, worker.url, seed=seed))
                for seed, script in enumerate(scripts)
            ]
        reports = [task.result() for task in tasks]
        records = [await worker.server.worker.store.look_up(each.call_sid) for each in reports]
        return Lived(reports, records, min(heard.coverage for heard in gemini.server.heard))
