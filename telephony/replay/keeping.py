"""Which recordings may be kept, and for how long: a small file beside each says so.

    <name>.call/kept.json   {"call_sid":"CA…","until_ms":1795000000000,"callers":["<hash>"]}
    <CallSid>.refused       the caller did not want it: no recording of this call may be here

A recording without `kept.json` was made for its owner's own eyes, and stays until they remove it.
What a caller refused stays refused: the mark is written before anything is deleted, so what a crash
or a full disk left behind is deleted later, and no other worker records that call again.

Nothing here reads a clock: whoever calls `sweep` regularly passes the time.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from telephony.replay.recording import SUFFIX

KEPT_FILE = "kept.json"
REFUSED_SUFFIX = ".refused"

DAY_MS = 86_400_000

MARK_MS = 2 * DAY_MS
"""How long a refusal is remembered; no call lasts for so long."""


class Kept(msgspec.Struct, frozen=True):
    """How long a recording may be kept.

    Args:
        call_sid: Its call.
        until_ms: Until when, in Unix time; 0 for as long as its owner likes.
        callers: Keyed hashes of who called or was called, by which it can be found.
    """

    call_sid: str
    until_ms: int = 0
    callers: tuple[str, ...] = ()


def name_of(call_sid: str) -> str:
    """The beginning of the names of a call's recordings."""
    return re.sub(r"[^0-9A-Za-z]", "_", call_sid)


def note(folder: Path, kept: Kept) -> None:
    """Write how long the recording in this folder may be kept.

    Raises:
        OSError: The disk is full, or the like.
    """
    with (folder / KEPT_FILE).open("wb") as file:
        file.write(msgspec.json.encode(kept))
        file.flush()
        os.fsync(file.fileno())  # without it, a recording would stay for ever


def read_note(folder: Path) -> Kept | None:
    """What is noted of a recording; None if nothing is, or nothing readable."""
    try:
        return msgspec.json.decode((folder / KEPT_FILE).read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return None


def refuse(folder: Path, call_sid: str) -> int:
    """Delete all recordings of a call, and see to it that there will be none.

    Returns:
        How many there were.

    Raises:
        OSError: One of them could not be deleted; `sweep` tries it again.
    """
    mark = folder / f"{name_of(call_sid)}{REFUSED_SUFFIX}"
    try:
        mark.touch(mode=0o600)
    except OSError:  # the disk is full: there may be room once they are gone
        deleted = _delete(recordings_of(folder, call_sid))
        mark.touch(mode=0o600)
        return deleted
    return _delete(recordings_of(folder, call_sid))


def is_refused(folder: Path, call_sid: str) -> bool:
    """Whether the caller does not want to be recorded."""
    return (folder / f"{name_of(call_sid)}{REFUSED_SUFFIX}").exists()


def recordings_of(folder: Path, call_sid: str) -> list[Path]:
    """All recordings of a call, by whichever worker."""
    return sorted(folder.glob(f"{name_of(call_sid)}.*{SUFFIX}"))


def recordings(folder: Path) -> Iterator[tuple[Path, Kept | None]]:
    """All recordings in a folder, each with what is noted of it."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        yield path, read_note(path)


def sweep(folder: Path, now_ms: int, failed: Callable[[Path, OSError], None]) -> int:
    """Delete what may not be kept any longer.

    Args:
        folder: All recordings of this server, and of workers that are dead.
        now_ms: Unix time.
        failed: Called with what could not be deleted.

    Returns:
        How many recordings were deleted.
    """
    deleted = 0
    for path, kept in recordings(folder):
        if kept is not None and 0 < kept.until_ms <= now_ms:
            deleted += _tried(path, lambda path: _delete([path]), failed)
    for mark in sorted(folder.glob(f"*{REFUSED_SUFFIX}")):
        deleted += _tried(mark, lambda mark: _delete(recordings_of(folder, mark.stem)), failed)
        _tried(mark, lambda mark: _forget(mark, now_ms), failed)
    return deleted


def _forget(mark: Path, now_ms: int) -> int:
    """Remove the mark of a refusal that is too old. Returns how many were removed."""
    if now_ms - mark.stat().st_mtime * 1000 <= MARK_MS:
        return 0
    mark.unlink()
    return 1


def _tried(path: Path, deed: Callable[[Path], int], failed: Callable[[Path, OSError], None]) -> int:
    try:
        return deed(path)
    except FileNotFoundError:  # another worker was faster
        return 0
    except OSError as error:
        failed(path, error)
        return 0


def _delete(paths: list[Path]) -> int:
    for path in paths:
        with suppress(FileNotFoundError):  # another worker was faster
            shutil.rmtree(path)
    return len(paths)
