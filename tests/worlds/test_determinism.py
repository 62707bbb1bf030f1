"""A run is a seed: the same one gives the same call, to the last byte."""

from agent.simulator.behaviour import Behaviour
from agent.simulator.faults import Reset
from telephony.simulator.world_faults import KillWorker, LoseStream
from tests.worlds import judge, scenarios


def fingerprint(seed: int) -> str:
    steps = scenarios.questions_by_the_clock("q1", "repeat", "q3", "q4")
    faults = ((9_000, Reset()), (19_000, LoseStream()), (28_000, KillWorker()))
    return judge.fingerprint(scenarios.world(steps, seed, Behaviour(), *faults))


def test_the_same_seed_gives_the_same_commands() -> None:
    assert fingerprint(1) == fingerprint(1)


def test_another_seed_gives_others() -> None:
    assert fingerprint(1) != fingerprint(2)
