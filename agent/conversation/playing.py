"""The replies that are heard, or wait to be, oldest first: how far, and whether they are held.

Whoever has the listener tells how far each was heard (`listener_events.Heard`).
"""

from agent.conversation import listener_commands
from agent.conversation.barge_in import Hold
from agent.conversation.commands import ConversationCommand, appended
from agent.conversation.reply import Reply, State
from agent.conversation.transcript import Transcript
from agent.conversation.turn_taking import DEFAULT_TURNS, TurnTaking


class Playing:
    """One listener's. What a method returns is to be carried out in that order.

    Args:
        transcript: Gets a line of each reply that is over.
        turns: How late the server tells of speech that they are held for.

    Attributes:
        hold: Since when they are held, if they are.
        ends_ms: When all that has come will have been heard, or was; if it is
            not held. Reckoned from the audio that came, and mended by what was heard.
    """

    def __init__(self, transcript: Transcript, turns: TurnTaking = DEFAULT_TURNS) -> None:
        self.hold = Hold(turns)
        self.ends_ms = 0.0
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

    def came(self, audio_ms: float, now_ms: int) -> None:
        """So much more audio came."""
        self.ends_ms = max(self.ends_ms, now_ms) + audio_ms

    def taken_back(self, audio_ms: float) -> None:
        """So much audio that came will not be heard."""
        self.ends_ms -= audio_ms

    def heard(self, number: int, ms: float, sent_ms: float, now_ms: int) -> bool:
        """So much of a reply was heard so far. False if it is heard no more, or never was."""
        for reply in self._replies:
            if reply.number == number:
                more = ms > reply.heard_ms
                reply.heard(ms, sent_ms)
                if more:
                    self._reckon(now_ms)
                return True
        return False

    def ended(self, number: int, now_ms: int) -> list[ConversationCommand]:
        """A reply was heard to its end. If it was held, and no other is, the next one is heard."""
        [reply] = [each for each in self._replies if each.number == number]
        out = self._finish(reply, State.CUT if reply.dropped else State.HEARD, now_ms)
        return out + self.go_on(now_ms) if self.hold and self.held is None else out

    def stop(self, now_ms: int, up_to: int | None = None) -> list[ConversationCommand]:
        """Nothing more is heard of any reply, up to number `up_to`; what follows it goes on."""
        replies = [each for each in self._replies if up_to is None or each.number <= up_to]
        if not replies:
            return []
        self.hold.over()
        out: list[ConversationCommand] = [listener_commands.StopPlayback(replies[-1].number)]
        for reply in replies:
            out += self._finish(reply, State.CUT, now_ms)
        self.ends_ms = min(self.ends_ms, now_ms)
        if self._replies:
            self._reckon(now_ms)
        return out

    def drop_rest(self, reply: Reply, now_ms: int) -> list[ConversationCommand]:
        """Nothing more is sent of the newest reply, which nobody is to hear.

        If it alone is heard, it stops at once. If an earlier one is, that is heard to its end: to
        stop what was sent of this one would stop the other as well. Of this one the listener then
        hears what was sent already, at most as much as the lead: silence of a silent one; of one
        that is said anew, its first word or two, before it is.
        """
        if reply not in self._replies:
            return []
        if self._replies[0] is reply:
            return self.stop(now_ms)
        reply.dropped = True
        self._reckon(now_ms)
        return [listener_commands.DropRest(reply.number)]

    def pause(self, now_ms: int) -> list[ConversationCommand]:
        """Hold all replies."""
        self.hold.begins(now_ms)
        for reply in self._replies:
            reply.hold()
        return [listener_commands.HoldPlayback()]

    def go_on(self, now_ms: int) -> list[ConversationCommand]:
        """Go on with what is held, if anything is."""
        if not self.hold:
            return []
        self.hold.over()
        self._reckon(now_ms)
        from_ms = [reply.go_on() for reply in self._replies if reply.held]
        return [listener_commands.GoOnPlayback(from_ms[0] if from_ms else None)]

    def _reckon(self, now_ms: int) -> None:
        self.ends_ms = now_ms + sum(each.left_ms for each in self._replies)

    def _finish(self, reply: Reply, state: State, now_ms: int) -> list[ConversationCommand]:
        """A reply will be heard no further."""
        self._replies.remove(reply)
        lines = self._transcript.finish(reply, now_ms)
        reply.becomes(state)
        return appended(lines)
