"""Row 9: Gemini's socket is cut at a random instant of a question or its answer."""

from collections import Counter
from collections.abc import Sequence
from statistics import median as p50

from agent.conversation.events import SessionLost
from tests.faults.figures import p95
from tests.faults.table import Figure, Row, at_most, exactly, scaled
from tests.worlds import judge, scenarios, seams
from tests.worlds.model_lost import WORD_FRAMES, Loss, lose
from tests.worlds.unheard import unheard_speech_ms

CUTS = 1_000
MOMENTS = ("playing", "generating", "utterance", "thinking", "silence")
UNHEARD = ("silence", "utterance", "playing")
"""Where a cut leaves time to resume before anything is due."""


def measure(share: float) -> Sequence[Figure]:
    """Every moment in turn, each cut at an instant of its own."""
    cuts = scaled(CUTS, share, least=len(MOMENTS))
    seen: Counter[str] = Counter()
    delays_ms: list[int] = []
    lost: list[int] = []
    twice: list[int] = []
    later_ms: dict[str, list[int]] = {"thinking": [], "generating": []}
    for n in range(cuts):
        moment = MOMENTS[n % len(MOMENTS)]
        loss = lose.__wrapped__(moment, n)
        seen.update(_counts(loss))
        if moment in UNHEARD:
            delays_ms.append(max(0, loss.delay_ms))
        else:
            later_ms[moment].append(loss.delay_ms)
        if moment == "generating":
            [answer] = [s for s in seams.said(loss.world) if s.name == loss.answer]
            lost.append(answer.lost_frames)
            twice.append(answer.twice_frames)
    anew = later_ms["generating"]
    return [
        Figure("cuts", cuts, None),
        Figure("cuts that came", seen["cuts"], exactly(cuts)),
        Figure("caller's speech no session received", seen["unheard ms"], exactly(0), "ms"),
        Figure("answers missing, doubled or with a gap", seen["answers"], exactly(0)),
        Figure("lines wrong, lost or doubled", seen["lines"], exactly(0)),
        Figure("gap, p95: cut in silence or a received reply", p95(delays_ms), at_most(250), "ms"),
        Figure("thinking: answer heard later, p95", p95(later_ms["thinking"]), MOST, "ms"),
        Figure("thinking: answer heard later, most", max(later_ms["thinking"]), MOST, "ms"),
        Figure("generating: answer heard later, p95", p95(anew), MOST, "ms"),
        Figure("generating: answer heard later, most", max(anew), MOST, "ms"),
        Figure("generating: speech lost, most", max(lost), at_most(WORD_FRAMES - 1), "frames"),
        Figure("generating: speech heard twice, most", max(twice), None, "frames"),
        Figure("generating: the same, p50", p50(twice), None, "frames"),
    ]


MOST = at_most(scenarios.ROW.setup_ms[1] + scenarios.ROW.think_ms[1] + 400)
"""Than in the same seed uncut: the setup that the simulator was told, one thought, and 400 ms."""


def _counts(loss: Loss) -> dict[str, int]:
    replies = judge.replies(loss.world)
    return {
        "cuts": sum(isinstance(step.event, SessionLost) for step in loss.world.steps),
        "unheard ms": unheard_speech_ms(loss.world),
        "answers": loss.said_wrong + sum(reply.gaps for reply in replies),
        "lines": loss.lines_wrong,
    }


ROWS = (Row(9, "Gemini's socket is reset at a random instant", measure, virtual=True, cost_s=450),)
