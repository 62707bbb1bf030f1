"""A caller who talks over the agent again and again, on two lines at once."""

import asyncio
from random import Random

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import Script, Turn
from agent.simulator.server import SimulatedGemini
from agent.simulator.voice import clip
from telephony.audio.formats import ULAW_SILENCE
from telephony.audio.g711 import encode
from telephony.audio.resample import model_to_phone
from telephony.simulator import wire
from telephony.simulator.line import Line
from tests.end_to_end.scripts import HANG_UP, caller
from tests.end_to_end.serving import place, serving

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


async def test_each_of_twenty_barge_ins_is_one_clear_with_nothing_stale_behind_it() -> None:
    random = Random(2026)
    scripts = [
        caller(
            *[
                f'barge_in_ms = {random.randint(60, 700)}\nsay = "{("morgan", "q2")[n % 2]}"'
                for n in range(BARGE_INS)
            ],
            HANG_UP,
        )
        for _ in range(2)
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

    clips = [ulaw_of(name) for name in ("greeting", *ANSWERS)]
    for report, record in zip(reports, records, strict=True):
        assert report.problems == ()
        assert report.warnings == {}
        [line] = report.lines
        replies = between_clears(line)
        assert len(replies) == 1 + BARGE_INS
        for reply in replies[:-1]:
            assert reply
            assert any(clip.startswith(reply) for clip in clips)
        assert any(replies[-1].rstrip(ULAW_SILENCE) == clip.rstrip(ULAW_SILENCE) for clip in clips)

        assert record is not None
        *cut, last = [entry for entry in record.lines if entry.role == "agent"]
        assert last.heard == last.text
        for entry in cut:
            assert entry.text.startswith(entry.heard)
            assert entry.heard != entry.text
    assert all(heard.coverage == 1 for heard in gemini.server.heard)
