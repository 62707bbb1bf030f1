"""Twilio's half of the load: frames that were encoded before, a playout that is counted, and marks
that come back when they should.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from websockets.exceptions import ConnectionClosed

from telephony.audio.formats import FRAME_MS, FRAME_SAMPLES, PHONE_SAMPLES_PER_MS
from telephony.simulator import wire
from telephony.simulator.stream import TwilioSocket
from tests.benchmarks.calls.timing import now_ms


class PhoneStream:
    """One stream that has started.

    Attributes:
        sent: When each of the caller's frames was sent.
        media: When a message with audio came, and how many samples it had.
        gaps_ms: Silence within replies, because nothing was queued.
        clears: When each clear came.
    """

    def __init__(self, socket: TwilioSocket, stream_sid: str, tasks: asyncio.TaskGroup) -> None:
        self.sent: list[float] = []
        self.media: list[tuple[float, int]] = []
        self.gaps_ms: list[float] = []
        self.clears: list[float] = []
        self.heard = bytearray()
        self.cleared = asyncio.Event()
        self._socket, self._stream_sid, self._tasks = socket, stream_sid, tasks
        self._played_by_ms = 0.0
        self._reply_begins = True
        self._sequence = 0
        self._marks: dict[str, asyncio.TimerHandle] = {}

    def new_reply(self) -> None:
        """What comes from now on is a new reply: the silence before it is no gap."""
        self._reply_begins = True

    async def talk(self, frames: Sequence[str], first_ms: float) -> None:
        """Send the frames, one every 20 ms from `first_ms` on."""
        with suppress(ConnectionClosed):
            for n, frame in enumerate(frames):
                await asyncio.sleep((first_ms + n * FRAME_MS - now_ms()) / 1000)
                self.sent.append(now_ms())
                await self._socket.send(frame)

    async def take(self) -> None:
        """Take what the server sends, until it is gone."""
        try:
            while True:
                self._take(await self._socket.recv())
        except ConnectionClosed:
            return
        finally:
            for timer in self._marks.values():
                timer.cancel()

    def _take(self, frame: str | bytes) -> None:
        at_ms = now_ms()
        match wire.read(frame, self._stream_sid):
            case wire.Media(media=media):
                self._queue(media.payload, at_ms)
            case wire.Mark(mark=mark):
                wait_s = max(0.0, self._played_by_ms - at_ms) / 1000
                loop = asyncio.get_running_loop()
                self._marks[mark.name] = loop.call_later(wait_s, self._echo, mark.name)
            case wire.Clear():
                self.clears.append(at_ms)
                self._played_by_ms = at_ms
                self.cleared.set()
                for name in list(self._marks):
                    self._echo(name)

    def _queue(self, ulaw: bytes, at_ms: float) -> None:
        gap_ms = at_ms - self._played_by_ms
        if gap_ms > 0 and not self._reply_begins:
            self.gaps_ms.append(gap_ms)
        self._reply_begins = False
        self._played_by_ms = max(self._played_by_ms, at_ms) + len(ulaw) / PHONE_SAMPLES_PER_MS
        self.media.append((at_ms, len(ulaw)))
        self.heard += ulaw

    def _echo(self, name: str) -> None:
        self._marks.pop(name).cancel()
        self._sequence += 1
        message = wire.mark(self._sequence, self._stream_sid, name)
        self._tasks.create_task(self._send(message))

    async def _send(self, message: str) -> None:
        with suppress(ConnectionClosed):
            await self._socket.send(message)


def encoded_frames(stream_sid: str, ulaw: bytes) -> list[str]:
    """Caller audio as Twilio sends it: µ-law, 8 kHz, cut into frames of 20 ms."""
    return [
        wire.media(n + 2, stream_sid, n + 1, n * FRAME_MS, ulaw[at : at + FRAME_SAMPLES])
        for n, at in enumerate(range(0, len(ulaw), FRAME_SAMPLES))
    ]
