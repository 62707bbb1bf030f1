"""Row 68: the caller talks over a reply that a lost session had broken off."""

from collections.abc import Sequence
from random import Random

from agent.conversation.events import SessionReady
from agent.simulator.faults import Reset
from telephony.call.commands import SendClear
from telephony.simulator.script import HangUp, Step
from tests.faults.table import Figure, Row, at_most, exactly, scaled
from tests.worlds import judge, scenarios
from tests.worlds.stale import stale_bytes

CALLS = 100
LONG = "repeat"
"""Its answer is generated for 2.7 s and heard for 11.5 s."""

BARGE_IN_MS = (1_500, 2_600)
LOST_BEFORE_MS = (100, 500)
"""So long before the caller speaks the session is lost: the next one has said nothing yet."""

PAUSE_MS = 5_000
TOLD_MS = 1_300
"""The next session tells of the caller's voice a second after it began."""


def measure(share: float) -> Sequence[Figure]:
    """Whether it is cleared before the next answer comes, and how soon."""
    calls = scaled(CALLS, share, least=3)
    after_ms, stale, unanswered = [], 0, 0
    for seed in range(calls):
        rng = Random(seed)
        barge_in_ms = rng.randint(*BARGE_IN_MS)
        asked = rng.choice(scenarios.QUESTIONS)
        steps = [
            Step(wait_for_agent=True, after_ms=500, deed=scenarios.say(LONG)),
            Step(barge_in_ms=barge_in_ms, deed=scenarios.say(asked)),
            Step(wait_for_agent=True, after_ms=PAUSE_MS, deed=HangUp()),
        ]
        uncut = scenarios.world(steps, seed, scenarios.ROW)
        lost_ms = uncut.phone.said[1][0] - rng.randint(*LOST_BEFORE_MS)
        world = scenarios.world(steps, seed, scenarios.ROW, (lost_ms, Reset()))
        began_ms = world.phone.said[1][0]
        clears = [w.at_ms for w in world.written if isinstance(w.command, SendClear)]
        ready_ms = max(s.at_ms for s in world.steps if isinstance(s.event, SessionReady))
        after_ms += [ms - max(began_ms, ready_ms) for ms in clears[:1]]
        stale += stale_bytes(world)
        replies = judge.replies(world)
        unanswered += replies[-1].name != scenarios.ANSWERS[asked] or replies[-1].cut
    return [
        Figure("calls", calls, None),
        Figure("replies not cleared", calls - len(after_ms), exactly(0)),
        Figure(
            "cleared after a session heard the caller, latest",
            max(after_ms),
            at_most(TOLD_MS),
            "ms",
        ),
        Figure("stale bytes", stale, exactly(0)),
        Figure("questions not answered whole", unanswered, exactly(0)),
    ]


ROWS = (Row(68, "barge-in over a reply that a loss broke off", measure, virtual=True, cost_s=30),)
