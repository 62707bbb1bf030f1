"""Row 9: Gemini's socket is cut at a random instant of a question or its answer."""

from collections import Counter
from collections.abc import Sequence

from tests.faults.figures import p95
from tests.faults.table import Figure, Row, at_most, exactly, scaled
from tests.worlds import judge, scenarios
from tests.worlds.model_lost import Loss, lose

CUTS = 1_000
MOMENTS = ("playing", "generating", "utterance", "thinking", "silence")
UNHEARD = ("silence", "utterance", "playing")
"""Where a cut leaves time to resume before anything is due."""


def measure(share: float) -> Sequence[Figure]:
    """Every moment in turn, each cut at an instant of its own."""
    cuts = scaled(CUTS, share, least=2)
    seen: Counter[str] = Counter()
    delays_ms, excess_ms = [], []
    for n in range(cuts):
        moment = MOMENTS[n % len(MOMENTS)]
        loss = lose.__wrapped__(moment, n)
        seen.update(_wrong(loss))
        if moment in UNHEARD:
            delays_ms.append(max(0, loss.delay_ms))
        else:
            excess_ms.append(loss.late_ms - loss.most_late_ms + ALLOWED_MS)
    return [
        Figure("cuts", cuts, None),
        Figure("caller's speech no session received", seen["unheard ms"], exactly(0), "ms"),
        Figure("answers missing, doubled or with a gap", seen["answers"], exactly(0)),
        Figure("lines wrong, lost or doubled", seen["lines"], exactly(0)),
        Figure("gap, p95: cut in silence or a received reply", p95(delays_ms), at_most(250), "ms"),
        Figure("else: over setup and one thought, p95", p95(excess_ms), at_most(400), "ms"),
        Figure("else: over setup and one thought, most", max(excess_ms), at_most(400), "ms"),
    ]


ALLOWED_MS = 400
"""What `Loss.most_late_ms` allows beyond setup and thought."""


def _wrong(loss: Loss) -> dict[str, int]:
    replies = judge.replies(loss.world)
    expected = [scenarios.GREETING, *(scenarios.ANSWERS[name] for name in loss.asked)]
    whole = [reply.name for reply in replies if not reply.cut]
    return {
        "unheard ms": judge.unheard_speech_ms(loss.world),
        "answers": (whole != expected) + sum(reply.gaps for reply in replies),
        "lines": loss.lines_wrong,
    }


ROWS = (Row(9, "Gemini's socket is reset at a random instant", measure, virtual=True),)
