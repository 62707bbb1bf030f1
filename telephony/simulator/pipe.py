"""One direction of a connection in virtual time: messages arrive late, but in order. Pure."""

from random import Random

from agent.simulator.agenda import Action, Agenda

type Span = tuple[int, int]
"""Least and most, in ms; drawn evenly."""


class Pipe:
    """Delivers messages through an agenda, even after the sender has ended.

    Args:
        agenda: Where deliveries are noted.
        rng: Where each message's delay is drawn from.
        delay_ms: One way.
    """

    def __init__(self, agenda: Agenda, rng: Random, delay_ms: Span) -> None:
        self._agenda, self._rng, self._delay_ms = agenda, rng, delay_ms
        self._last_ms = 0

    @property
    def busy_until_ms(self) -> int:
        """When the last message sent arrives, or arrived."""
        return self._last_ms

    def stall(self, until_ms: int) -> None:
        """Deliver no later message before this time."""
        self._last_ms = max(self._last_ms, until_ms)

    def send(self, now_ms: int, deliver: Action, *, later_ms: int = 0) -> int:
        """Call `deliver` when the message arrives, `later_ms` beyond its delay.

        Returns:
            The time of arrival.
        """
        due_ms = now_ms + self._rng.randint(*self._delay_ms) + later_ms
        self._last_ms = max(self._last_ms, due_ms)  # nothing overtakes on a TCP connection
        self._agenda.note(self._last_ms, deliver)
        return self._last_ms
