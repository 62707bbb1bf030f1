"""What is to happen with the line of a call, other than that the conversation goes on. Pure.

    intended ─claimed─▶ running ─▶ done      it is known how it ended
        │                  └─────▶ unknown   nobody told how it ended, and somebody asked again, or
        │                                    the line is here again
        └─▶ withdrawn                        the conversation goes on instead

It is stored with the call before anything of it happens. Whoever is asked what to do with the line
claims it, and carries it out: once, or not at all. This module knows the rules; the store follows
them in one step (`agent.store.step_scripts`).
"""

import json
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Literal, NamedTuple, Self

type Kind = Literal["transfer"]
type By = Literal["agent", "server"]

REACHED = frozenset({"completed", "answered"})
"""Each outcome of a transfer that reached somebody."""


class Stage(StrEnum):
    """Where a step stands."""

    INTENDED = "intended"
    RUNNING = "running"
    DONE = "done"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"


class Asked(NamedTuple):
    """What is asked for: its kind and target, as in `NextStep`."""

    kind: Kind
    to: str


@dataclass(frozen=True, slots=True)
class NextStep:
    """One step.

    Args:
        n: Its number; a later step of the same call has a higher one.
        kind: What is to happen.
        to: The name of the target, as its owner wrote it; "" for the only one there is.
        by: Who asked for it.
        stage: Where it stands.
        claim: The request that carries it out. If that request is repeated, it gets the same
            answer.
        outcome: How it ended, in the words of whoever carries the line; "" before.
    """

    n: int
    kind: Kind
    to: str
    by: By
    stage: Stage = Stage.INTENDED
    claim: str = ""
    outcome: str = ""

    @property
    def begun(self) -> bool:
        """Whether it was carried out, as far as anybody knows."""
        return self.stage in {Stage.RUNNING, Stage.DONE, Stage.UNKNOWN}

    def replaces(self, other: "NextStep | None") -> bool:
        """Whether it is newer. What its writer repeats of a step changes nothing."""
        return other is None or self.n > other.n

    def withdrawn(self) -> Self:
        """The conversation goes on without it."""
        return replace(self, stage=Stage.WITHDRAWN) if self.stage is Stage.INTENDED else self

    def claimed(self, request: str) -> tuple[Self, bool]:
        """A request asks what to do. Returns the step, and whether that request carries it out.

        Args:
            request: What all repetitions of the request have in common; "" for none.
        """
        if self.stage is Stage.INTENDED:
            return replace(self, stage=Stage.RUNNING, claim=request), True
        if self.stage is not Stage.RUNNING:
            return self, False
        if request and request == self.claim:
            return self, True
        return replace(self, stage=Stage.UNKNOWN), False

    def line_is_back(self) -> Self:
        """A worker takes the call on a stream: nobody else has its line any more."""
        return replace(self, stage=Stage.UNKNOWN) if self.stage is Stage.RUNNING else self

    def settled(self, outcome: str) -> Self:
        """It has ended."""
        if self.stage not in {Stage.RUNNING, Stage.UNKNOWN}:
            return self
        return replace(self, stage=Stage.DONE, outcome=outcome)

    def to_json(self) -> str:
        """The step as one line of JSON, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """Read a step back; None for "". Fields of a later release are left out."""
        if not text:
            return None
        kept = json.loads(text)
        known = {each.name: kept[each.name] for each in fields(cls) if each.name in kept}
        return cls(**known | {"stage": Stage(kept["stage"])})
