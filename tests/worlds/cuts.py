"""Cuts a call: its worker dies after a step, and a fresh `Call` continues from the stored data.

python -m tests.worlds.cuts                             # seeds, then every step of every file
python -m tests.worlds.cuts --world barge-in --step 42  # one of them, to examine
python -m tests.worlds.cuts --seed 17                   # a world drawn by a seed, cut once
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random

from telephony.call.events import Tick
from telephony.simulator.drawn import draw
from telephony.simulator.world import World
from telephony.simulator.world_spec import WorldSpec, load
from telephony.twilio.messages import Media
from tests.worlds.invariants import broken
from tests.worlds.sdk import WireSdk

FIXTURES = Path(__file__).parents[2] / "fixtures" / "calls"
FILES = {path.stem: path for path in Path(__file__).with_name("files").glob("*.toml")} | {
    path.parent.name: path for path in FIXTURES.glob("*.call/world.toml")
}
NAMES = tuple(sorted(FILES))
CONTROL_CUTS, MEDIA_CUTS = 4, 1
"""Of each file in `make test`: a sample, so that all cost a minute. `make cuts` does every step."""
SEEDS = 2_000
"""Of `make cuts`."""
LATEST_STEP = 400
"""Most calls of a seed take more steps than this."""


@cache
def spec_of(name: str) -> WorldSpec:
    """A world file's."""
    return load(FILES[name])


def lived(spec: WorldSpec, cut_after: int | None = None) -> World:
    """A world that was lived to its end."""
    world = spec.world(WireSdk(), cut_after=cut_after)
    world.run(120_000)
    return world


def steps_to_cut(spec: WorldSpec, world: World) -> list[int]:
    """After which steps `make test` cuts a world file's call, drawn by its seed."""
    steps = list(enumerate(world.steps, start=1))
    media = [n for n, step in steps if isinstance(step.event, Media)]
    control = [n for n, step in steps if not isinstance(step.event, Media | Tick)]
    rng = Random(spec.seed)
    drawn = [(control, CONTROL_CUTS), (media, MEDIA_CUTS)]
    return sorted(n for kind, most in drawn for n in rng.sample(kind, min(most, len(kind))))


def failures(name: str, steps: Sequence[int]) -> Iterator[str]:
    """What is wrong with a world file's call where it is cut, and how to see it again."""
    for step in steps:
        for wrong in broken(lived(spec_of(name), step), spec_of(name)):
            yield f"{wrong}\n    python -m tests.worlds.cuts --world {name} --step {step}"


def seed_failures(seed: int) -> Iterator[str]:
    """What is wrong with the world of a seed, cut after a step that the seed draws."""
    spec = draw(seed)
    step = Random(f"cut {seed}").randint(1, LATEST_STEP)
    for wrong in broken(lived(spec, step), spec):
        yield f"{wrong}\n    python -m tests.worlds.cuts --seed {seed}"


def main() -> int:
    """Cut what is asked for; 1 if anything is broken."""
    parser = argparse.ArgumentParser(description="Cut calls after their steps.")
    parser.add_argument("--world", choices=NAMES, help="a world file; all of them without it")
    parser.add_argument("--step", type=int, help="after this step; all of them without it")
    parser.add_argument("--seed", type=int, help="a world drawn by this seed instead")
    asked = parser.parse_args()
    found = 0
    if asked.seed is not None:
        found += _print(seed_failures(asked.seed))
    if asked.seed is None and not asked.world:
        print(f"{SEEDS} worlds that are drawn by a seed", flush=True)  # noqa: T201 - for a person
        found += sum(_print(seed_failures(seed)) for seed in range(SEEDS))
    for name in () if asked.seed is not None else [asked.world] if asked.world else NAMES:
        steps = range(1, len(lived(spec_of(name)).steps) + 1)
        chosen = [asked.step] if asked.step else steps
        print(f"{name}: {len(chosen)} cuts", flush=True)  # noqa: T201 - for a person
        found += _print(failures(name, chosen))
    print(f"{found} broken")  # noqa: T201 - for a person
    return 1 if found else 0


def _print(found: Iterator[str]) -> int:
    return sum(print(wrong, flush=True) is None for wrong in found)  # noqa: T201 - for a person


if __name__ == "__main__":
    sys.exit(main())
