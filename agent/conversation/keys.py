"""The keys that a caller presses, as a text for the model: once a pause, or #, ends them."""

from agent.conversation.commands import ConversationCommand, SayToModel
from agent.conversation.debt import Debt
from agent.conversation.liveness import Liveness
from agent.conversation.persona import Persona, keys_pressed
from agent.conversation.sessions import Sessions

PAUSE_MS = 1_500
"""After so long the next key belongs to something else."""

MOST = 40
"""The longest number that anybody types."""


class Keys:
    """One conversation's. Call `look` after every step of it."""

    def __init__(
        self, persona: Persona, sessions: Sessions, liveness: Liveness, debt: Debt
    ) -> None:
        self._tells = persona.on_keys == "tell"
        self._sessions, self._liveness, self._debt = sessions, liveness, debt
        self._pressed = ""
        self._until_ms = 0

    def deadline_ms(self) -> int | None:
        """When `look` is due, or None."""
        return self._until_ms if self._pressed and self._sessions.listening else None

    def press(self, key: str, now_ms: int) -> None:
        """A key was pressed."""
        if self._tells and len(self._pressed) < MOST:
            self._pressed += key
            self._until_ms = now_ms if key == "#" else now_ms + PAUSE_MS

    def taken(self) -> str:
        """The keys that the model was not told of; it will not be told of them any more."""
        pressed, self._pressed = self._pressed, ""
        return pressed

    def look(self, now_ms: int) -> list[ConversationCommand]:
        """Tell the model, if that is due."""
        due_ms = self.deadline_ms()
        if due_ms is None or now_ms < due_ms:
            return []
        pressed, self._pressed = self._pressed, ""
        self._debt.ask()
        self._liveness.asked(now_ms)
        return [SayToModel(self._sessions.session, keys_pressed(pressed))]
