"""Decides what the caller does next, from the script and from what the caller heard. Pure.

The agent's speech counts if the caller hears it after the caller's own last word. So an answer that
comes early is not missed, and an answer that the caller interrupted does not count for the next
step.
"""

from collections import deque
from dataclasses import dataclass

from telephony.audio.formats import FRAME_MS, FRAME_SAMPLES
from telephony.simulator.ear import Ear, last_sound_ms
from telephony.simulator.script import Cut, Deed, HangUp, Keys, Script, Step, Utterance

KEY_GAP_MS = 120


@dataclass(frozen=True, slots=True)
class Press:
    """The caller presses one key."""

    digit: str


type Action = Utterance | Press | Cut | HangUp


class Director:
    """Plays one caller. Call `hear` with each frame that the caller hears, and `step` after it;
    without a line, call `step` every 20 ms.

    Args:
        script: The caller's script.
    """

    def __init__(self, script: Script) -> None:
        self.ear = Ear(script.quiet_ms)
        self.problem: str | None = None
        """Why the caller gave up, or None."""
        self._script = script
        self._leaves = False
        self._done = 0
        self._began_ms: int | None = None
        self._last_word_ms = 0
        self._unanswered = False
        self._awaited = {step.last_words for step in script.steps if step.last_words}
        self._said_ms: dict[bytes, int] = {}
        self._lately = b""
        self._last_frame_ms = -1
        self._keys: deque[tuple[int, str]] = deque()

    @property
    def finished(self) -> bool:
        """Whether the script is finished."""
        return self._done >= len(self._script.steps)

    def hear(self, frame: bytes, at_ms: int) -> None:
        """The caller heard 20 ms of µ-law from `at_ms` on."""
        self._last_frame_ms = at_ms
        self._lately = self._lately[-FRAME_SAMPLES:] + frame
        for words in self._awaited:
            if words in self._lately:
                self._said_ms[words] = at_ms + FRAME_MS
        turns = len(self.ear.turns)
        self.ear.hear(frame, at_ms)
        if len(self.ear.turns) > turns and self._unanswered:
            self._unanswered = False
            if at_ms >= self._last_word_ms:
                self.ear.turns[-1].response_ms = at_ms - self._last_word_ms

    def leave(self) -> None:
        """Hang up at the next step, at any point of the script."""
        self._leaves = True

    def step(self, now_ms: int) -> list[Action]:
        """The caller's actions now, in order. Nothing follows a `HangUp`."""
        if self._began_ms is None:
            self._began_ms = now_ms
        if self._leaves:
            self._done = len(self._script.steps)
            return [HangUp()]
        actions: list[Action] = []
        while self._keys and self._keys[0][0] <= now_ms:
            actions.append(Press(self._keys.popleft()[1]))
        while not self.finished and now_ms >= self._began_ms:
            step = self._script.steps[self._done]
            due_ms = self._due_ms(step, self._began_ms)
            if due_ms is None and now_ms - self._last_heard_ms() >= self._script.patience_ms:
                waited = f"waited {self._script.patience_ms} ms for the agent"
                self.problem = f"step {self._done + 1}: {waited}"
                self._done = len(self._script.steps)
                actions.append(HangUp())
            elif due_ms is None or now_ms < due_ms:
                break
            else:
                self._done += 1
                self._began_ms = now_ms
                actions += self._do(step.deed, now_ms)
        return actions

    def _due_ms(self, step: Step, began_ms: int) -> int | None:
        """When the step's action is due; None while the step still waits for something."""
        since_ms = began_ms
        last = self.ear.turns[-1] if self.ear.turns else None
        if step.wait_for_agent:
            if last is None or self.ear.hears or last.ended_ms <= self._last_word_ms:
                return None
            since_ms = max(began_ms, last.ended_ms + self._script.quiet_ms)
        elif step.wait_for_line:
            if self._last_frame_ms < began_ms:
                return None
        elif step.barge_in_ms is not None:
            if last is None or last.ended_ms <= began_ms:
                return None
            since_ms = max(began_ms, last.started_ms) + step.barge_in_ms
        elif step.last_words:
            said_ms = self._said_ms.get(step.last_words)
            if said_ms is None or said_ms <= self._last_word_ms:
                return None
            since_ms = max(began_ms, said_ms)
        return since_ms + step.after_ms

    def _last_heard_ms(self) -> int:
        """When the caller last heard the agent, or began to wait for it."""
        heard_ms = self.ear.turns[-1].ended_ms if self.ear.turns else 0
        return max(heard_ms, self._began_ms or 0)

    def _do(self, deed: Deed | None, now_ms: int) -> list[Action]:
        match deed:
            case None:
                return []
            case Utterance():
                self._began_ms = now_ms + deed.duration_ms
                self._last_word_ms = now_ms + last_sound_ms(deed.ulaw)
                self._unanswered = True
                return [deed]
            case Keys(digits):
                self._began_ms = now_ms + KEY_GAP_MS * len(digits)
                self._keys.extend((now_ms + KEY_GAP_MS * n, key) for n, key in enumerate(digits))
                return [Press(self._keys.popleft()[1])]
            case HangUp():
                self._done = len(self._script.steps)
                return [deed]
            case Cut():
                self._last_frame_ms = -1  # what was heard so far was heard on the line that is lost
                return [deed]
