"""The sound that a waiting caller hears: after 1.5 s, and again every 3 s.

A caller waits while no session listens, and when an answer is late. The wait counts from the moment
at which neither side was heard any more, so the sound never covers anybody's words.
"""

from agent.conversation.debt import Debt
from agent.conversation.turn_taking import DEFAULT_TURNS, TurnTaking

SOUND_AFTER_MS = 1_500

SOUND_EVERY_MS = 3_000
"""With the way to the phone, and the change from the stream to an apology: below 4 s of nothing."""

ANSWER_DUE_MS = 900
"""An answer is begun 1.5 s after the end of the caller's turn, seldom later: with `SOUND_AFTER_MS`
beyond this it is late for sure."""

WORKS_AFTER_MS = 1_300
WORKS_EVERY_MS = 1_600
"""The same while a tool runs for the caller, who then never hears nothing for 1.5 s: the sound
takes 300 ms, and the way to the phone and the mark's way back up to 200 ms."""

GIVEN_UP_AFTER_MS = 15_000
"""What a session that listens does not answer for so long was no question: a cough, a radio."""


class Waiting:
    """One caller's wait. Call `look` after every step while a stream is up.

    Args:
        turns: Which silence ends the caller's turn.

    Attributes:
        due_ms: When the next sound is due if nothing happens before, or None.
    """

    def __init__(self, turns: TurnTaking = DEFAULT_TURNS) -> None:
        self._answer_ms = turns.silence_ms + ANSWER_DUE_MS
        self.due_ms: int | None = None
        self._quiet_ms = 0
        self._sounded_ms: int | None = None

    def started(self, now_ms: int) -> None:
        """A stream begins: from now on there is somebody to hear something."""
        self._quiet_ms = now_ms
        self._sounded_ms = None

    def look(
        self,
        now_ms: int,
        caller_at_ms: int,
        deaf_since_ms: int | None,
        debt: Debt,
        *,
        agent_heard: bool,
    ) -> bool:
        """Whether the sound is due.

        Args:
            now_ms: The time.
            caller_at_ms: When the caller was last heard.
            deaf_since_ms: Since when no session listens, or None while one does.
            debt: What the caller is owed.
            agent_heard: Whether a reply is heard, or about to be.
        """
        if agent_heard:
            self._quiet_ms = now_ms
        quiet_ms = max(self._quiet_ms, caller_at_ms)
        works = debt.works and deaf_since_ms is None
        every_ms = WORKS_EVERY_MS if works else SOUND_EVERY_MS
        self.due_ms = self._due_ms(quiet_ms, deaf_since_ms, debt, every_ms)
        if self.due_ms is None or now_ms < self.due_ms or agent_heard:
            return False
        self._sounded_ms = now_ms
        self.due_ms = now_ms + every_ms
        return True

    def _due_ms(
        self, quiet_ms: int, deaf_since_ms: int | None, debt: Debt, every_ms: int
    ) -> int | None:
        if deaf_since_ms is not None:
            due_ms = max(quiet_ms, deaf_since_ms) + SOUND_AFTER_MS
        elif debt.works:  # no answer is to be expected yet
            due_ms = quiet_ms + WORKS_AFTER_MS
        elif debt.sure:
            due_ms = quiet_ms + self._answer_ms + SOUND_AFTER_MS
        else:
            return None
        if self._sounded_ms is not None:
            due_ms = max(due_ms, self._sounded_ms + every_ms)
        if deaf_since_ms is not None or debt.works or debt.told:
            return due_ms
        return due_ms if due_ms <= quiet_ms + GIVEN_UP_AFTER_MS else None
