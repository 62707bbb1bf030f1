"""A recorded call on disk: the folder `<name>.call`. fixtures/README.md has the format `call/1`.

call.jsonl      the header, then every event, then `End`
expect.jsonl    the expected result: every command, then `Sum`
*.ulaw, *.pcm24 audio of this call alone, named by its hash; audio that several calls share is in
                the folder `audio` beside the recordings
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from telephony.call.commands import Command
from telephony.call.events import CallOpened, Event
from telephony.replay.audio import Known, Medium
from telephony.replay.command_lines import CommandLines
from telephony.replay.event_lines import MEDIA, NOTHING, EventLines
from telephony.replay.expectation import Expectation

VERSION = 1

SUFFIX = ".call"
EVENTS_FILE = "call.jsonl"
GOLDEN_FILE = "expect.jsonl"
SHARED_FOLDER = "audio"
WORLD_FILE = "world.toml"
"""How a recording of a simulated world is made."""


class Scrub(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """How personal data was taken out: by which version and rules, and whose voice speaks.

    `about` is a hash of the header's texts, if they were written for the fixture, so stay.
    """

    v: int
    caller: str
    rules: list[str] = []
    about: str = ""


class Header(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """The first line.

    Args:
        call: Version of the format.
        app: The release of offhook that wrote it.
        clock: Whether its times are of a real clock or of a simulated world.
        recorded: The day, as 2026-11-20.
        why: What the recording is kept for, in one sentence.
        licence: Under which its audio and text may be used.
        consent: Who agreed to its being kept, or why nobody has to.
        scrub: How personal data was taken out; None for what was recorded as it was.
        expect: What a person says it has to come to.
    """

    call: int
    app: str = ""
    clock: Literal["live", "virtual"] = "live"
    recorded: str = ""
    why: str = ""
    licence: str = ""
    consent: str = ""
    scrub: Scrub | None = None
    expect: Expectation | None = None  # type: ignore[valid-type]  # made from `Outcome`


class Step(NamedTuple):
    """One step of a call, as an observer of the driver sees it."""

    event: Event
    now_ms: int
    commands: Sequence[Command]


@dataclass(frozen=True, slots=True)
class Recording:
    """What a call was fed. `whole` is False where it was cut off."""

    folder: Path
    header: Header
    events: Sequence[tuple[Event, int]]
    whole: bool

    @property
    def opened(self) -> CallOpened:
        """Its first event."""
        opened = self.events[0][0]
        assert isinstance(opened, CallOpened)  # noqa: S101 - `read` has seen to it
        return opened

    @property
    def duration_ms(self) -> int:
        """From the first event to the last."""
        return self.events[-1][1]


@dataclass(frozen=True, slots=True)
class Golden:
    """What a call did: its lines, with their ends, without `Sum`; and the hash of them."""

    lines: Sequence[bytes]
    sha256: str
    whole: bool


def write(
    folder: Path,
    header: Header,
    steps: Iterable[Step],
    known: Mapping[Medium, Sequence[Known]] = NOTHING,
) -> None:
    """Write a whole recording; what stood in the folder is replaced.

    Args:
        folder: `<name>.call`; made if need be.
        header: Its first line.
        steps: From `CallOpened` to `EndCall`.
        known: Shared audio and tones, to be pointed to in place of being kept again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    events, commands = EventLines(known), CommandLines()
    for number, step in enumerate(steps):
        events.add(step.event, step.now_ms)
        commands.add(number, step.now_ms, step.commands)
    events.end()
    commands.end()
    for medium in MEDIA:
        for old in folder.glob(f"*{medium.suffix}"):
            old.unlink()
        track = events.tracks[medium]
        if track.kept:
            (folder / f"{track.content_name}{medium.suffix}").write_bytes(track.take())
    first = msgspec.json.encode(header) + b"\n"
    (folder / EVENTS_FILE).write_bytes(first + events.take())
    write_golden(folder, commands.take())


def write_golden(folder: Path, lines: Iterable[bytes]) -> None:
    """Write what a call has to do: lines of `CommandLines`, to the last."""
    (folder / GOLDEN_FILE).write_bytes(b"".join(lines))


def golden_text(folder: Path) -> list[str]:
    """The golden as it stands, line by line, sound or not; empty where there is none."""
    path = folder / GOLDEN_FILE
    if not path.is_file():
        return []
    return path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
