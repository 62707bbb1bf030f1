"""A caller with a telephone in virtual time: a `Director`, and one `Line` after another. Pure.

The caller acts from the first media on, in steps of 20 ms. Without a line the caller goes on
speaking, and that speech is lost, as on a real telephone.
"""

from random import Random

from telephony.audio.formats import FRAME_MS, FRAME_SAMPLES, PHONE_SAMPLES_PER_MS
from telephony.simulator.director import Director, Press
from telephony.simulator.faults import LineFaults
from telephony.simulator.line import Line, LineState
from telephony.simulator.script import Cut, HangUp, Script, Utterance


class Phone:
    """Call `connect` for each stream, then `step` by `deadline_ms` and after anything else.

    Attributes:
        director: The caller.
        lines: Every stream so far.
        said: Each utterance of the caller, and when it began.
        hung_up: Whether the caller has hung up.
    """

    def __init__(self, call_sid: str, script: Script, rng: Random, faults: LineFaults) -> None:
        self.director = Director(script)
        self.lines: list[Line] = []
        self.said: list[tuple[int, Utterance]] = []
        self.hung_up = False
        self._call_sid, self._rng, self._faults = call_sid, rng, faults
        self._heard = 0
        self._unsaid = b""
        self._idle_since_ms = 0
        self._next_ms: int | None = None

    @property
    def line(self) -> Line | None:
        """The stream that is open, or None."""
        if self.lines and self.lines[-1].state is LineState.OPEN:
            return self.lines[-1]
        return None

    def connect(self, now_ms: int) -> Line:
        """Connect a new stream."""
        line = Line(
            f"MZ{self._rng.getrandbits(128):032x}",
            self._call_sid,
            "AC" + "0" * 32,
            {},
            rng=self._rng,
            faults=self._faults,
        )
        self.lines.append(line)
        self._heard = 0
        line.open(now_ms)
        line.speak(self._still_unsaid(line.media_start_ms))
        self._unsaid, self._next_ms = b"", None
        return line

    def lose(self, now_ms: int) -> None:
        """Lose the stream, if there is one."""
        if (line := self.line) is None:
            return
        line.lose(now_ms)
        self._hear(line)
        self._unsaid, self._idle_since_ms, self._next_ms = line.unsaid, now_ms, now_ms

    def step(self, now_ms: int) -> list[str]:
        """Act up to now. Returns the messages that the open line sends, as text frames."""
        if (line := self.line) is None:
            self._wait(now_ms)
            return []
        frames = line.poll(now_ms)
        self._hear(line)
        if now_ms >= line.media_start_ms:
            self._act(line, now_ms)
        return frames + line.poll(now_ms)

    def deadline_ms(self) -> int | None:
        """When to step next; None once the caller has hung up, and before the first line."""
        if self.hung_up:
            return None
        return self._next_ms if self.line is None else self.line.deadline_ms()

    def _hear(self, line: Line) -> None:
        while self._heard < len(line.heard):
            frame = bytes(line.heard[self._heard : self._heard + FRAME_SAMPLES])
            self.director.hear(frame, line.media_start_ms + self._heard // PHONE_SAMPLES_PER_MS)
            self._heard += FRAME_SAMPLES

    def _act(self, line: Line, now_ms: int) -> None:
        for action in self.director.step(now_ms):
            match action:
                case Utterance():
                    self.said.append((now_ms, action))
                    line.speak(action.ulaw)
                case Press(digit):
                    line.press(digit)
                case HangUp():
                    self.hung_up = True
                    line.hang_up(now_ms)
                case Cut():
                    pass  # a world cuts streams by its own faults

    def _wait(self, now_ms: int) -> None:
        if self._next_ms is None or now_ms < self._next_ms:
            return
        self._next_ms = now_ms + FRAME_MS
        for action in self.director.step(now_ms):
            match action:
                case Utterance():
                    self.said.append((now_ms, action))
                    self._unsaid = self._still_unsaid(now_ms) + action.ulaw
                    self._idle_since_ms = now_ms
                case HangUp():
                    self.hung_up = True
                case Press() | Cut():
                    pass

    def _still_unsaid(self, now_ms: int) -> bytes:
        past_ms = max(0, now_ms - self._idle_since_ms)
        return self._unsaid[past_ms * PHONE_SAMPLES_PER_MS :]
