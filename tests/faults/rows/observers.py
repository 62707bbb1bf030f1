"""Row 62: an observer raises, at any event of a call."""

from collections.abc import Sequence
from random import Random

from telephony.call.commands import Command
from telephony.call.events import Event
from telephony.server.observers import Observers
from tests.faults.table import Figure, Row, exactly, scaled
from tests.worlds import scenarios

CALLS = 500


class _Seeing:
    """Counts what it is shown, and raises at one step, and at every later one."""

    def __init__(self, breaks_at: int | None = None) -> None:
        self._shown: list[tuple[str, Event, int, Sequence[Command]]] = []
        self._breaks_at = breaks_at

    @property
    def seen(self) -> int:
        """How many steps it was shown."""
        return len(self._shown)

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        self._shown.append((call_sid, event, now_ms, commands))
        if self._breaks_at is not None and self.seen >= self._breaks_at:
            raise RuntimeError("a bug of the observer's")


def measure(share: float) -> Sequence[Figure]:
    """The steps of whole calls, shown to one observer that breaks and to one that does not."""
    calls = scaled(CALLS, share)
    steps = scenarios.world(scenarios.questions("q1"), 0, scenarios.ROW).steps
    missed, told, shown_again, ended = 0, 0, 0, 0
    for seed in range(calls):
        breaks_at = Random(seed).randint(1, len(steps))
        broken, fine, failed = _Seeing(breaks_at), _Seeing(), list[str]()
        observers = Observers("CA1", [broken, fine], failed.append)
        try:
            for step in steps:
                observers.show(step.event, step.at_ms, list(step.commands))
        except RuntimeError:
            ended += 1
        missed += len(steps) - fine.seen
        told += len(failed)
        shown_again += broken.seen - breaks_at
    return [
        Figure("calls in which an observer raised", calls, None),
        Figure("calls ended by it", ended, exactly(0)),
        Figure("steps that another observer missed", missed, exactly(0)),
        Figure("times it was counted", told, exactly(calls)),
        Figure("steps it was shown after that", shown_again, exactly(0)),
    ]


ROWS = (Row(62, "an observer raises", measure, virtual=True, cost_s=5),)
