"""Row 60: a worker is killed between the caller's last word and the answer's first."""

from collections.abc import Sequence
from random import Random

from agent.conversation.events import CallerSaid
from agent.simulator.voice import clip
from telephony.simulator.world_faults import KillWorker
from tests.faults.table import Figure, Row, at_least, exactly, scaled
from tests.worlds import judge, scenarios

CALLS = 200
PAUSE_MS = 4_000
"""The caller is patient: who asks again would be answered in any case."""

NO_SOUND = "nobody had written it down, and no sound is stored"

BEFORE_MS = 40
"""The last kill comes so long before the answer is heard."""


def measure(share: float) -> Sequence[Figure]:
    """Whether what is asked for is what the checkpoint says is owed, and asked for once.

    Words that nobody has written down yet die with the worker, for no sound is stored: the model is
    made to speak, and has to ask for them.
    """
    calls = scaled(CALLS, share, least=6)
    known, answered, spoke, twice, complaints = 0, 0, 0, 0, 0
    for seed in range(calls):
        rng = Random(seed)
        asked = rng.sample(scenarios.QUESTIONS, 2)
        answer = scenarios.ANSWERS[asked[1]]
        steps = scenarios.questions(*asked, after_ms=PAUSE_MS)
        uncut = scenarios.world(steps, seed, scenarios.ROW)
        spoken_ms = uncut.phone.said[1][0] + int(clip(f"caller/{asked[1]}").duration_ms)
        heard_ms = next(r.spans[0].at_ms for r in judge.replies(uncut) if r.name == answer)
        at_ms = rng.randint(spoken_ms, heard_ms - BEFORE_MS)
        world = scenarios.world(steps, seed, scenarios.ROW, (at_ms, KillWorker()))
        after = [reply.name for reply in judge.replies(world) if reply.stream == 1]
        words = [s for s in world.steps if s.worker == 1 and isinstance(s.event, CallerSaid)]
        told = any(spoken_ms <= step.at_ms for step in words)
        known += told
        answered += told and after == [answer]
        spoke += len(after) >= 1
        twice += len(after) > 1
        complaints += len(world.store.complaints)
    return [
        Figure("calls", calls, None),
        Figure("calls whose caller was spoken to, unasked", spoke, exactly(calls)),
        Figure("calls whose question was written down before", known, at_least(1)),
        Figure("of these not answered", known - answered, exactly(0)),
        Figure("callers who had to say it again", calls - known, exactly(0), known=NO_SOUND),
        Figure("answered twice", twice, exactly(0)),
        Figure("lines lost, twice or out of order", complaints, exactly(0)),
    ]


ROWS = (
    Row(60, "a worker is killed between question and answer", measure, virtual=True, cost_s=70),
)
