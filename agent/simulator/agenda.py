"""The agenda of a session: the things that it will do, and when."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

type Action = Callable[[int], None]
"""A function that is called with the time at which it was due."""


class Agenda:
    """Actions in the order of their due times. Of equal times, the first noted comes first.

    An action may belong to a group, such as one reply. `strike` removes the whole group.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int | None, Action]] = []
        self._order = count()

    @property
    def next_ms(self) -> int | None:
        """When the next action is due."""
        return self._heap[0][0] if self._heap else None

    def note(self, due_ms: int, action: Action, group: int | None = None) -> None:
        """Add an action for a time."""
        heappush(self._heap, (due_ms, next(self._order), group, action))

    def strike(self, group: int) -> None:
        """Remove all actions of a group."""
        self._heap = sorted(entry for entry in self._heap if entry[2] != group)

    def take(self, now_ms: int) -> tuple[int, Action] | None:
        """Remove and return the next action that is due by now, and its due time."""
        if not self._heap or self._heap[0][0] > now_ms:
            return None
        due_ms, _, _, action = heappop(self._heap)
        return due_ms, action
