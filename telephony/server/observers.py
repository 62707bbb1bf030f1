"""Shows each step of a call to its observers. An observer cannot harm the call.

An observer can name the kinds of events and commands that it wants, in `wants`; other steps are not
shown to it. If an observer raises, that is logged and counted, and the observer sees no more of
this call.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from telephony.call.commands import Command
from telephony.call.events import Event

log = structlog.get_logger(__name__)

type Kinds = frozenset[type[Event | Command]]


class Observer(Protocol):
    """An observer sees exactly the events and commands of the driver."""

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        """See one step of one call."""
        ...


class Observers:
    """The observers of one call.

    Args:
        call_sid: The call.
        observers: Each is shown every step, or only those with a kind that it `wants`.
        failed: Called with the name of an observer that raised.
    """

    def __init__(
        self, call_sid: str, observers: Sequence[Observer], failed: Callable[[str], None]
    ) -> None:
        self._call_sid = call_sid
        self._failed = failed
        self._observers: list[tuple[Observer, Kinds | None]] = [
            (observer, getattr(observer, "wants", None)) for observer in observers
        ]

    def show(self, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
        """Show one step. Never raises."""
        kind = type(event)
        for each in self._observers:
            observer, wants = each
            if not (wants is None or kind in wants or any(type(c) in wants for c in commands)):
                continue
            try:
                observer(self._call_sid, event, now_ms, commands)
            except Exception:  # after any error, the call goes on without this observer
                name = type(observer).__name__
                log.exception(
                    "an observer failed; this call goes on without it",
                    call_sid=self._call_sid,
                    observer=name,
                    event_kind=type(event).__name__,
                )
                self._observers = [kept for kept in self._observers if kept is not each]
                self._failed(name)
