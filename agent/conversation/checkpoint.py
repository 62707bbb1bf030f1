"""The state that outlives a worker: enough to continue a conversation on another one.

The transcript itself is not in here; it is read from the store beside the checkpoint.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Self

from agent.conversation.later import LATER

CHECKPOINT_VERSION = 1


class CheckpointError(ValueError):
    """A stored checkpoint cannot be read: it is damaged."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One moment of a conversation.

    Args:
        epoch: The ownership that saved it.
        elapsed_ms: Time since the conversation was opened on its first worker.
        wall_time_ms: Unix time of the same moment, in ms.
        greeted: Whether the greeting counts as given (300 ms of it were heard).
        handle: The last resumable handle of the model session, or "".
        handle_lines: How many transcript lines that handle's session already knows.
        version: Format of this record; it rises when a field is added.
        fallback: Whether the second model was the last one asked; `handle` is then one of its.
        owes_answer: Whether the caller had said something that was not answered.
        owes_rest: Whether the rest of a reply was to come.
        owed_ms: When the caller began to say it, in ms since the call was opened.
        owed_words: What of it was written down, and is no line yet.
        owed_line: The number of the next line. Where that line is stored, the lines tell what is
            owed, and these fields do not.
        spent: What the models have cost so far, in nano-dollars.
        tokens: How many tokens that were.
        unpriced: How many of them a model billed whose price is not known.
        tools: The ledger of tool calls, as `tools.Ledger.to_text` writes it.
        notes: What the agent wrote down, each note on a line.
        acts: The number of the newest tool call in it.
        began_ms: When this call began, in ms since the conversation did; 0 for its first call.
            `spent`, `tokens` and `unpriced` are this call's.
        wordless: Whether the greeting was heard and is over, and no line is written: its words have
            not come.
        next_step: What is to happen with the line next, as `NextStep.to_json` writes it, or "". As
            a store returns it: the newest step, as it stands there.
        recorded: Whether it is recorded, as `consent` has it.
    """

    epoch: int
    elapsed_ms: int
    wall_time_ms: int
    greeted: bool
    handle: str
    handle_lines: int
    version: int = CHECKPOINT_VERSION
    fallback: bool = False
    owes_answer: bool = False
    owes_rest: bool = False
    owed_ms: int = 0
    owed_words: str = ""
    owed_line: int = 0
    spent: int = field(default=0, metadata=LATER)
    tokens: int = field(default=0, metadata=LATER)
    tools: str = field(default="", metadata=LATER)
    notes: str = field(default="", metadata=LATER)
    acts: int = field(default=0, metadata=LATER)
    began_ms: int = field(default=0, metadata=LATER)
    next_step: str = field(default="", metadata=LATER)
    unpriced: int = field(default=0, metadata=LATER)
    wordless: bool = field(default=False, metadata=LATER)
    recorded: str = field(default="", metadata=LATER)

    def left_after(self, lines: int) -> Self | None:
        """The same if it tells what is owed; None if more lines are stored, which tell it."""
        return self if self.owed_line > lines else None

    def elapsed_at(self, wall_time_ms: int) -> int:
        """How long the call has lasted at a later Unix time, in ms; 0 if this knows nothing."""
        if not self.wall_time_ms:
            return 0
        return self.elapsed_ms + max(0, wall_time_ms - self.wall_time_ms)

    def to_json(self) -> str:
        """The record as one line of JSON, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a record back, also that of a release before this one or after it: two of them
        share their calls while a new one is rolled out. A field that is not known here is left
        out, one that is missing has its default; the conversation makes up for it from its lines.

        Raises:
            CheckpointError: It is not a JSON object, or a field has another type.
        """
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise CheckpointError(f"expected a checkpoint in JSON: {error}") from None
        if not isinstance(raw, dict):
            raise CheckpointError(
                f"expected a checkpoint as a JSON object, got {type(raw).__name__}: the call goes "
                "on from its transcript"
            )
        names = {each.name: each.type for each in fields(cls)}
        known = {name: value for name, value in raw.items() if name in names}
        wrong = [name for name, value in known.items() if type(value) is not names[name]]
        if wrong:
            raise CheckpointError(f"fields of the wrong type: {', '.join(sorted(wrong))}")
        return cls(**asdict(NOTHING_KNOWN) | known | {"version": CHECKPOINT_VERSION})


NOTHING_KNOWN = Checkpoint(
    epoch=0, elapsed_ms=0, wall_time_ms=0, greeted=False, handle="", handle_lines=0
)
"""What stands for each field that a stored record lacks."""
