"""Prints the first difference that a world shows. Run in a mutant's copy of the tree.

python -m tests.mutants.worlds

The worlds of the recorded calls run first, because a replay does not cover the wires and the
outbox. Then other worlds, whole and cut, are judged by the rules that hold for every call.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from telephony.replay.recording import EVENTS_FILE, GOLDEN_FILE
from tests.replay import make
from tests.worlds import cuts
from tests.worlds.invariants import broken

SEEDS = 5

SEEN = 3
"""Exit code; Python's own for an exception is 1."""


def differences() -> Iterator[str]:
    """What differs or breaks, one after the other."""
    for world_file in make.worlds():
        yield from _made_differently(world_file)
    for name in cuts.NAMES:
        spec = cuts.spec_of(name)
        yield from (f"{name}: {wrong}" for wrong in broken(cuts.lived(spec), spec))
    for seed in range(SEEDS):
        yield from (f"seed {seed}, cut: {wrong}" for wrong in cuts.seed_failures(seed))


def _made_differently(world_file: Path) -> Iterator[str]:
    """The files of its recordings that a world makes otherwise than they were made."""
    with TemporaryDirectory(prefix="remade-") as folder:
        for made in make.make(world_file, make.lived(world_file), Path(folder)):
            for name in (EVENTS_FILE, GOLDEN_FILE):
                if (made / name).read_bytes() != (make.CALLS / made.name / name).read_bytes():
                    yield f"{made.name} lived again: another {name}"


def main() -> int:
    """Print the first; `SEEN` if there is one."""
    first = next(differences(), "")
    print(first.partition("\n")[0])  # noqa: T201 - read by who started it
    return SEEN if first else 0


if __name__ == "__main__":
    sys.exit(main())
