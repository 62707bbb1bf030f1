"""Every step of every call, as JSON lines in `RECORD_DIR/<CallSid>.<opened>.journal.jsonl`.

Off unless asked for: it holds what was said. A line is `{"t": ms, "event": …, "commands": […]}`;
audio is given by its length. Written line by line, so that a crash leaves all but the last one.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import msgspec
import structlog

from telephony.call.commands import Command, EndCall
from telephony.call.events import CallOpened, Event
from telephony.errors import SettingsError

log = structlog.get_logger(__name__)


class Journal:
    """An observer that writes each step down.

    Raises:
        SettingsError: The folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"RECORD_DIR: expected a folder that can be written, got {str(folder)!r}: "
                f"{error.strerror}"
            ) from None
        self._folder = folder
        self._files: dict[str, TextIO] = {}

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        """Write one step of one call. A full disk ends the journal, never the call."""
        try:
            if isinstance(event, CallOpened):
                name = f"{call_sid}.{event.wall_time_ms}.journal.jsonl"
                self._files[call_sid] = (self._folder / name).open("w", buffering=1)
            if (file := self._files.get(call_sid)) is None:
                return
            step = {"t": now_ms, "event": _plain(event), "commands": [_plain(c) for c in commands]}
            file.write(msgspec.json.encode(step).decode() + "\n")
            if any(isinstance(command, EndCall) for command in commands):
                self._files.pop(call_sid).close()
        except (OSError, TypeError) as error:
            self._files.pop(call_sid, None)
            log.warning("journal not written", call_sid=call_sid, why=str(error))


def _plain(value: object) -> dict[str, Any]:
    fields = dataclasses.asdict(value)  # type: ignore[call-overload]  # all events are dataclasses
    for name, part in fields.items():
        if isinstance(part, bytes):
            fields[name] = f"{len(part)} bytes"
    return {"is": type(value).__name__, **fields}
