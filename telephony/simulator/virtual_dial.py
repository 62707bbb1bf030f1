"""Twilio's `<Dial>` in a world: whom a caller is put through to, and how that ends. Pure.

It stands for the webhooks `/twilio/resume` and `/twilio/transferred`: a request claims the step
that is stored, and how it ended is stored before the call goes on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from agent.simulator.agenda import Agenda
from telephony.simulator.phone import Phone
from telephony.simulator.virtual_worker import VirtualStore

KEY_MS, WAIT_MS = 200, {"w": 500, "W": 1_000}
"""How long a key is played, and a pause among them."""

PRESSED = "pressed"
"""How the pressing of keys ends here: the call goes on after it."""

TALKED = "completed"
"""How a transfer ends after which the call does."""


@dataclass(frozen=True, slots=True)
class VirtualTarget:
    """Somebody who may be dialled.

    Args:
        outcome: How that ends, as `DialCallStatus`.
        takes_ms: How long it takes.
    """

    outcome: str = TALKED
    takes_ms: int = 3_000


@dataclass(slots=True)
class Leg:
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
        self.legs: list[Leg] = []
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
        leg = Leg(step.n, step.to, now_ms)
        self.legs.append(leg)
        if step.kind == "digits":
            self.pressed.append(step.to)
            takes_ms = sum(WAIT_MS.get(key, KEY_MS) for key in step.to)
            self._agenda.note(now_ms + takes_ms, partial(self._end, leg, PRESSED))
            return True
        target = self._targets[step.to]
        self._agenda.note(now_ms + target.takes_ms, partial(self._end, leg, target.outcome))
        return True

    def caller_left(self, now_ms: int) -> None:
        """The caller has hung up: whoever rings or talks is let go."""
        for leg in self.legs:
            leg.ended_ms = now_ms if leg.ended_ms is None else leg.ended_ms

    def _end(self, leg: Leg, outcome: str, now_ms: int) -> None:
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
