"""Remembers what a number had before it was linked, in `STATE_DIR/numbers/PN….json`.

    {"version": 1, "phone_number": "+1…", "before": {"voice_url": …}, "put": {"voice_url": […]}}

`put` holds every value that linking set or tried to set. If a number still has one of these values,
nobody else has changed it, and the remembered value stays. If somebody has changed it since, the
new value is remembered. So you can link again, with any PUBLIC_URL and any number of times, and
lose nothing.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from telephony.errors import OffhookError
from telephony.number.webhooks import FIELDS, GROUPS, Number, Webhooks


class MemoryFileError(OffhookError):
    """A file cannot be read or written. The message says which, and how to solve it."""


class Remembered(msgspec.Struct, frozen=True):
    """What is remembered of one linked number.

    Args:
        phone_number: The number in E.164, for people who read the file.
        before: The earlier values of the fields that linking set.
        put: Every value that linking set, by field.
        version: The version of the file's format.
    """

    phone_number: str
    before: dict[str, str]
    put: dict[str, list[str]]
    version: Literal[1] = 1

    def __post_init__(self) -> None:
        if self.before.keys() != self.put.keys() or not self.put.keys() <= FIELDS.keys():
            raise ValueError("expected `before` and `put` to name the same fields of a number")

    def untouched(self, number: Number) -> list[str]:
        """The fields that nobody else has changed since. A method counts with its URL."""
        return [
            field
            for addresses, methods in GROUPS
            if all(number.webhooks[one] in self.put.get(one, ()) for one in addresses)
            for field in (*addresses, *methods)
        ]


@dataclass(frozen=True, slots=True)
class Memory:
    """The files below one folder.

    Args:
        state_dir: The setting STATE_DIR; "~" is the user's home.
    """

    state_dir: Path

    def path(self, number: Number) -> Path:
        """The path of a number's file, which may not exist."""
        return self.state_dir.expanduser() / "numbers" / f"{number.sid}.json"

    def recall(self, number: Number) -> Remembered | None:
        """What is remembered of a number, or None.

        Raises:
            MemoryFileError: The file is not one that `remember` wrote.
        """
        path = self.path(number)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Remembered)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise MemoryFileError(
                f"expected what `offhook number link` wrote in {path}, got something else "
                f"({error}); mend the file, or move it away to forget what {number.phone_number} "
                "had before"
            ) from error

    def remember(self, number: Number, remembered: Remembered) -> None:
        """Write a number's file, all or nothing, so that it survives a crash of the machine.

        Raises:
            MemoryFileError: The folder cannot be written.
        """
        path = self.path(number)
        text = msgspec.json.format(msgspec.json.encode(remembered))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete_on_close=False) as file:
                file.write(text + b"\n")
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
        except OSError as error:
            raise MemoryFileError(
                f"STATE_DIR: expected a folder that can be written, got {str(self.state_dir)!r}: "
                f"{error}; nothing was changed at Twilio"
            ) from error

    def forget(self, number: Number) -> None:
        """Remove a number's file, if there is one."""
        self.path(number).unlink(missing_ok=True)


def merged(earlier: Remembered | None, number: Number, wanted: Webhooks) -> Remembered:
    """What to remember when `wanted` is put in place of what `number` has now."""
    before = {field: number.webhooks[field] for field in wanted}
    put = {field: [value] for field, value in wanted.items()}
    if earlier is not None:
        before |= {field: earlier.before[field] for field in earlier.untouched(number)}
        for field in before.keys() & earlier.put.keys():
            put[field] = list(dict.fromkeys(earlier.put[field] + put.get(field, [])))
    return Remembered(number.phone_number, before, put)
