"""Twilio's end of one recorded stream, as a pure state machine."""

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping

from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.events import StreamEnded
from telephony.simulator import wire
from telephony.twilio.messages import Dtmf, Malformed, Mark, Media, Stop
from telephony.wire_replay.carried import Place, ToPhone
from telephony.wire_replay.cues import StreamCues
from telephony.wire_replay.frames import malformed

PATIENCE_MS = 3_000
"""How long the server may take to close a stream after its last message."""


class RecordedStream:
    """Sends what a recorded stream sent. Call `open`, `receive` for each message, and `poll`.

    Marks come back at their recorded times, but never before they were sent; and those that came
    back behind a clear, which dropped their audio, never before the clear.

    Attributes:
        over: Whether Twilio has ended the stream; `broken` if it broke without `stop`.
        problems: The server's messages that Twilio would have refused.

    Args:
        cues: The stream's messages, at the call's times.
        echoes: When the mark at a position came back.
        clears: When a clear ended a run of audio.
        sent: Collects everything that the server sends.
    """

    def __init__(
        self,
        cues: StreamCues,
        echoes: Mapping[Place, int | None],
        clears: Mapping[int, int],
        sent: ToPhone,
    ) -> None:
        self.over = self.broken = False
        self.problems: list[str] = []
        self._sid = cues.started.event.stream_sid
        self._says = deque(cues.says)
        said_ms = [cue.at_ms for cue in cues.says]
        self._ends_ms = max([cues.started.at_ms, cues.closed_ms, *said_ms]) + PATIENCE_MS
        self._echoes, self._clears = echoes, clears
        self._sent = sent
        self._outstanding: list[tuple[int, str]] = []
        self._behind_clear: list[tuple[int, str]] = []
        """As `_outstanding`: those that wait for the clear that ends this run."""
        self._call_sid = self._account_sid = ""
        self._sequence = 1
        self._chunk = 0

    def open(self, call_sid: str, account_sid: str, parameters: Mapping[str, str]) -> list[str]:
        """The first frames of the stream."""
        self._call_sid, self._account_sid = call_sid, account_sid
        self._sent.begin()
        start = wire.start(self._next(), self._sid, call_sid, account_sid, parameters)
        return [wire.connected(), start]

    def receive(self, frame: str | bytes, now_ms: int) -> None:
        """Take one message of the server."""
        try:
            message = wire.read(frame, self._sid)
        except wire.InvalidMessage as invalid:
            self.problems.append(f"on the wire: expected what Twilio takes, got {invalid}")
            return
        match message:
            case wire.Media():
                self._sent.media(message.media.payload)
            case wire.Clear():
                run = self._sent.place.run
                self._sent.clear()
                if self._sent.place.run != run:
                    self._outstanding += self._behind_clear
                    self._behind_clear = []
            case wire.Mark():
                place = self._sent.mark(message.mark.name)
                due_ms = due(self._echoes, place)
                if due_ms is None:
                    return
                cleared_ms = self._clears.get(place.run)
                behind = cleared_ms is not None and due_ms > cleared_ms
                held = self._behind_clear if behind else self._outstanding
                held.append((max(now_ms, due_ms), message.mark.name))

    def poll(self, now_ms: int) -> list[str | bytes]:
        """The frames that are due by now."""
        frames: list[str | bytes] = []
        while not self.over and (due_ms := self.deadline_ms()) <= now_ms:
            if self._outstanding and min(self._outstanding)[0] == due_ms:
                echo = min(self._outstanding, key=lambda each: each[0])  # of equal times, the first
                self._outstanding.remove(echo)
                frames.append(wire.mark(self._next(), self._sid, echo[1]))
            elif self._says:
                frames += self._say(self._says.popleft().event)
            else:
                self.over = self.broken = True
        return frames

    def deadline_ms(self) -> int:
        """When to poll next."""
        due_ms = [at_ms for at_ms, _ in self._outstanding]
        return min([self._says[0].at_ms if self._says else self._ends_ms, *due_ms])

    def _say(self, event: object) -> list[str | bytes]:
        match event:
            case Media():
                self._chunk += 1
                stamp = event.timestamp_ms
                return [wire.media(self._next(), self._sid, self._chunk, stamp, event.payload)]
            case Mark():
                return [wire.mark(self._next(), self._sid, event.name)]
            case Dtmf():
                return [wire.dtmf(self._next(), self._sid, event.digit)]
            case Malformed():
                return [malformed(event.reason)]
            case Stop():
                self.over = True
                return [wire.stop(self._next(), self._sid, self._call_sid, self._account_sid)]
            case StreamEnded():
                self.over = self.broken = True
                return []
            case _:
                raise AssertionError(f"expected what a stream says, got {event!r}")

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence - 1


def due(echoes: Mapping[Place, int | None], place: Place) -> int | None:
    """When a mark comes back: at its recorded time, or after the audio behind the mark before it.

    The server divides audio differently each time, so its marks may have other positions.
    """
    if place in echoes:
        return echoes[place]
    known = sorted(each for each in echoes if each.run == place.run)
    if not known:
        return 0
    near = known[max(0, bisect_right(known, place) - 1)]
    at_ms = echoes[near]
    if at_ms is None:
        return None
    return at_ms + (place.samples - near.samples) // PHONE_SAMPLES_PER_MS
