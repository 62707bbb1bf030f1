"""Cuts a call: its worker dies after a step, and a fresh `Call` continues from the stored data.

python -m tests.worlds.cuts                             # seeds, then every step of every file
python -m tests.worlds.cuts --control                   # only steps that are more than sound
python -m tests.worlds.cuts --world barge-in --step 42  # one of them, to examine
python -m tests.worlds.cuts --seed 17                   # a world drawn by a seed, cut once
"""

import argparse
import gc
import json
import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from random import Random

from agent.conversation.events import ReplyAudio
from telephony.call.events import Tick
from telephony.simulator.drawn import draw
from telephony.simulator.world import World
from telephony.simulator.world_file import load
from telephony.simulator.world_spec import WorldSpec
from telephony.twilio.messages import Mark, Media
from tests.worlds.invariants import broken
from tests.worlds.sdk import WireSdk

FIXTURES = Path(__file__).parents[2] / "fixtures" / "calls"
FILES = {path.stem: path for path in Path(__file__).with_name("files").glob("*.toml")} | {
    path.parent.name: path for path in FIXTURES.glob("*.call/world.toml")
}
NAMES = tuple(sorted(FILES))
SEEDS = 2_000
"""Of `make cuts`."""
UNTIL_MS = 120_000
LATEST_STEP = 400
"""Most calls of a seed take more steps than this."""


@cache
def spec_of(name: str) -> WorldSpec:
    """A world file's."""
    return load(FILES[name])


def lived(spec: WorldSpec, cut_after: int | None = None) -> World:
    """A world that was lived to its end."""
    world = spec.world(WireSdk(), cut_after=None if cut_after is None else cut_after.__eq__)
    world.run(UNTIL_MS)
    return world


@lru_cache(maxsize=1)
def whole(name: str) -> World:
    """The call of a world file, lived to its end. Who asks for the same one next does not wait."""
    return lived(spec_of(name))


def step_to_cut(spec: WorldSpec, world: World) -> int:
    """After which step `make test` cuts a world file's call, drawn by its seed: one that is more
    than a frame or a tick. Between frames, worlds that are drawn are cut. `make cuts` does all.
    """
    steps = enumerate(world.steps, start=1)
    return Random(spec.seed).choice(
        [n for n, step in steps if not isinstance(step.event, Media | Tick)]
    )


def failures(name: str, steps: Sequence[int]) -> Iterator[str]:
    """What is wrong with a world file's call where it is cut, and how to see it again."""
    for step in steps:
        yield from _told(name, step, broken(lived(spec_of(name), step), spec_of(name)))


def _told(name: str, step: int, wrongs: Sequence[str]) -> Iterator[str]:
    for wrong in wrongs:
        yield f"{wrong}\n    python -m tests.worlds.cuts --world {name} --step {step}"


def seed_failures(seed: int) -> Iterator[str]:
    """What is wrong with the world of a seed, cut after a step that the seed draws."""
    spec = draw(seed)
    step = Random(f"cut {seed}").randint(1, LATEST_STEP)
    for wrong in broken(lived(spec, step), spec):
        yield f"{wrong}\n    python -m tests.worlds.cuts --seed {seed}"


SOUND = Media | Mark | ReplyAudio | Tick
"""Events that only make sound go on; all others are control events."""


def all_failures(name: str, *, control: bool = False) -> tuple[int, list[str]]:
    """How often a world file's call is cut, after each of its steps or of its control events, and
    what is wrong where it is.

    The call is lived once. After each step, a forked process cuts it there and lives it to its end:
    in long calls that takes two thirds of the time of living each one from its beginning.
    """
    spec, found, cuts = spec_of(name), list[str](), 0
    cut_here: int | None = None
    gc.collect()
    gc.freeze()  # else each process would copy what its collector touches

    def fork(step: int) -> bool:
        nonlocal cut_here, cuts
        if control and isinstance(world.steps[step - 1].event, SOUND):
            return False
        cuts += 1
        reader, writer = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reader)
            cut_here = writer
            return True
        os.close(writer)
        with os.fdopen(reader, "rb") as told:
            wrongs = told.read()
        _, status = os.waitpid(child, 0)
        died = [f"the process that cut it ended with {status}"] if status else []
        found.extend(_told(name, step, died or json.loads(wrongs)))
        return False

    world = spec.world(WireSdk(), cut_after=fork)
    try:
        world.run(UNTIL_MS)
        if cut_here is not None:
            with os.fdopen(cut_here, "wb") as tells:
                tells.write(json.dumps(broken(world, spec)).encode())
            os._exit(0)
    except BaseException:  # the child must not go on as the parent, whatever ended it
        if cut_here is None:
            raise
        traceback.print_exc()
        os._exit(1)
    return cuts, found


def main() -> int:
    """Cut what is asked for; 1 if anything is broken."""
    parser = argparse.ArgumentParser(description="Cut calls after their steps.")
    parser.add_argument("--world", choices=NAMES, nargs="+", help="world files; else all of them")
    parser.add_argument("--step", type=int, help="after this step; all of them without it")
    parser.add_argument("--control", action="store_true", help="after control events alone")
    parser.add_argument("--seed", type=int, help="a world drawn by this seed instead")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many worlds are drawn")
    asked = parser.parse_args()
    if asked.seed is not None:
        found = _print(seed_failures(asked.seed))
    elif asked.step:
        found = sum(_print(failures(name, [asked.step])) for name in asked.world or NAMES)
    elif asked.world or asked.control:
        found = _files(asked.world or NAMES, control=asked.control)
    else:
        found = _seeds(asked.seeds) + _files(NAMES)
    print(f"{found} broken")  # noqa: T201 - for a person
    return 1 if found else 0


def _seeds(count: int) -> int:
    found = 0
    with get_context("spawn").Pool() as pool:
        for wrongs in pool.imap(_of_seed, range(count), chunksize=20):
            found += _print(wrongs)
    print(f"{count} worlds that are drawn by a seed: {found} broken", flush=True)  # noqa: T201 - for a person
    return found


def _of_seed(seed: int) -> list[str]:
    return list(seed_failures(seed))


def _files(names: Sequence[str], *, control: bool = False) -> int:
    found = cuts = 0
    cut = partial(all_failures, control=control)
    with get_context("spawn").Pool(min(len(names), os.process_cpu_count() or 1)) as pool:
        for name, (steps, wrongs) in zip(names, pool.imap(cut, names), strict=True):
            cuts += steps
            found += _print(wrongs)
            print(f"{name}: {steps} cuts, {len(wrongs)} broken", flush=True)  # noqa: T201 - for a person
    print(f"{cuts} cuts of {len(names)} files: {found} broken", flush=True)  # noqa: T201 - for a person
    return found


def _print(found: Iterable[str]) -> int:
    return sum(print(wrong, flush=True) is None for wrong in found)  # noqa: T201 - for a person


if __name__ == "__main__":
    sys.exit(main())
