"""When a conversation comes to its end by itself: nobody says anything, it has lasted too long, or
the agent hangs up.

silence   nobody was heard for `silence_s`: the caller is asked whether they are still there, and
          if nobody is heard for as long again, the conversation ends
length    after `minutes`, or once it has cost `usd` or a day's money is spent, at the next pause,
          the agent says goodbye; once that was heard, the conversation ends
hang-up   the agent asked for it: once its goodbye was heard, the conversation ends
"""

from agent.conversation.commands import ConversationCommand, EndConversation, Ending
from agent.conversation.deadlines import earliest
from agent.conversation.debt import Debt
from agent.conversation.meter import NANO, Meter
from agent.conversation.persona import SILENT_CALLER, TIME_IS_UP, Persona
from agent.conversation.replies import Replies
from agent.conversation.sessions import Sessions
from agent.conversation.turns import Floor, Generation

PAUSE_WITHIN_MS = 20_000
"""How long a pause is waited for, before the goodbye is said in any case."""

GOODBYE_WITHIN_MS = 8_000
"""How long the goodbye may take to be heard."""

MS_PER_MINUTE = 60_000


class Parting:
    """One conversation's. Call `look` after every step of it.

    Args:
        persona: Whose limits and words count.
        sessions: The model's sessions, through which it is made to speak.
        replies: What is said.
        debt: What the caller is owed.
        meter: What the conversation costs.
    """

    def __init__(
        self,
        persona: Persona,
        sessions: Sessions,
        replies: Replies,
        debt: Debt,
        meter: Meter,
    ) -> None:
        self._persona = persona
        self._sessions, self._replies, self._debt = sessions, replies, debt
        self._meter = meter
        self._most = round(persona.usd * NANO)
        self._silence_ms = round(persona.silence_s * 1000)
        length_ms = round(persona.minutes * MS_PER_MINUTE)
        self._over_ms = max(0, length_ms - meter.elapsed_ms) if length_ms else None
        self._quiet_ms: int | None = None
        """Since when nobody speaks and nobody is owed anything; None while somebody does or is."""
        self._asked = False
        self._goodbye_by_ms: int | None = None
        """Until when the goodbye may take; None before it."""
        self._reason = Ending.LIMIT
        self._ended = False
        """Whether it came to its end. What is heard while it is closed must not end it again."""

    def deadline_ms(self) -> int | None:
        """When `look` is due, or None."""
        if self._goodbye_by_ms is not None:
            return self._goodbye_by_ms
        quiet_ms = self._quiet_ms
        silent_ms = None
        if self._silence_ms and quiet_ms is not None:
            silent_ms = quiet_ms + self._silence_ms
        if self._over_ms is None:
            return silent_ms
        pause_ms = 0 if quiet_ms is not None else PAUSE_WITHIN_MS
        return earliest(silent_ms, self._over_ms + pause_ms)

    def hangs_up(self, now_ms: int) -> None:
        """The agent wants the conversation to end with what it says now, or is asked to say."""
        if self._goodbye_by_ms is None:
            self._goodbye_by_ms, self._reason = now_ms + GOODBYE_WITHIN_MS, Ending.AGENT_HANGUP

    def lets_go(self) -> list[ConversationCommand]:
        """Somebody else is to have the listener: it ends here, if it has not."""
        return [] if self._ended else self._end(Ending.PUT_THROUGH)

    def is_due(self, now_ms: int) -> None:
        """The conversation must not cost more: the agent is to say goodbye at the next pause."""
        self._over_ms = now_ms if self._over_ms is None else min(now_ms, self._over_ms)

    def caller_acts(self, now_ms: int) -> None:
        """The caller does something that is no speech, such as to press a key."""
        self._asked = False
        self._quiet_ms = None if self._quiet_ms is None else now_ms

    def stays(self) -> None:
        """It does not hang up after all."""
        if self._reason is Ending.AGENT_HANGUP:
            self._goodbye_by_ms = None

    def look(self, now_ms: int) -> list[ConversationCommand]:
        """Ask a silent caller, say goodbye, or come to the end, if that is due."""
        if self._ended:
            return []
        speaks = self._replies.floor is Floor.AGENT
        self._note(now_ms, speaks=speaks)
        if self._goodbye_by_ms is not None:
            said = not self._debt.asked and not speaks
            return self._end(self._reason) if said or now_ms >= self._goodbye_by_ms else []
        due_ms = self.deadline_ms()
        if due_ms is None or now_ms < due_ms:
            return []
        if self._over_ms is not None and now_ms >= self._over_ms:
            self._goodbye_by_ms, self._reason = now_ms + GOODBYE_WITHIN_MS, Ending.LIMIT
            return self._sessions.say(TIME_IS_UP, self._persona.goodbye)
        if self._asked:
            return self._end(Ending.SILENCE)
        self._asked, self._quiet_ms = True, now_ms
        return self._sessions.say(SILENT_CALLER, self._persona.still_there)

    def _end(self, reason: Ending) -> list[ConversationCommand]:
        self._ended = True
        return [EndConversation(reason)]

    def _note(self, now_ms: int, *, speaks: bool) -> None:
        if self._debt.caller_waits:
            self._asked = False
        if self._most and (self._meter.cost(now_ms) or 0) >= self._most:
            self.is_due(now_ms)
        idle = self._replies.generation is Generation.IDLE
        pause = self._sessions.listening and idle and not speaks and not self._debt.busy
        if not pause:
            self._quiet_ms = None
        elif self._quiet_ms is None or self._debt.spoke_since(self._quiet_ms):
            self._quiet_ms = now_ms
