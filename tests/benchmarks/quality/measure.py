"""The whole measurement: prompts in, figures out. Judging takes a process for each core."""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import batched
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from telephony.audio.formats import MODEL_IN_RATE_HZ, PHONE_RATE_HZ
from telephony.audio.g711 import decode, encode
from tests.benchmarks.quality.calls import CUES, carry
from tests.benchmarks.quality.figures import Figure, Way, figures
from tests.benchmarks.quality.judge import Score, cut, judge
from tests.benchmarks.quality.prompts import Prompt
from tests.judges.words import Words

MOST_STALL_MS = 200
"""Half of the gap in the caller's audio that the server fills with silence. A run with a longer one
tells of a busy machine."""

type Heard = tuple[bytes, bytes, int]
"""A prompt, what was heard of it, and the rate of that in Hz."""


def measure(prompts: Sequence[Prompt]) -> tuple[list[Figure], float]:
    """Send the prompts both ways, and judge what arrived and what the codec alone leaves.

    Returns:
        The figures, and for how long this process stalled at most, in ms.

    Raises:
        CallSpoiltError: A call did not go as planned.
    """
    per_call = -(-len(prompts) // len(CUES))
    rows = [[prompt.pcm for prompt in row] for row in batched(prompts, per_call, strict=False)]
    with TemporaryDirectory(prefix="offhook-") as folder:
        recordings, stall_ms = asyncio.run(carry(rows, Path(folder)))
    texts = [prompt.text for prompt in prompts]
    up, up_late = _cut_all([each.at_model for each in recordings], rows, MODEL_IN_RATE_HZ)
    down, down_late = _cut_all([each.at_caller for each in recordings], rows, PHONE_RATE_HZ)
    codec = [(each.pcm, decode(encode(each.pcm)), PHONE_RATE_HZ) for each in prompts]
    with ProcessPoolExecutor(
        os.cpu_count(), get_context("spawn"), initializer=_learn, initargs=(texts,)
    ) as judges:
        scores = list(judges.map(_judge, [*up, *down, *codec], chunksize=5))
    scored_up, scored_down, alone = batched(scores, len(prompts), strict=True)
    return [
        *figures(Way("caller to model", texts, scored_up, alone, up_late)),
        *figures(Way("model to caller", texts, scored_down, alone, down_late)),
    ], stall_ms


def _cut_all(
    recordings: Sequence[bytes], rows: Sequence[Sequence[bytes]], rate_hz: int
) -> tuple[list[Heard], list[list[int]]]:
    heard: list[Heard] = []
    late_samples: list[list[int]] = []
    for recording, row in zip(recordings, rows, strict=True):
        pieces, late = cut(recording, row, rate_hz)
        heard += [(prompt, piece, rate_hz) for prompt, piece in zip(row, pieces, strict=True)]
        late_samples.append(late)
    return heard, late_samples


_known: list[Words] = []
"""Of one judging process: what `_learn` made there."""


def _learn(sentences: Sequence[str]) -> None:
    _known.append(Words({sentence: sentence for sentence in sentences}))


def _judge(heard: Heard) -> Score:
    return judge(*heard, _known[0])
