"""The replies that are heard, or wait to be, oldest first: how far, and whether they are held.

Whoever has the listener tells how far each was heard (`events.Heard`).
"""

from agent.conversation import commands
from agent.conversation.barge_in import Hold
from agent.conversation.commands import ConversationCommand, appended
from agent.conversation.reply import Reply, State
from agent.conversation.transcript import Transcript


class Playing:
    """One listener's. What a method returns is to be carried out in that order.

    Args:
        transcript: Gets a line of each reply that is over.

    Attributes:
        hold: Since when they are held, if they are.
    """

    def __init__(self, transcript: Transcript) -> None:
        self.hold = Hold()
        self._transcript = transcript
        self._replies: list[Reply] = []

    def __bool__(self) -> bool:
        return bool(self._replies)

    def __contains__(self, reply: object) -> bool:
        return reply in self._replies

    @property
    def held(self) -> Reply | None:
        """The newest of those that are held, or None."""
        return next((reply for reply in reversed(self._replies) if reply.held), None)

    @property
    def longest_heard_ms(self) -> float:
        """How much was heard of the reply of which most was."""
        return max((reply.heard_ms for reply in self._replies), default=0)

    def begin(self, reply: Reply) -> None:
        """A reply comes; it is heard after all others, and so not while they are held."""
        self._replies.append(reply)
        self._transcript.begin(reply)

    def heard(self, number: int, ms: float, sent_ms: float) -> bool:
        """So much of a reply was heard so far. False if it is heard no more, or never was."""
        for reply in self._replies:
            if reply.number == number:
                reply.heard(ms, sent_ms)
                return True
        return False

    def ended(self, number: int) -> list[ConversationCommand]:
        """A reply was heard to its end. If it was held, and no other is, the next one is heard."""
        [reply] = [each for each in self._replies if each.number == number]
        out = self._finish(reply, State.HEARD)
        return out + self.go_on() if self.hold and self.held is None else out

    def stop(self, up_to: int | None = None) -> list[ConversationCommand]:
        """Nothing more is heard of any reply, up to number `up_to`; what follows it goes on."""
        replies = [each for each in self._replies if up_to is None or each.number <= up_to]
        if not replies:
            return []
        self.hold.over()
        out: list[ConversationCommand] = [commands.StopPlayback(replies[-1].number)]
        for reply in replies:
            out += self._finish(reply, State.CUT)
        return out

    def pause(self, now_ms: int) -> list[ConversationCommand]:
        """Hold all replies."""
        self.hold.begins(now_ms)
        for reply in self._replies:
            reply.hold()
        return [commands.HoldPlayback()]

    def go_on(self) -> list[ConversationCommand]:
        """Go on with what is held, if anything is."""
        if not self.hold:
            return []
        self.hold.over()
        from_ms = [reply.go_on() for reply in self._replies if reply.held]
        return [commands.GoOnPlayback(from_ms[0] if from_ms else None)]

    def _finish(self, reply: Reply, state: State) -> list[ConversationCommand]:
        """A reply will be heard no further."""
        self._replies.remove(reply)
        lines = self._transcript.finish(reply)
        reply.becomes(state)
        return appended(lines)
