"""A page of the browser phone whose microphone hears a WAV file, and the server behind it.

Shared by the tests, the figures and the pictures of the documents.
"""

import base64
import json
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.simulator.behaviour import BRISK, Behaviour
from agent.simulator.model import GeminiServer
from agent.simulator.script import Script, Turn
from agent.simulator.voice import clip
from telephony.audio.formats import PHONE_RATE_HZ
from telephony.audio.wav import write_mono
from telephony.browser_phone.dev import Dev, serving
from tests.chromium import Chromium, chromium, microphone
from tests.end_to_end.watching import PATIENCE_S, Step, Watch, observer

CALL_S = 3 * PATIENCE_S
"""Only so that a call that hangs fails."""

BOOKING = Script(
    greeting="still-here",
    turns=(
        Turn("times", expect="table"),
        Turn("name", expect="half-past"),
        Turn("confirm", expect="morgan"),
    ),
)
"""`times` takes 13 s: long enough to be talked over at any time of its first half."""

QUIET_S, INTO_S = 4.0, 5.0
"""The caller waits for the greeting, and talks into the answer so long behind the question."""

TALKS_OVER = (QUIET_S, "table", INTO_S, "half-past")

LINES = (
    "[...document.querySelectorAll('#lines li:not(.note)')]"
    ".map(one => one.innerText.split('\\n').slice(1).join('\\n'))"
)
"""What was said, without who said it."""

RECORD = """
import('/phone/page.js').then(({ call }) => {
    let wav = '';
    for (const byte of call.record.wav()) wav += String.fromCharCode(byte);
    const { notes, samples } = call.record;
    return { wav: btoa(wav), notes, samples, streams: call.streams };
})
"""


@dataclass(frozen=True, slots=True)
class Record:
    """The page's own record of a call.

    Args:
        said: What the caller said, 8 kHz.
        heard: What was played, as long.
        samples: Of each frame, how many of the samples that were played are the server's.
        notes: What the page noted, each with the sample `at` which it happened.
        streams: How many streams there were.
    """

    said: npt.NDArray[np.int16]
    heard: npt.NDArray[np.int16]
    samples: Sequence[int]
    notes: Sequence[dict[str, Any]]
    streams: int

    def noted(self, kind: str) -> list[dict[str, Any]]:
        """The notes of a kind."""
        return [note for note in self.notes if note["kind"] == kind]


@dataclass(frozen=True, slots=True)
class Trial:
    """A server with a browser phone, a page of it, and each step of its calls."""

    dev: Dev
    page: Chromium
    steps: Watch[Step]

    async def shown(self, words: str) -> Sequence[str]:
        """What the page shows of what was said, a line each, once these words are there."""
        lines: list[str] = await self.page.until(
            f"(lines => lines.includes({json.dumps(words)}) && lines)({LINES})", CALL_S
        )
        return lines

    async def record(self) -> Record:
        """The page's record so far."""
        found = await self.page.evaluate(RECORD)
        with wave.open(BytesIO(base64.b64decode(found["wav"]))) as file:
            assert (file.getframerate(), file.getnchannels()) == (PHONE_RATE_HZ, 2)
            both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        return Record(both[:, 0], both[:, 1], found["samples"], found["notes"], found["streams"])

    async def hang_up(self) -> str:
        """Hang up, and return what the page then says of the end."""
        await self.page.click("#hang-up")
        ended: str = await self.page.until("document.getElementById('ended').textContent")
        return ended


def said(*parts: str | float) -> bytes:
    """What a caller says: names of clips, and silences in seconds: PCM16, 8 kHz."""
    return b"".join(
        clip(f"caller/{part}", PHONE_RATE_HZ).pcm
        if isinstance(part, str)
        else bytes(2 * int(part * PHONE_RATE_HZ))
        for part in parts
    )


@asynccontextmanager
async def trial(
    folder: Path,
    heard: bytes,
    script: Script = BOOKING,
    behaviour: Behaviour = BRISK,
    personas: Path | None = None,
) -> AsyncIterator[Trial]:
    """A page whose microphone hears this (PCM16, 8 kHz) from the moment that the call begins."""
    speech = folder / "speech.wav"
    write_mono(speech, heard, PHONE_RATE_HZ)
    steps: Watch[Step] = Watch()
    model = GeminiServer(script, behaviour)
    async with (
        chromium(folder, microphone(speech)) as page,
        serving(script, observer(steps), personas=personas, model=model) as (dev, _),
    ):
        await page.goto(dev.address)
        yield Trial(dev, page, steps)
