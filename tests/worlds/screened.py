"""Calls that the agent has placed and a service screens: it asks for name and reason, and waits.

So do telephones with iOS 26 before they ring. Whoever is called reads the answer, and picks up some
time later, or not. The agent has 6 s for its answer, and says nothing more until somebody speaks.
The model's words are a script's: that a real one answers so is asked of it by
`agent.persona.outbound.CALLS`.
"""

from dataclasses import dataclass
from itertools import pairwise
from random import Random

from telephony.audio.formats import FRAME_MS, FRAME_SAMPLES, ULAW_SILENCE
from telephony.simulator.world import World
from telephony.simulator.world_file import parse
from tests.worlds.sdk import WireSdk

ANSWER_MS = 6_000
"""From the end of the question to the end of the agent's answer, at most."""

WAITS_MS = 25_000
"""How long the screened person takes. An agent asks after 30 s whether somebody is still there."""

LATEST_MS = 4_000
"""The question may begin before the agent greets, while it does, and behind that."""

PAUSE_MS = 500
"""A pause that is longer is none within the answer."""

ANSWER = "Ada of the Harbour Restaurant, about your table."
REPLY = "Thank you for calling. Goodbye."

FILE = """
seed = {seed}
placed = true
[persona]
silence_s = 30.0
still_there = "Are you still there?"
[caller]
[[caller.steps]]
after_ms = {after_ms}
say = "screening"
[[caller.steps]]
wait = "agent"
after_ms = {waits_ms}
say = "speaking"
[[caller.steps]]
wait = "agent"
hang_up = true
[model]
greeting = "words:{answer}"
[[model.turns]]
expect = "screening"
say = "words:{answer}"
[[model.turns]]
expect = "speaking"
say = "goodbye"
"""


@dataclass(frozen=True, slots=True)
class Screened:
    """What the service, and the person behind it, heard in one call.

    Args:
        begun_ms: From the end of the question to the first sound of the answer.
        whole_ms: From there to its last sound, or to the end of a call that lacks name or reason.
        waiting_ms: How much sound the agent made behind its answer, while the service waited.
        replied: Whether the person who spoke then got a reply.
    """

    begun_ms: int
    whole_ms: int
    waiting_ms: int
    replied: bool


def screen(seed: int) -> Screened:
    """One call, whose seed draws when the question begins."""
    after_ms = Random(f"screened {seed}").randint(0, LATEST_MS)
    world = parse(file(seed, after_ms)).world(WireSdk())
    world.run(120_000)
    (began_ms, question), *later = world.phone.said
    asked_ms = began_ms + question.duration_ms
    speaks_ms = later[0][0] if later else world.now_ms
    frames = [at_ms for at_ms in sounds(world) if asked_ms <= at_ms < speaks_ms]
    ends = [first for first, then in pairwise(frames) if then - first > PAUSE_MS] + frames[-1:]
    lines = [(line.role, line.heard) for line in world.store.lines]
    whole = bool(ends) and ("agent", ANSWER) in lines
    return Screened(
        begun_ms=(frames[0] if frames else world.now_ms) - asked_ms,
        whole_ms=(ends[0] + FRAME_MS if whole else world.now_ms) - asked_ms,
        waiting_ms=FRAME_MS * sum(at_ms > ends[0] for at_ms in frames),
        replied=lines[-1] == ("agent", REPLY),
    )


def file(seed: int, after_ms: int) -> str:
    """The world in which the question begins so long after the call was answered."""
    return FILE.format(seed=seed, after_ms=after_ms, waits_ms=WAITS_MS, answer=ANSWER)


def sounds(world: World) -> list[int]:
    """When each frame was heard that is not silent, in ms."""
    silent = ULAW_SILENCE * FRAME_SAMPLES
    return [
        line.media_start_ms + FRAME_MS * n
        for line in world.phone.lines
        for n in range(len(line.heard) // FRAME_SAMPLES)
        if line.heard[n * FRAME_SAMPLES : (n + 1) * FRAME_SAMPLES] != silent
    ]
