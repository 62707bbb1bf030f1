"""Makes fixtures/calls: lives each `world.toml`, and writes what its workers were fed and answered.

python -m tests.replay.make                    # every call
python -m tests.replay.make greeting gone-away # these

The first line of `call.jsonl`, with what a person expects, is written by hand and kept. The second
worker of `<name>.call` is `<name>.2.call`, and so on; a worker without such a folder is not
recorded. Read the diff before it is committed: whether a new golden is right, nothing here can say.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from agent.simulator.voice import AGENT_RATE_HZ, CALLER_RATE_HZ, clip, texts
from telephony.audio.formats import ULAW_SILENCE
from telephony.audio.g711 import encode
from telephony.replay.audio import CALLER, MODEL, Medium, Shared
from telephony.replay.recording import EVENTS_FILE, SHARED_FOLDER, SUFFIX, Header, Step, write
from telephony.simulator.world import World
from telephony.simulator.world_file import load
from tests.worlds import cuts

CALLS = Path(__file__).parents[2] / "fixtures" / "calls"
WORLD_FILE = "world.toml"

_FRAME_OF_SILENCE = ULAW_SILENCE * 1_000
"""What fills a clip's last frame, up to the longest payload."""


def worlds() -> list[Path]:
    """All world files, in order."""
    return sorted(CALLS.glob(f"*{SUFFIX}/{WORLD_FILE}"))


def lived(world_file: Path) -> World:
    """The whole call of a world file."""
    return cuts.lived(load(world_file))


def recordings(world_file: Path, world: World) -> Iterator[tuple[Path, list[Step]]]:
    """The folder of each recorded worker of a world, and its steps in its own time."""
    first = world_file.parent
    for worker in world.workers:
        number = "" if worker.number == 1 else f".{worker.number}"
        folder = first.with_name(f"{first.stem}{number}{SUFFIX}")
        steps = [step for step in world.steps if step.worker == worker.number]
        if folder.is_dir():
            opened_ms = steps[0].at_ms
            yield folder, [Step(s.event, s.at_ms - opened_ms, s.commands) for s in steps]


def header(folder: Path) -> Header:
    """What stands in a recording's first line."""
    with (folder / EVENTS_FILE).open("rb") as lines:
        return msgspec.json.decode(next(lines), type=Header)


@cache
def voices() -> Mapping[Medium, Sequence[Shared]]:
    """All clips, as they are on the wire."""
    caller = [name for name in texts() if name.startswith("caller/")]
    agent = [name for name in texts() if name.startswith("agent/")]
    said = [encode(clip(name, CALLER_RATE_HZ).pcm) + _FRAME_OF_SILENCE for name in caller]
    return {
        CALLER: [Shared(ulaw) for ulaw in said],
        MODEL: [Shared(clip(name, AGENT_RATE_HZ).pcm) for name in agent],
    }


def make(world_file: Path, world: World, into: Path = CALLS) -> list[Path]:
    """Write the recordings of a lived world; returns their folders, which are in `into`."""
    made = []
    for folder, steps in recordings(world_file, world):
        write(into / folder.name, header(folder), steps, voices())
        made.append(into / folder.name)
    _keep_voices(made, into / SHARED_FOLDER)
    return made


def _keep_voices(folders: Sequence[Path], shared: Path) -> None:
    """Put the clips that recordings refer to beside them."""
    shared.mkdir(exist_ok=True)
    lines = "".join((folder / EVENTS_FILE).read_text(encoding="utf-8") for folder in folders)
    for medium, clips in voices().items():
        for voice in clips:
            if f"{voice.name}@" in lines:
                (shared / f"{voice.name}{medium.suffix}").write_bytes(voice.data)


def main(names: Sequence[str]) -> None:
    """Make the calls of these names, or all."""
    for world_file in [CALLS / f"{name}{SUFFIX}" / WORLD_FILE for name in names] or worlds():
        made = ", ".join(folder.stem for folder in make(world_file, lived(world_file)))
        print(made, flush=True)  # noqa: T201 - for a person


if __name__ == "__main__":
    main(sys.argv[1:])
