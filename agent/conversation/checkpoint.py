"""What outlives a worker: enough to go on with a conversation on another one.

The transcript itself is not in here; it is read from the store beside the checkpoint.
"""

import json
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Self

CHECKPOINT_VERSION = 1


class CheckpointError(ValueError):
    """A stored checkpoint cannot be read: it is damaged, or written by a newer version."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One moment of a conversation.

    Args:
        epoch: The ownership that saved it.
        elapsed_ms: Time since the call was opened on its first worker.
        wall_time_ms: Unix time of the same moment, in ms.
        greeted: Whether the greeting counts as given (300 ms of it were heard).
        handle: The last resumable handle of the model session, or "".
        handle_lines: How many transcript lines that handle's session already knows.
        version: Format of this record.
        fallback: Whether the second model was the last one asked; `handle` is then one of its.
    """

    epoch: int
    elapsed_ms: int
    wall_time_ms: int
    greeted: bool
    handle: str
    handle_lines: int
    version: int = CHECKPOINT_VERSION
    fallback: bool = False

    def to_json(self) -> str:
        """The record as one line of JSON, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a record back.

        Raises:
            CheckpointError: It is not JSON, lacks a field that has no default, or has another
                version.
        """
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise CheckpointError(f"expected a checkpoint in JSON: {error}") from None
        if not isinstance(raw, dict) or raw.get("version") != CHECKPOINT_VERSION:
            version = raw.get("version") if isinstance(raw, dict) else None
            raise CheckpointError(
                f"expected checkpoint version {CHECKPOINT_VERSION}, got {version!r}; "
                "it was written by another release: the call goes on from its transcript"
            )
        names = {field.name: field.type for field in fields(cls)}
        required = {field.name for field in fields(cls) if field.default is MISSING}
        if not required <= set(raw) <= set(names):
            raise CheckpointError(f"expected the fields {sorted(names)}, got {sorted(raw)}")
        wrong = [name for name in raw if type(raw[name]) is not names[name]]
        if wrong:
            raise CheckpointError(f"fields of the wrong type: {', '.join(sorted(wrong))}")
        return cls(**raw)
