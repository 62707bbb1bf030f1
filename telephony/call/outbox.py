"""The messages that wait to be written to the phone, in order. A clear overtakes audio.

The queue is limited. The lead keeps it almost empty. It fills only when the socket does not accept
data, and then the stream is given up long before the queue is full.
"""

from collections import deque

from telephony.call.commands import PhoneCommand, SendClear, SendMark, SendMedia

LIMIT = 512
"""Commands. A lead of 800 ms is five messages and five marks; this is a dead writer."""


class Outbox:
    """The queue in front of the one task that writes to the phone."""

    def __init__(self) -> None:
        self._waiting: deque[PhoneCommand] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, command: PhoneCommand) -> bool:
        """Queue a command. False when there is no room: the stream has to be given up."""
        if isinstance(command, SendClear):
            kept = [c for c in self._waiting if not isinstance(c, SendMedia | SendMark)]
            self._waiting = deque(kept)
        if len(self._waiting) >= LIMIT:
            return False
        self._waiting.append(command)
        return True

    def take(self) -> PhoneCommand | None:
        """The next command to write, or None."""
        return self._waiting.popleft() if self._waiting else None

    def forget(self) -> None:
        """The stream is gone, and with it all that was for it."""
        self._waiting.clear()
