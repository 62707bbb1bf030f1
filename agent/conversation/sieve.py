"""What is new of what a session tells of turns, sifted by three, one behind the other.

repetition  what a resumed session says again
crossed     an answer to a nudge that is no longer needed
rest        the repeated beginning of a reply that is gone on with
"""

from collections.abc import Iterator

from agent.conversation.crossed import Crossed
from agent.conversation.debt import Debt
from agent.conversation.events import TurnEvent
from agent.conversation.liveness import Liveness
from agent.conversation.pace import Pace
from agent.conversation.repetition import Repetition
from agent.conversation.rest import Rest
from agent.conversation.transcript import Transcript


class Sieve:
    """One conversation's. Sifts each event of a turn; the other methods say what to expect."""

    def __init__(self, transcript: Transcript, debt: Debt, liveness: Liveness, pace: Pace) -> None:
        self._transcript, self._debt, self._liveness = transcript, debt, liveness
        self._repetition, self._crossed, self._rest = Repetition(), Crossed(pace), Rest()

    def resumed(self, now_ms: int) -> None:
        """A resumed session is ready: it may say again what both sides said before."""
        said = (self._transcript.lately(role) for role in ("caller", "agent"))
        self._repetition.listens(now_ms, *said)

    def nudged(self) -> None:
        """The model was asked by text for what it owes."""
        self._crossed.nudged()

    def left(self, said: str, taken_back: str) -> None:
        """A reply is left in its middle, as `Rest.left` has it."""
        self._rest.left(said, taken_back)

    def stopped(self) -> None:
        """There is no session."""
        self._repetition.stopped()
        self._rest.stopped()
        self._crossed.stopped()

    def sift(self, event: TurnEvent, now_ms: int) -> Iterator[TurnEvent]:
        """Take the next event. Gives what is new by now, in order; what each of them leads to may
        change what is owed, and is to be carried out before the next is asked for.
        """
        waiting = self._debt.caller_waits
        for told in self._repetition.sift(event, now_ms):
            for once in self._crossed.sift(told, now_ms, caller_waits=waiting):
                new = self._rest.sift(once, owed=self._debt.rest)
                if self._rest.holds:
                    self._liveness.stirs(now_ms)
                yield from new
