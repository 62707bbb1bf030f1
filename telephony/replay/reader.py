"""Reads recorded calls strictly: anything damaged, unknown or missing is one `RecordingError`.

A recording that was cut off, such as by a crash of its worker, has no `End`. With `partial`, it is
read as far as it goes.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from telephony.call.events import CallOpened, Event
from telephony.errors import RecordingError
from telephony.replay import command_lines, event_lines, sealing
from telephony.replay.audio import Medium, content_name
from telephony.replay.command_lines import Sum
from telephony.replay.event_lines import MEDIA, End, expand
from telephony.replay.recording import (
    EVENTS_FILE,
    GOLDEN_FILE,
    SHARED_FOLDER,
    VERSION,
    Golden,
    Header,
    Recording,
)

LONGEST_GAP_MS = 3_600_000
"""The longest time between two events. A call has a Tick every 10 s, so more means damage."""

AGAIN = "take the recording from where it came from again"
PARTIAL = f"{AGAIN}, or see what there is with `offhook replay --partial`"
UPDATE = "look at what changed, then bless it with `offhook replay --update`"


def read(folder: Path, *, partial: bool = False) -> Recording:
    """Read the events of a recorded call.

    Args:
        folder: `<name>.call`.
        partial: Read a recording that was cut off as far as it goes.

    Raises:
        RecordingError: The recording is damaged, of another version, or was cut off.
    """
    path = folder / EVENTS_FILE
    lines, cut = _lines(path, partial=partial)
    header = _header(path, lines[0] if lines else b"")
    read_lines = [_decoded(event_lines.CODEC, path, n, line) for n, line in _numbered(lines[1:])]
    end = read_lines.pop() if read_lines and isinstance(read_lines[-1], End) else None
    if end is None and not partial:
        raise _cut_off(path, len(lines), "`End`")
    if end is not None and cut:
        raise RecordingError(f"{path}:{len(lines) + 1}", "expected nothing after `End`", AGAIN)
    events = list(_events(path, read_lines, _AudioFiles(folder, end)))
    if end is not None and end.events != len(events):
        problem = f"expected {end.events} events, as `End` says, got {len(events)}"
        raise RecordingError(str(path), problem, AGAIN)
    if not events or not isinstance(events[0][0], CallOpened):
        raise RecordingError(f"{path}:2", "expected `CallOpened` as the first event", AGAIN)
    return Recording(folder, header, events, whole=end is not None)


def read_golden(folder: Path, *, partial: bool = False) -> Golden:
    """Read the expected commands of a recorded call.

    Raises:
        RecordingError: The file is missing, damaged, cut off, or was edited by hand.
    """
    path = folder / GOLDEN_FILE
    lines, _ = _lines(path, partial=partial)
    last = None
    for n, line in enumerate(lines, 1):
        last = _decoded(command_lines.CODEC, path, n, line)
        if isinstance(last, Sum) and n < len(lines):
            raise RecordingError(f"{path}:{n + 1}", "expected nothing after `Sum`", AGAIN)
    total = last if isinstance(last, Sum) else None
    if total is None and not partial:
        raise _cut_off(path, len(lines), "`Sum`")
    kept = [line + b"\n" for line in (lines if total is None else lines[:-1])]
    got = sha256(b"".join(kept)).hexdigest()
    if total is not None and total.sha256 != got:
        problem = f"expected commands of the hash {total.sha256[:16]}…, got {got[:16]}…"
        raise RecordingError(str(path), problem, UPDATE)
    return Golden(kept, got, whole=total is not None)


def _lines(path: Path, *, partial: bool) -> tuple[list[bytes], bool]:
    """The whole lines of a file, and whether an incomplete last line was left out."""
    try:
        data = sealing.read(path)
    except OSError as error:
        problem = f"expected a file of a recorded call, got none: {error.strerror}"
        raise RecordingError(str(path), problem, "name a folder <name>.call") from None
    *lines, rest = data.split(b"\n")
    if rest and not partial:
        raise _cut_off(path, len(lines) + 1, "the end of a line")
    return lines, bool(rest)


def _numbered(lines: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    return enumerate(lines, 2)


def _cut_off(path: Path, line: int, expected: str) -> RecordingError:
    problem = f"expected {expected}, got the end of the file"
    return RecordingError(f"{path}:{line}", problem, PARTIAL)


def _header(path: Path, line: bytes) -> Header:
    try:
        version = msgspec.json.decode(line, type=_Version).call
        if version > VERSION:
            problem = f"expected a recording of format call/{VERSION}, got call/{version}"
            raise RecordingError(f"{path}:1", problem, "replay it with a newer offhook")
        if version < 1:
            problem = f"expected a recording of format call/{VERSION}, got call/{version}"
            raise RecordingError(f"{path}:1", problem, AGAIN)
        return msgspec.json.decode(line, type=Header)
    except (msgspec.DecodeError, RecursionError) as error:
        problem = f"expected the header of a recorded call, got {_short(line)}: {error}"
        raise RecordingError(f"{path}:1", problem, AGAIN) from None


class _Version(msgspec.Struct):
    call: int


def _decoded(codec: Any, path: Path, number: int, line: bytes) -> Any:
    try:
        return codec.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        problem = f"expected an event or a command of format call/{VERSION}, got {_short(line)}"
        fix = f"mend the line, replay with a newer offhook, or {AGAIN}"
        raise RecordingError(f"{path}:{number}", f"{problem}: {error}", fix) from None


def _events(
    path: Path, read_lines: Sequence[Any], audio: "_AudioFiles"
) -> Iterator[tuple[Event, int]]:
    last_ms, file = 0, str(path)
    for number, line in _numbered(read_lines):
        where = f"{file}:{number}"
        if isinstance(line, End):
            raise RecordingError(where, "expected `End` at the end, got it here", AGAIN)
        try:
            expanded = expand(line, audio.kept)
        except ValueError as error:
            raise RecordingError(where, str(error), AGAIN) from None
        for event, now_ms in expanded:
            if not last_ms <= now_ms <= last_ms + LONGEST_GAP_MS:
                problem = f"expected a time soon after {last_ms} ms, got {now_ms} ms"
                raise RecordingError(where, problem, AGAIN)
            last_ms = now_ms
            yield event, now_ms


class _AudioFiles:
    """The audio files beside a recording, by name. Each is read once and checked by its hash."""

    def __init__(self, folder: Path, end: End | None) -> None:
        self._folders = (folder, folder.parent / SHARED_FOLDER)
        self._own = {} if end is None else end.audio
        self._whole = end is not None
        self._read: dict[str, bytes] = {}

    def kept(self, medium: Medium, name: str) -> bytes:
        """The audio for a name in a reference.

        Raises:
            ValueError: The file is missing, or has changed.
        """
        file = f"{name}{medium.suffix}"
        if file not in self._read:
            self._read[file] = self._find(medium, name)
        return self._read[file]

    def _find(self, medium: Medium, name: str) -> bytes:
        live = name == medium.label
        if name in {each.label for each in MEDIA} and not live:
            raise ValueError(f"expected {medium.label} audio, got that of the {name}")
        content = self._own.get(name) if live else name
        if live and content is None and self._whole:
            raise ValueError(f"expected `End` to name the file of {name!r}, got {self._own!r}")
        # Files are renamed to their hashes at the end; a crash may happen in between.
        names = [n for n in (content, medium.label if live else None) if n is not None]
        for path in (folder / f"{n}{medium.suffix}" for folder in self._folders for n in names):
            if path.is_file():
                return _checked(path, content)
        places = " or ".join(map(str, self._folders))
        raise ValueError(f"expected the file {names[0]}{medium.suffix} in {places}, got none")


def _checked(path: Path, content: str | None) -> bytes:
    data = sealing.read(path)
    if content is not None and content_name(data) != content:
        raise ValueError(f"expected audio of the hash {content} in {path}, got other audio")
    return data


def _short(line: bytes) -> str:
    return repr(line[:60].decode(errors="replace"))
