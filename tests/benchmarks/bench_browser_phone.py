"""How well the browser phone carries a call, through a real headless Chromium.

    python tests/benchmarks/bench_browser_phone.py

Speech from the page to the server is judged by PESQ, beside the codec alone. A barge-in is counted
in samples of the page's own record: from the first one of the caller's speech to the last one that
was heard of the reply.
"""
# ruff: noqa: T201 -- printing is what this script is for

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parents[2]))

from agent.simulator.script import Script
from agent.simulator.voice import clip
from telephony.audio.formats import FRAME_SAMPLES, PHONE_RATE_HZ, PHONE_SAMPLES_PER_MS
from telephony.audio.g711 import decode, encode
from telephony.twilio.messages import Media
from tests.benchmarks.quality.judge import cut, in_a_row, judge
from tests.browser.trial import INTO_S, QUIET_S, TALKS_OVER, Record, said, trial
from tests.judges.words import Words

AUDIBLE = 300
"""A sample of this size is sound, in int16."""

SENTENCES = 3


async def speech(folder: Path) -> tuple[list[float | None], float | None]:
    """PESQ of each sentence as the server got it, and of the codec alone."""
    sentence = clip("caller/table", PHONE_RATE_HZ)
    row = [sentence.pcm] * SENTENCES
    heard = said(QUIET_S) + in_a_row(row) + said(30.0)
    async with trial(folder, heard, Script((), greeting="still-here")) as tried:
        await tried.page.click("summary")
        await tried.page.click("#cancels")
        await tried.page.click("#call")
        await tried.shown(clip("agent/sorry").text)
        await tried.hang_up()
    media = [step.event for step in tried.steps.seen if isinstance(step.event, Media)]
    received = b"".join(decode(each.payload) for each in media)
    pieces, _ = cut(received, row, PHONE_RATE_HZ)
    known = Words({sentence.text: sentence.text})
    scores = [judge(sentence.pcm, piece, PHONE_RATE_HZ, known).pesq for piece in pieces]
    coded = decode(encode(sentence.pcm))
    return scores, judge(sentence.pcm, coded, PHONE_RATE_HZ, known).pesq


async def barge_in(folder: Path) -> float:
    """For how long the reply was still heard once the caller spoke, in ms."""
    async with trial(folder, said(*TALKS_OVER, 60.0)) as tried:
        await tried.page.click("#call")
        await tried.shown(clip("agent/name").text)
        record = await tried.record()
        await tried.hang_up()
    return heard_on_ms(record)


def heard_on_ms(record: Record) -> float:
    """The same, of one record."""
    question = np.frombuffer(said(QUIET_S, "table", INTO_S), "<i2")
    over = np.frombuffer(said("half-past"), "<i2")
    late = first_sound(record.said) - first_sound(question)  # the record began before the speech
    spoke = late + len(question) + first_sound(over)
    (clear,) = record.noted("clear")
    last = clear["at"] // FRAME_SAMPLES - 1
    silent = last * FRAME_SAMPLES + record.samples[last]
    return float(silent - spoke) / PHONE_SAMPLES_PER_MS


def first_sound(samples: npt.NDArray[np.int16]) -> int:
    """Where sound begins."""
    return int(np.argmax(np.abs(samples.astype(int)) > AUDIBLE))


async def main() -> None:
    """Print both."""
    with TemporaryDirectory() as folder:
        scores, alone = await speech(Path(folder))
        print(f"PESQ, page to server: {', '.join(f'{score or 0:.3f}' for score in scores)}")
        print(f"PESQ, the codec alone: {alone or 0:.3f}")
        print(f"a barge-in is heard as silence after {await barge_in(Path(folder)):.0f} ms")


if __name__ == "__main__":
    asyncio.run(main())
