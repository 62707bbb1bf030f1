"""What is to happen with the line of a call, other than that the conversation goes on. Pure.

    intended ─claimed─▶ running ─▶ done      it is known how it ended
        │                  └─────▶ unknown   nobody told how it ended, and somebody asked again, or
        │                                    the line is here again
        └─▶ withdrawn                        the conversation goes on instead

A transfer that is *warm* has a leg: a call to the target, who is told of the caller and may accept.
While the step runs, the caller waits, and the leg goes from one stage to the next (`Leg`, `Move`):

    held ─▶ placing ─▶ ringing ─▶ briefed ─▶ accepted ─▶ joined
      └───────┴───────────┴──────────┴──▶ done: it is known why the target does not come
                                     any ──▶ back: a worker has the caller's line again

A caller may ask, too, before there is a conversation: by a key of the agent's menu.

It is stored with the call before anything of it happens. Whoever is asked what to do with the line
claims it, and carries it out: once, or not at all. This module knows the rules; the store follows
them in one step (`agent.store.step_scripts`).
"""

import json
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Literal, NamedTuple, Self

type Kind = Literal["transfer", "digits"]
type By = Literal["agent", "server", "caller"]

REACHED = frozenset({"completed", "answered"})
"""Each outcome of a transfer that reached somebody."""


class Stage(StrEnum):
    """Where a step stands."""

    INTENDED = "intended"
    RUNNING = "running"
    DONE = "done"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"


class Leg(StrEnum):
    """Where the call to the target of a warm transfer stands."""

    NONE = ""
    """There is none: the transfer is not warm."""
    HELD = "held"
    """The caller waits, and nobody has called the target yet."""
    PLACING = "placing"
    """Somebody is about to call the target."""
    RINGING = "ringing"
    BRIEFED = "briefed"
    """The target has answered, and is told of the caller."""
    ACCEPTED = "accepted"
    JOINED = "joined"
    """The target talks with the caller."""
    BACK = "back"
    """The caller does not wait any more: a worker has the line again."""


WAITS = frozenset({Leg.HELD, Leg.PLACING, Leg.RINGING, Leg.BRIEFED})
"""The target has not accepted yet."""


class Move(NamedTuple):
    """One step of a leg, from one of some stages to another.

    Args:
        of: Where the leg may stand before.
        to: Where it stands afterwards; None for where it stood.
        outcome: How the whole step ends with it; "" if it does not.
    """

    of: frozenset[Leg]
    to: Leg | None
    outcome: str = ""


PLACES = Move(frozenset({Leg.HELD}), Leg.PLACING)
RINGS = Move(frozenset({Leg.PLACING}), Leg.RINGING)
BRIEFS = Move(frozenset({Leg.PLACING, Leg.RINGING}), Leg.BRIEFED)
ACCEPTS = Move(frozenset({Leg.BRIEFED}), Leg.ACCEPTED)
JOINS = Move(frozenset({Leg.ACCEPTED}), Leg.JOINED)


def ends(outcome: str, of: frozenset[Leg] = WAITS) -> Move:
    """The move with which a step ends."""
    return Move(of, None, outcome)


class Asked(NamedTuple):
    """What is asked for: its kind and target, as in `NextStep`, and by whom: `server` or `caller`.
    A caller asks before there is a conversation: their step has the number 0, so that every other
    one is newer, and there is none if somebody else has asked for one.
    """

    kind: Kind
    to: str
    by: By = "server"


@dataclass(frozen=True, slots=True)
class NextStep:
    """One step.

    Args:
        n: Its number; a later step of the same call has a higher one.
        kind: What is to happen.
        to: The name of the target, as its owner wrote it; "" for the only one there is. Of keys,
            which ones; once it is over, `kept` stands here instead, if there is any.
        by: Who asked for it.
        stage: Where it stands.
        claim: The request that carries it out. If that request is repeated, it gets the same
            answer.
        outcome: How it ended, in the words of whoever carries the line; "" before.
        leg: Where the call to the target stands.
        leg_id: Its id, once that is known.
        summary: What the target is told of the caller.
        ours: The number that calls the target.
        kept: What may be kept of `to`, if that is not the same; "" once it stands there.
        answered: Whether the target of a transfer without a leg has answered, as far as is told.
    """

    n: int
    kind: Kind
    to: str
    by: By
    stage: Stage = Stage.INTENDED
    claim: str = ""
    outcome: str = ""
    leg: Leg = Leg.NONE
    leg_id: str = ""
    summary: str = field(default="", repr=False)
    ours: str = field(default="", repr=False)
    kept: str = field(default="", repr=False)
    answered: bool = False

    @property
    def leads_back(self) -> bool:
        """Whether the caller goes to the agent afterwards, if nobody was reached."""
        return self.by != "server"

    @property
    def begun(self) -> bool:
        """Whether it was carried out, as far as anybody knows."""
        return self.stage in {Stage.RUNNING, Stage.DONE, Stage.UNKNOWN}

    @property
    def may_have_reached(self) -> bool:
        """Whether the caller talks with somebody by it, or has talked, as far as anybody knows."""
        if self.kind != "transfer":
            return False
        if self.stage is Stage.RUNNING:
            return self.answered if self.leg is Leg.NONE else self.leg not in WAITS
        return self.reached

    @property
    def reached(self) -> bool:
        """Whether a transfer is over that reached somebody."""
        return self.stage is Stage.DONE and self.outcome in REACHED

    def replaces(self, other: "NextStep | None") -> bool:
        """Whether it is newer. What its writer repeats of a step changes nothing."""
        return other is None or self.n > other.n

    def withdrawn(self) -> Self:
        """The conversation goes on without it."""
        return self._ends(Stage.WITHDRAWN) if self.stage is Stage.INTENDED else self

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
        return self._ends(Stage.UNKNOWN), False

    def line_is_back(self) -> Self:
        """A worker takes the call on a stream: nobody else has its line any more."""
        leg = Leg.BACK if self.leg is not Leg.NONE else self.leg
        back = self._ends(Stage.UNKNOWN) if self.stage is Stage.RUNNING else self
        return replace(back, leg=leg)

    def held(self, summary: str, ours: str) -> Self:
        """The caller is about to wait for a target who is told of them first."""
        if self.stage is not Stage.RUNNING or self.leg is not Leg.NONE:
            return self
        return replace(self, leg=Leg.HELD, summary=summary, ours=ours)

    def moved(self, move: Move, leg_id: str = "") -> tuple[Self, bool]:
        """The leg goes on. Returns the step, and whether this call of many has moved it.

        Args:
            move: The move.
            leg_id: Which leg tells so; "" if it is not known, or that does not matter. A step has
                one leg; what another one tells changes nothing.
        """
        stranger = bool(leg_id and self.leg_id and leg_id != self.leg_id)
        if self.stage is not Stage.RUNNING or stranger or self.leg not in move.of:
            return self, False
        stage = Stage.DONE if move.outcome else self.stage
        return (
            replace(
                self,
                stage=stage,
                outcome=move.outcome,
                leg=self.leg if move.to is None else move.to,
                leg_id=leg_id or self.leg_id,
            ),
            True,
        )

    def wants(self, leg_id: str) -> bool:
        """Whether a leg belongs to it, and has still something to do."""
        mine = self.leg_id in {"", leg_id} and self.leg not in {Leg.NONE, Leg.BACK}
        return self.stage is Stage.RUNNING and mine

    def settled(self, outcome: str) -> Self:
        """It has ended."""
        if self.stage not in {Stage.RUNNING, Stage.UNKNOWN}:
            return self
        return self._ends(Stage.DONE, outcome)

    def _ends(self, stage: Stage, outcome: str = "") -> Self:
        """It is over: of keys, only what may be kept of them stays."""
        return replace(self, stage=stage, outcome=outcome, to=self.kept or self.to, kept="")

    def to_json(self) -> str:
        """The step as one line of JSON, keys sorted; without what only a leg has, if there is
        none.
        """
        kept = {name: value for name, value in asdict(self).items() if value or name not in _OF_FEW}
        return json.dumps(kept, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """Read a step back; None for "". Fields of a later release are left out."""
        if not text:
            return None
        kept = json.loads(text)
        known = {each.name: kept[each.name] for each in fields(cls) if each.name in kept}
        return cls(**known | {"stage": Stage(kept["stage"]), "leg": Leg(kept.get("leg", Leg.NONE))})


_OF_FEW = frozenset({"leg", "leg_id", "summary", "ours", "kept", "answered"})
