"""An observer that measures the calls of one worker: for the metrics, the log and the record.

driver ─▶ Measuring ─▶ one `Measures` of each call ─▶ findings ─▶ metrics
                                └▶ figures ─▶ log line at the end, record in the store
"""

import json
from collections.abc import Callable, Sequence

from telephony.call.commands import Command
from telephony.call.events import Event
from telephony.call.figures import Finding
from telephony.call.measures import Measures
from telephony.server.observers import Kinds


class Measuring:
    """Measures each call from `begin` to `end`. Must come before the observers that ask it.

    Args:
        found: Called with each finding.
    """

    wants: Kinds = Measures.wants

    def __init__(self, found: Callable[[Finding], None] = lambda _: None) -> None:
        self._found = found
        self._calls: dict[str, Measures] = {}

    def begin(self, call_sid: str) -> Measures:
        """A call is opened here. Returns what measures it."""
        measures = self._calls[call_sid] = Measures()
        return measures

    def end(self, call_sid: str, measures: Measures) -> None:
        """The call is over here, unless it has been opened again since."""
        if self._calls.get(call_sid) is measures:
            del self._calls[call_sid]

    def figures(self, call_sid: str) -> dict[str, int]:
        """The figures of a call so far, as `Figures.short` has them; none of one unknown here."""
        measures = self._calls.get(call_sid)
        return {} if measures is None else measures.figures.short()

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        """Measure one step of one call."""
        if (measures := self._calls.get(call_sid)) is not None:
            for finding in measures.step(event, now_ms, commands):
                self._found(finding)


def as_stored(measures: Measures) -> str:
    """The figures so far as the record of a call has them: a JSON object of whole numbers."""
    return json.dumps(measures.figures.short(), separators=(",", ":"))
