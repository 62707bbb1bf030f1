"""The time of a call, which both ends share. It stands still while the server takes a stream.

Whoever speaks after a stream began, in the recording, has heard it begin. So its beginning is
waited for: else a model would interrupt a reply that a busy server had no stream to send on yet,
and nothing would be there to clear. How long a server takes is not compared.
"""

from collections import deque
from collections.abc import Iterable


class CallTime:
    """How far the call is behind the clock, in ms.

    Args:
        begins_ms: When the streams began, by the call's time, in order.
    """

    def __init__(self, begins_ms: Iterable[int]) -> None:
        self._begins_ms = deque(begins_ms)
        self._late_ms = 0

    def waits(self, at_ms: int) -> bool:
        """Whether a stream that began before this time of the call has not begun yet."""
        return bool(self._begins_ms) and at_ms > self._begins_ms[0]

    def begun(self, clock_ms: int) -> None:
        """The next stream has begun, or will not begin. From then on, as much time has passed as
        when it began in the recording.
        """
        self._late_ms = max(self._late_ms, clock_ms - self._begins_ms.popleft())

    def at(self, clock_ms: int) -> int:
        """The call's time, if no stream is waited for."""
        return clock_ms - self._late_ms

    def clock_at(self, at_ms: int) -> int:
        """When the call's time is `at_ms`, if no stream is waited for."""
        return at_ms + self._late_ms
