"""Twilio's `<Dial>` in a world: whom a caller is put through to, and how that ends. Pure.

It stands for the webhooks `/twilio/resume` and `/twilio/transferred`, and those of warm transfers:
a request claims the step that is stored, and how it ended is stored before the call goes on. No
worker of the world holds the call meanwhile, so none that dies can change anything.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from agent.conversation.next_step import (
    ACCEPTS,
    BRIEFS,
    JOINS,
    PLACES,
    RINGS,
    Leg,
    Move,
    ends,
)
from agent.simulator.agenda import Agenda
from telephony.simulator.phone import Phone
from telephony.simulator.virtual_worker import VirtualStore

KEY_MS, WAIT_MS = 200, {"w": 500, "W": 1_000}
"""How long a key is played, and a pause among them."""

PRESSED = "pressed"
"""How the pressing of keys ends here: the call goes on after it."""

TALKED = "completed"
"""How a transfer ends after which the call does."""

PLACED_MS, BRIEFED_MS, TALKED_MS = 300, 4_000, 3_000
"""Of a warm transfer: how soon the target is called, how long they are told of the caller before
they press a key or hang up, and how long they talk."""

CALLER_LEFT = "caller-left"

NOT_BRIEFED = frozenset({"busy", "no-answer", "failed", "voicemail"})
"""How a warm transfer ends whose target is told nothing."""


@dataclass(frozen=True, slots=True)
class VirtualTarget:
    """Somebody who may be dialled.

    Args:
        outcome: How that ends, as `DialCallStatus`.
        takes_ms: How long it takes; how long it rings, if they are told of the caller first.
        warm: Whether they are.
    """

    outcome: str = TALKED
    takes_ms: int = 3_000
    warm: bool = False


@dataclass(slots=True)
class VirtualLeg:
    """A call to a target; `ended_ms` is None while it rings or talks."""

    step: int
    to: str
    began_ms: int
    ended_ms: int | None = None


class VirtualDial:
    """All that is dialled in a world, over all its workers.

    Args:
        targets: Who there is, by name.
        store: Where the next step is kept.
        agenda: Where the ends are noted.
        phone: The caller's end, which the end of a talk hangs up.
        connect: Connects the call to the agent again, at a time.

    Attributes:
        legs: Every leg so far; to press keys is one, too.
        pressed: The keys that were pressed each time.
    """

    def __init__(
        self,
        targets: Mapping[str, VirtualTarget],
        store: VirtualStore,
        agenda: Agenda,
        phone: Phone,
        connect: Callable[[int], None],
    ) -> None:
        self.legs: list[VirtualLeg] = []
        self.pressed: list[str] = []
        self._targets, self._store, self._agenda = targets, store, agenda
        self._phone, self._connect = phone, connect
        self._requests = 0

    @property
    def away(self) -> bool:
        """Whether the caller is with somebody else now."""
        return any(leg.ended_ms is None for leg in self.legs)

    def begins(self, now_ms: int) -> bool:
        """Twilio asks what to do. Returns whether somebody is dialled."""
        if (step := self._store.next_step) is None:
            return False
        self._requests += 1
        self._store.next_step, mine = step.claimed(f"request {self._requests}")
        if not mine:
            return False
        leg = VirtualLeg(step.n, step.to, now_ms)
        self.legs.append(leg)
        if step.kind == "digits":
            self.pressed.append(step.to)
            takes_ms = sum(WAIT_MS.get(key, KEY_MS) for key in step.to)
            self._agenda.note(now_ms + takes_ms, partial(self._end, leg, PRESSED))
            return True
        target = self._targets[step.to]
        if target.warm:
            self._hold(leg, target, now_ms)
        else:
            self._agenda.note(now_ms + target.takes_ms, partial(self._end, leg, target.outcome))
        return True

    def caller_left(self, now_ms: int) -> None:
        """The caller has hung up: whoever rings or talks is let go."""
        self._move(ends(CALLER_LEFT))
        self._move(ends(TALKED, frozenset({Leg.JOINED})))
        for leg in self.legs:
            leg.ended_ms = now_ms if leg.ended_ms is None else leg.ended_ms

    def _hold(self, leg: VirtualLeg, target: VirtualTarget, now_ms: int) -> None:
        """The caller waits: call the target, tell them of the caller, and wait for their key."""
        if self._store.next_step is not None:
            self._store.next_step = self._store.next_step.held("", "")
        moves: list[tuple[int, tuple[Move, ...]]] = [(PLACED_MS, (PLACES, RINGS))]
        if target.outcome in NOT_BRIEFED:
            moves.append((target.takes_ms, (ends(target.outcome),)))
        else:
            moves.append((target.takes_ms, (BRIEFS,)))
            accepts = (ACCEPTS, JOINS) if target.outcome == TALKED else (ends(target.outcome),)
            moves.append((BRIEFED_MS, accepts))
        if target.outcome == TALKED:
            moves.append((TALKED_MS, (ends(TALKED, frozenset({Leg.JOINED})),)))
        for after_ms, each in moves:
            now_ms += after_ms
            self._agenda.note(now_ms, partial(self._goes_on, leg, each))

    def _goes_on(self, leg: VirtualLeg, moves: Sequence[Move], now_ms: int) -> None:
        if leg.ended_ms is not None:
            return
        for move in moves:
            if self._move(move) and move.outcome:
                self._end(leg, move.outcome, now_ms)

    def _move(self, move: Move) -> bool:
        if (step := self._store.next_step) is None:
            return False
        self._store.next_step, moved = step.moved(move)
        return moved

    def _end(self, leg: VirtualLeg, outcome: str, now_ms: int) -> None:
        if leg.ended_ms is not None:
            return
        leg.ended_ms = now_ms
        if self._store.next_step is not None:
            settled = TALKED if outcome == PRESSED else outcome
            self._store.next_step = self._store.next_step.settled(settled)
        if outcome == TALKED:
            self._phone.hung_up = True
        else:
            self._connect(now_ms)
