"""From scores to figures: what is wanted of each way, and whether it was met."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from tests.benchmarks.quality.judge import Score

LEAST_PESQ, LEAST_STOI = 3.9, 0.99
MOST_BELOW_CODEC = 0.05
LEAST_RIGHT_SHARE = 57 / 60
MOST_LEVEL_DB = 0.5


@dataclass(frozen=True, slots=True)
class Way:
    """One way's prompts: their texts, their scores, and how late each came, by call, in samples."""

    name: str
    texts: Sequence[str]
    scores: Sequence[Score]
    codec_alone: Sequence[Score]
    late_samples: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table. `wanted` is None for a figure that stands beside another."""

    way: str
    name: str
    measured: float
    wanted: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is as wanted; NaN never is."""
        if self.wanted is None:
            return True
        if self.at_least:
            return self.measured >= self.wanted
        return self.measured <= self.wanted


def figures(way: Way) -> list[Figure]:
    """Every figure of one way."""
    scores, codec = way.scores, way.codec_alone
    judged, codec_judged = _mean_pesq(scores), _mean_pesq(codec)
    stoi = fmean(score.stoi for score in scores)
    right = _right(way.texts, scores)
    lost = [late[n] - late[n - 1] for late in way.late_samples for n in range(1, len(late))]
    unjudged = sum(score.pesq is None for score in (*scores, *codec))
    least_right = math.ceil(LEAST_RIGHT_SHARE * len(scores))
    return [
        Figure(way.name, "PESQ, mean", judged, LEAST_PESQ, at_least=True),
        Figure(way.name, "PESQ, codec alone", codec_judged),
        Figure(way.name, "PESQ below the codec alone", codec_judged - judged, MOST_BELOW_CODEC),
        Figure(way.name, "prompts PESQ could not judge", unjudged, 0),
        Figure(way.name, "STOI, mean", stoi, LEAST_STOI, at_least=True),
        Figure(way.name, "STOI, codec alone", fmean(score.stoi for score in codec)),
        Figure(way.name, "sentences right", right, least_right, at_least=True),
        Figure(way.name, "sentences right, codec alone", _right(way.texts, codec)),
        Figure(way.name, "level, most off (dB)", _most(s.level_db for s in scores), MOST_LEVEL_DB),
        Figure(way.name, "drift over a call (samples)", _most(x[-1] for x in way.late_samples), 0),
        Figure(way.name, "samples lost or added", sum(map(abs, lost)), 0),
    ]


def _mean_pesq(scores: Sequence[Score]) -> float:
    judged = [score.pesq for score in scores if score.pesq is not None]
    return fmean(judged) if judged else math.nan


def _right(texts: Sequence[str], scores: Sequence[Score]) -> int:
    return sum(score.sentence == text for text, score in zip(texts, scores, strict=True))


def _most(values: Iterable[float]) -> float:
    return max(map(abs, values), default=math.nan)
