"""The queue of messages to one session, in order.

Live caller audio is limited to 1 s. Beyond that the oldest audio is dropped and counted, because a
model that hears late also answers late. Audio that is sent again after a resume is limited by the
conversation that kept it. Texts, results of tools, ends of audio and marks of speech are never
dropped: there are only a few a turn.

Where the session can send audio at once, audio does not wait for the task that sends the rest,
unless something is in front of it: a command that waits, or one that was taken and is being sent.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from agent.conversation.commands import (
    EndCallerAudio,
    MarkSpeech,
    SayToModel,
    SendCallerAudio,
    SendToolResult,
)

MAX_LIVE_BYTES = 32_000
"""1 s at 16 kHz, int16."""

type Outgoing = SendCallerAudio | EndCallerAudio | MarkSpeech | SayToModel | SendToolResult
"""The commands that are sent to the model; the others open and close the session."""


class ModelOutbox:
    """An ordered, bounded queue from the conversation to one session, for one event loop.

    `dropped_bytes` counts the live audio that was dropped (PCM, int16, 16 kHz).
    """

    def __init__(self) -> None:
        self.dropped_bytes = 0
        self.send_audio_now: Callable[[bytes], bool] | None = None
        """Set by the session: sends PCM at once, or returns False if the socket has no room."""
        self._nothing_to_send = False
        self._waiting: deque[Outgoing] = deque()
        self._live_bytes = 0
        self._filled = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many commands wait."""
        return len(self._waiting)

    def put(self, command: Outgoing) -> None:
        """Append `command`, or send it. Never blocks; drops the oldest live audio beyond 1 s."""
        if self._nothing_to_send and not self._waiting and isinstance(command, SendCallerAudio):
            send = self.send_audio_now
            if send is not None and send(command.pcm):
                return
        self._waiting.append(command)
        self._live_bytes += _live_bytes(command)
        while self._live_bytes > MAX_LIVE_BYTES:
            self._drop_oldest_live()
        self._filled.set()

    async def get(self) -> Outgoing:
        """Wait for the oldest command and take it. Safe to cancel. Only one task may read."""
        while not self._waiting:
            self._filled.clear()
            self._nothing_to_send = True
            try:
                await self._filled.wait()
            finally:
                self._nothing_to_send = False
        command = self._waiting.popleft()
        self._live_bytes -= _live_bytes(command)
        return command

    def _drop_oldest_live(self) -> None:
        at, size = next((i, n) for i, c in enumerate(self._waiting) if (n := _live_bytes(c)))
        del self._waiting[at]
        self._live_bytes -= size
        self.dropped_bytes += size


def _live_bytes(command: Outgoing) -> int:
    return len(command.pcm) if isinstance(command, SendCallerAudio) and command.live else 0
