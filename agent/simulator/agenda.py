"""The agenda of a session: the things that it will do, and when."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

type Action = Callable[[int], None]
"""Called with the time it was due at."""


class Agenda:
    """Actions by due time; those due at one time in the order they were noted.

    An action may belong to a group, such as one reply, and be struck out with it.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int | None, Action]] = []
        self._order = count()

    @property
    def next_ms(self) -> int | None:
        """When the next action is due."""
        return self._heap[0][0] if self._heap else None

    def note(self, due_ms: int, action: Action, group: int | None = None) -> None:
        """Do this then."""
        heappush(self._heap, (due_ms, next(self._order), group, action))

    def strike(self, group: int) -> None:
        """Do nothing of this group any more."""
        self._heap = sorted(entry for entry in self._heap if entry[2] != group)

    def take(self, now_ms: int) -> tuple[int, Action] | None:
        """The next action that is due by now, and when it was; it is off the list."""
        if not self._heap or self._heap[0][0] > now_ms:
            return None
        due_ms, _, _, action = heappop(self._heap)
        return due_ms, action
