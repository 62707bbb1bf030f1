"""Masks personal items in what is kept of a conversation: its lines, its checkpoint, any JSON.

A number may be typed or said bit by bit, and what is kept is kept bit by bit. So of digits that a
caller is still typing, no more than `UNFINISHED` are kept.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from agent.conversation.built_in_tools import COLLECT_DIGITS, SEND_DIGITS, TAKE_MESSAGE
from agent.conversation.checkpoint import Checkpoint
from agent.conversation.declaration import canonical
from agent.conversation.next_step import NextStep
from agent.conversation.tool_call import MASKED, State
from agent.conversation.transcript import Line
from agent.privacy.items import Kind, cut, is_masked, items, masked
from agent.privacy.numbers import ANYWHERE, begins_a_card

UNFINISHED = 6
"""So many digits of a card say which bank it is of, and no more."""

_SOCIAL = "social security: "
_OF_SOCIAL = re.compile(r"ssn|social|itin|tax.?(?:payer)?.?(?:id|number)", re.IGNORECASE).search
"""How the field of a tool for such a number may be named."""


@dataclass(frozen=True, slots=True)
class Mask:
    """Masks the items of some kinds; without any, everything stays as it is.

    Args:
        kinds: Which kinds.
        region: As of `items.items`.
    """

    kinds: frozenset[Kind] = frozenset()
    region: str = ANYWHERE

    def text(self, text: str) -> str:
        """A text with every item masked."""
        return _masked(text, self.kinds, self.region) if self.kinds else text

    def number(self, number: str) -> str:
        """A telephone number or another address of a person; "" if such are masked."""
        return "" if "phone" in self.kinds else number

    def line(self, line: Line) -> Line:
        """A line of a transcript. What was heard of it is masked as the whole line is, also if it
        ends within a number.
        """
        if not self.kinds:
            return line
        found = items(line.text, self.kinds, self.region)
        whole = line.text.startswith(line.heard)
        heard = cut(line.heard, found) if whole else self.text(line.heard)
        return replace(line, text=cut(line.text, found), heard=heard)

    def lines(self, lines: Iterable[Line]) -> tuple[Line, ...]:
        """The lines of a transcript."""
        return tuple(map(self.line, lines))

    def checkpoint(self, checkpoint: Checkpoint) -> Checkpoint:
        """A checkpoint: what tools were asked for and gave, what was written down, and what the
        caller has just said.
        """
        if not self.kinds:
            return checkpoint
        return replace(
            checkpoint,
            tools=self._ledger(checkpoint.tools),
            notes="\n".join(map(self.text, checkpoint.notes.split("\n"))),
            next_step=self._step(checkpoint.next_step),
            owed_words=self.text(checkpoint.owed_words),
        )

    def json(self, text: str) -> str:
        """JSON with every item masked in its texts and numbers; another text as `text`."""
        try:
            value = json.loads(text)
        except ValueError:
            return self.text(text)
        found = self.value(value)
        return text if found == value else canonical(found)

    def value(self, value: Any) -> Any:
        """The same of what JSON stands for."""
        match value:
            case str():
                return self.text(value)
            case bool() | None:
                return value
            case int() | float():
                shown = self.text(str(value))
                return shown if is_masked(shown) else value
            case list():
                return [self.value(each) for each in value]
            case dict():
                return {self.text(key): self._named(key, each) for key, each in value.items()}
            case _:
                return value

    def _named(self, name: str, value: Any) -> Any:
        """The same of a value that has a name, by which nine digits may be known."""
        if isinstance(value, str | int) and _OF_SOCIAL(name):
            shown = self.text(f"{_SOCIAL}{value}").removeprefix(_SOCIAL)
            return shown if is_masked(shown) else value
        return self.value(value)

    def _ledger(self, text: str) -> str:
        """A ledger as `Ledger.to_text` has it."""
        if not text or not self.kinds:
            return text
        kept = json.loads(text)
        calls = [self._call(*call) for call in kept["calls"]]
        return canonical(kept | {"calls": calls})

    def _step(self, text: str) -> str:
        """What is to happen with the line: keys are needed until they are pressed, and then not."""
        step = NextStep.from_json(text)
        if step is None or step.kind != "digits":
            return text
        kept = self.keys(step.to)
        return text if kept == step.to else replace(step, kept=kept).to_json()

    def keys(self, keys: str) -> str:
        """Keys that are pressed, every item masked: with pauses in it, or between them."""
        for pause in ("", " "):
            masked = self.text(re.sub("[wW]+", pause, keys))
            if is_masked(masked):
                return masked
        return keys

    def _call(
        self, number: int, name: str, arguments: str, state: str, result: str, *rest: Any
    ) -> list[Any]:
        asked = self._asked(name, arguments)
        kept = self.json(result)
        if state in {State.INTENDED, State.RUNNING}:
            if name == COLLECT_DIGITS:
                kept = result if self._may_keep(result) else ""
            elif asked != arguments:
                kept = MASKED
        return [number, name, asked, state, kept, *rest]

    def _asked(self, name: str, arguments: str) -> str:
        """What a tool was asked. A message is of no use without the number to call back."""
        asked = self.json(arguments)
        if name == SEND_DIGITS and asked == arguments:
            given = json.loads(arguments)
            kept = {key: self.keys(str(each)) for key, each in given.items()}
            return arguments if kept == given else canonical(kept)
        if name != TAKE_MESSAGE or asked == arguments:
            return asked
        given = json.loads(arguments)
        back = {key: given[key] for key in ("call_back",) if key in given}
        return canonical(json.loads(asked) | back)

    def _may_keep(self, typed: str) -> bool:
        """Whether digits may be kept that are still being typed."""
        if self.kinds == {"card"} and not begins_a_card(typed):
            return True
        return len(typed) <= UNFINISHED


NO_MASK = Mask()
CARDS = Mask(frozenset({"card"}))
"""What is masked unless an agent's file says otherwise."""


@lru_cache(maxsize=64)
def _masked(text: str, kinds: frozenset[Kind], region: str) -> str:
    return masked(text, kinds, region)
