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
from telephony.replay import sealing
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
"""The file from which a recording of a simulated world is made."""


class Scrub(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """How a recording was scrubbed: the version, the rules, and the caller's new voice.

    `about` is a hash of the header's texts, if they were written for the fixture and must stay.
    """

    v: int
    caller: str
    rules: list[str] = []
    about: str = ""


class Header(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """The first line of a recording.

    Args:
        call: The version of the format.
        app: The release of offhook that wrote it.
        clock: Whether its times are from a real clock or from a simulated world.
        recorded: The day, such as 2026-11-20.
        why: Why the recording is kept, in one sentence.
        licence: The licence of its audio and text.
        consent: Who agreed that it is kept, or why nobody had to.
        scrub: How it was scrubbed; None if it was not.
        expect: The figures that a person expects.
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
    """The events of a recorded call. `whole` is False if the recording was cut off."""

    folder: Path
    header: Header
    events: Sequence[tuple[Event, int]]
    whole: bool

    @property
    def opened(self) -> CallOpened:
        """The first event."""
        opened = self.events[0][0]
        assert isinstance(opened, CallOpened)  # noqa: S101 - `read` has checked it
        return opened

    @property
    def duration_ms(self) -> int:
        """The time from the first event to the last."""
        return self.events[-1][1]


@dataclass(frozen=True, slots=True)
class Golden:
    """The expected commands of a call: the lines with their ends, without `Sum`, and their hash."""

    lines: Sequence[bytes]
    sha256: str
    whole: bool


def write(
    folder: Path,
    header: Header,
    steps: Iterable[Step],
    known: Mapping[Medium, Sequence[Known]] = NOTHING,
) -> None:
    """Write a whole recording. It replaces the contents of the folder.

    Args:
        folder: `<name>.call`; it is made if it does not exist.
        header: The first line.
        steps: All steps, from `CallOpened` to `EndCall`.
        known: Shared audio and tones, to refer to.
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
    (folder / GOLDEN_FILE).write_bytes(b"".join(commands.take()))


def write_golden(folder: Path, lines: Iterable[bytes]) -> None:
    """Write the expected commands anew: all lines of `CommandLines`. See `sealing.rewrite`."""
    sealing.rewrite(folder / GOLDEN_FILE, b"".join(lines))


def golden_text(folder: Path) -> list[str]:
    """The lines of `expect.jsonl` as they are, valid or not; empty if there is no file."""
    path = folder / GOLDEN_FILE
    if not path.is_file():
        return []
    return sealing.read(path).decode(errors="replace").splitlines(keepends=True)
