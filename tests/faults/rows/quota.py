"""Row 19: there is no room for one session more, at the beginning of a call and in its middle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.conversation.commands import OpenModel
from agent.conversation.events import SessionLost
from agent.simulator.behaviour import Behaviour
from agent.simulator.faults import RefuseConnect, Reset
from telephony.call.ending import EndedReason
from telephony.simulator.network import GOOD
from telephony.simulator.world import World
from telephony.simulator.world_faults import WorldFault
from tests.faults.table import Figure, Row, at_most, exactly, scaled
from tests.worlds import scenarios

SEEDS = 200
LOST_AT_MS = 8_000
REFUSALS = (
    RefuseConnect(429, "RESOURCE_EXHAUSTED"),
    RefuseConnect(1011, "RESOURCE_EXHAUSTED: Maximum concurrent sessions exceeded."),
)
APOLOGY_MS = GOOD.twilio_ms[1] + GOOD.resume_webhook_ms[1]
"""From our giving up to the first word of the apology."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call went: from the first sign of trouble to the apology, and the attempts."""

    took_ms: int
    attempts: int
    reason: str


def measure(share: float) -> Sequence[Figure]:
    """Calls that never get a session, and calls that lose theirs and get no other."""
    seeds = range(scaled(SEEDS, share))
    first = [_lived(seed, 0, [(0, refusal)] * 10) for seed in seeds for refusal in REFUSALS]
    later = [
        _lived(seed, LOST_AT_MS, [*[(LOST_AT_MS - 1, refusal)] * 10, (LOST_AT_MS, Reset())])
        for seed in seeds
        for refusal in REFUSALS
    ]
    return [*_figures("at the beginning", first), *_figures("in mid-call", later)]


def _lived(seed: int, since_ms: int, faults: Sequence[tuple[int, WorldFault]]) -> Outcome:
    world = scenarios.world(
        scenarios.questions_by_the_clock("q1", "q2", "q3"), seed, Behaviour(), *faults
    )
    ended = world.worker.ended
    lost_ms = next((s.at_ms for s in world.steps if isinstance(s.event, SessionLost)), since_ms)
    return Outcome(
        took_ms=world.steps[-1].at_ms + APOLOGY_MS - lost_ms,
        attempts=_attempts(world, lost_ms),
        reason="" if ended is None else ended.reason,
    )


def _attempts(world: World, since_ms: int) -> int:
    dialled = (s for s in world.steps if s.at_ms >= since_ms)
    return sum(isinstance(command, OpenModel) for s in dialled for command in s.commands)


def _figures(when: str, outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    other = sum(each.reason != EndedReason.MODEL_QUOTA for each in outcomes)
    took_ms = max(each.took_ms for each in outcomes)
    yield Figure(f"{when}: calls", len(outcomes), None)
    yield Figure(f"{when}: that end for another reason", other, exactly(0))
    yield Figure(f"{when}: attempts, most", max(o.attempts for o in outcomes), at_most(3))
    yield Figure(f"{when}: until the apology, longest", took_ms / 1000, at_most(3), "s")


ROWS = (Row(19, "no room for one session more (429, quota)", measure, virtual=True, cost_s=40),)
