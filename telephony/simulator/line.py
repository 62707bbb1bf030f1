"""One bidirectional Media Stream, from Twilio's end, as a pure state machine.

You tell it what the server sent, what the caller says and what time it is. It returns the messages
to send, and when to poll it again. If a poll comes late, the machine catches up in order, with the
times at which things were due. So the same seed and input give the same messages, however often it
is polled.

    open ── connected, start ──▶ OPEN ── hang_up: stop ──▶ ENDED
                                   └──── lose: nothing ──▶ ENDED

The caller's voice and the playout share one clock: a frame every 20 ms from `media_start_ms`. The
caller says and hears frame n at `media_start_ms + 20 n`.

Source: Twilio's documentation and measurements of others (October 2026). Where this is a guess,
`faults.LineFaults` has a switch.
"""

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from telephony.audio.formats import FRAME_MS, PHONE_SAMPLES_PER_MS
from telephony.simulator import wire
from telephony.simulator.faults import LineFaults
from telephony.simulator.keys import key_tone
from telephony.simulator.mouth import Mouth, Piece
from telephony.simulator.playout import Playout

BUFFER_FULL = 31931

SHOWN_CHARS = 160
"""How much of a message is shown with a complaint."""

IN_FLIGHT_MS = 500
"""How long after `stop` the server may still send messages, because it may not have read it."""


@dataclass(frozen=True, slots=True)
class Received:
    """A valid message of the server, its time, and how much the caller had heard by then."""

    at_ms: int
    message: wire.ServerMessage
    heard_samples: int


@dataclass(frozen=True, slots=True)
class Cleared:
    """A clear took effect: the dropped audio, and the flushed marks."""

    at_ms: int
    dropped: bytes
    marks: tuple[str, ...]

    @property
    def dropped_ms(self) -> int:
        """How long the dropped audio would have played."""
        return len(self.dropped) // PHONE_SAMPLES_PER_MS


@dataclass(frozen=True, slots=True)
class Complaint:
    """A message to which Twilio objects: with a warning's code, or 0 if it gives no warning.

    Twilio raises each code once per stream; here each occurrence is kept. `sent` is the server's
    message, shortened; "" where there is none.
    """

    at_ms: int
    code: int
    reason: str
    sent: str = ""

    def __str__(self) -> str:
        name = f"warning {self.code}" if self.code else "a message out of turn"
        sent = f"; the server sent {self.sent}" if self.sent else ""
        return f"{name} at {self.at_ms} ms: {self.reason}{sent}"


class _Due(Enum):
    """The order of things that are due at the same time. A message comes after the frame of the
    same ms.
    """

    ECHO = "echo"
    FRAME = "frame"
    ARRIVAL = "arrival"


class LineState(Enum):
    """The state of a stream."""

    NEW = "new"
    OPEN = "open"
    ENDED = "ended"


_GOOD = LineFaults()


class Line:
    """Twilio's half of one stream. Call `open`, then `poll` at each `deadline_ms` and after
    anything else; `now_ms` never goes back.

    Args:
        stream_sid: MZ and 32 hex digits, new for each stream.
        call_sid: The call it belongs to.
        account_sid: Whose call it is.
        parameters: The Parameters of the TwiML's Stream.
        rng: The random numbers for all choices.
        faults: The switches of the line.
    """

    def __init__(
        self,
        stream_sid: str,
        call_sid: str,
        account_sid: str,
        parameters: Mapping[str, str],
        *,
        rng: random.Random,
        faults: LineFaults = _GOOD,
    ) -> None:
        self.stream_sid = stream_sid
        self.media_start_ms = 0
        self.ended_ms: int | None = None
        self.received: list[Received] = []
        self.clears: list[Cleared] = []
        self.complaints: list[Complaint] = []
        self.echoed: list[str] = []
        """The marks that were sent back, in order."""
        self.playout = Playout()
        self._call_sid, self._account_sid, self._parameters = call_sid, account_sid, parameters
        self._rng, self._faults = rng, faults
        self._mouth = Mouth(rng, faults)
        self._state = LineState.NEW
        self._opened_ms = 0
        self._sequence = 0
        self._frame_due_ms = 0
        self._chunk = 0
        self._arrivals: deque[tuple[int, str | bytes]] = deque()
        self._echoes: deque[tuple[int, str]] = deque()
        self._out: list[str] = []

    @property
    def state(self) -> LineState:
        """Where this stream is in its life."""
        return self._state

    @property
    def heard(self) -> bytearray:
        """The µ-law that the caller heard, silence included, since the stream's media began."""
        return self.playout.heard

    @property
    def said(self) -> bytearray:
        """The µ-law that the caller said, as long as `heard`."""
        return self._mouth.said

    @property
    def unsaid(self) -> bytes:
        """The audio that the caller still has to say."""
        return self._mouth.unsaid

    def open(self, now_ms: int) -> None:
        """The WebSocket is up. The next poll returns `connected` and `start`."""
        self._state = LineState.OPEN
        self._opened_ms = now_ms
        self.media_start_ms = self._frame_due_ms = now_ms + self._rng.randint(100, 170)
        self._out.append(wire.connected())
        sequence = self._next_sequence()
        self._out.append(
            wire.start(
                sequence, self.stream_sid, self._call_sid, self._account_sid, self._parameters
            )
        )

    def speak(self, ulaw: bytes) -> None:
        """Let the caller say this, after earlier audio, from the next frame on."""
        self._mouth.speak(ulaw)

    def press(self, digit: str) -> None:
        """Let the caller press a key."""
        if self._state is LineState.OPEN:
            self._out.append(wire.dtmf(self._next_sequence(), self.stream_sid, digit))
            if self._faults.audible_keys:
                self._mouth.sound(key_tone(digit))

    def receive(self, frame: str | bytes, now_ms: int) -> None:
        """Take a message of the server: `str` for a text frame, `bytes` for a binary one."""
        if self._state is LineState.NEW:
            self.complain(now_ms, 0, "message before start", frame)
            return
        if self.ended_ms is not None:
            if now_ms > self.ended_ms + IN_FLIGHT_MS:
                self.complain(now_ms, 0, "message after stop", frame)
            return
        self._advance(now_ms)
        due_ms = now_ms + self._rng.randint(*self._faults.processing_ms)
        if self._arrivals:
            due_ms = max(due_ms, self._arrivals[-1][0])
        self._arrivals.append((due_ms, frame))

    def hang_up(self, now_ms: int) -> None:
        """End the call normally: the next poll ends with `stop`. Queued audio is lost."""
        self._advance(now_ms)
        if self._state is LineState.OPEN:
            if self._faults.stop:
                sequence = self._next_sequence()
                self._out.append(
                    wire.stop(sequence, self.stream_sid, self._call_sid, self._account_sid)
                )
            self.lose(now_ms)

    def lose(self, now_ms: int) -> None:
        """Break the socket: there is no `stop`, and no more echoes."""
        self._advance(now_ms)
        self._state = LineState.ENDED
        self.ended_ms = now_ms

    def poll(self, now_ms: int) -> list[str]:
        """The messages to send now, in order, as text frames."""
        self._advance(now_ms)
        out, self._out = self._out, []
        return out

    def deadline_ms(self) -> int | None:
        """When to poll next; None once the stream has ended."""
        if self._state is not LineState.OPEN:
            return None
        return self._next_due()[0]

    def complain(self, at_ms: int, code: int, reason: str, sent: str | bytes = "") -> None:
        """Note a complaint, also one that only the socket's owner sees, such as 31924."""
        self.complaints.append(Complaint(at_ms, code, reason, _shortened(sent)))

    def _next_due(self) -> tuple[int, _Due]:
        due_ms, what = self._frame_due_ms, _Due.FRAME
        if self._arrivals and self._arrivals[0][0] < due_ms:
            due_ms, what = self._arrivals[0][0], _Due.ARRIVAL
        if self._echoes and self._echoes[0][0] <= due_ms:
            due_ms, what = self._echoes[0][0], _Due.ECHO
        return due_ms, what

    def _advance(self, now_ms: int) -> None:
        while self._state is LineState.OPEN:
            due_ms, what = self._next_due()
            if due_ms > now_ms:
                return
            match what:
                case _Due.ECHO:
                    self._echo(self._echoes.popleft()[1])
                case _Due.ARRIVAL:
                    self._take_effect(self._arrivals.popleft()[1], due_ms)
                case _Due.FRAME:
                    self._play_frame(due_ms)

    def _play_frame(self, at_ms: int) -> None:
        self._frame_due_ms = at_ms + FRAME_MS
        for piece in self._mouth.say_frame(at_ms, self.playout.heard):
            self._send_media(piece)
        self.playout.play_frame()
        self._echo_played(at_ms)

    def _take_effect(self, frame: str | bytes, at_ms: int) -> None:
        try:
            message = wire.read(frame, self.stream_sid)
        except wire.InvalidMessage as invalid:
            self.complain(at_ms, invalid.code, invalid.reason, frame)
            return
        self.received.append(Received(at_ms, message, len(self.heard)))
        match message:
            case wire.Media():
                if discarded := self.playout.append(message.media.payload):
                    self.complain(at_ms, BUFFER_FULL, f"{discarded} bytes discarded", frame)
            case wire.Mark():
                self.playout.mark(message.mark.name)
                self._echo_played(at_ms)
            case wire.Clear():
                dropped, marks = self.playout.clear()
                self.clears.append(Cleared(at_ms, dropped, marks))
                for name in marks:
                    self._queue_echo(name, at_ms)

    def _echo_played(self, at_ms: int) -> None:
        for name in self.playout.played():
            self._queue_echo(name, at_ms + self._rng.randint(0, self._faults.late_echo_ms))

    def _queue_echo(self, name: str, due_ms: int) -> None:
        if self._echoes:
            due_ms = max(due_ms, self._echoes[-1][0])
        self._echoes.append((due_ms, name))

    def _echo(self, name: str) -> None:
        self.echoed.append(name)
        self._out.append(wire.mark(self._next_sequence(), self.stream_sid, name))

    def _send_media(self, piece: Piece) -> None:
        self._chunk += 1
        since_start_ms = self.media_start_ms - self._opened_ms
        wobble_ms = self._rng.randint(-1, 1)
        timestamp_ms = since_start_ms + piece.at_sample // PHONE_SAMPLES_PER_MS + wobble_ms
        sequence = self._next_sequence()
        self._out.append(
            wire.media(sequence, self.stream_sid, self._chunk, timestamp_ms, piece.ulaw)
        )

    def _next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence


def _shortened(sent: str | bytes) -> str:
    text = sent if isinstance(sent, str) else repr(sent[:SHOWN_CHARS])
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}… ({len(sent)} in all)"
