"""Who was heard when in a world, and whether the caller was owed something then.

Everything is taken from what was said, heard and sent; the call is never asked.
"""

from collections.abc import Iterator

from agent.conversation.commands import CloseModel, SayToModel, SendToolResult
from agent.conversation.events import SessionLost, SessionReady, SessionRefused
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.simulator.ear import last_sound_ms
from telephony.simulator.world import World
from tests.worlds import judge

HEARD_MS = 300
"""Less of a reply than this, nobody has heard."""

UNSURE_MS = 1_000
"""So much of a reply may be heard before it is known that anything was: on a new stream it may then
begin once more."""

UNHELD_MS = 1_000
"""A session that is missing for longer is a reason for a waiting sound."""

ASKED_AT_ONCE_MS = 100
"""What a session that follows a lost one is asked to continue, it is asked so soon."""


class Truth:
    """Who was heard when, and whether a session listened."""

    def __init__(self, world: World) -> None:
        least = HEARD_MS * PHONE_SAMPLES_PER_MS
        self._replies = [x for x in judge.replies(world) if x.heard_samples >= least]
        self._agent = sorted(
            (span.at_ms, span.at_ms + len(span.ulaw) // PHONE_SAMPLES_PER_MS)
            for reply in self._replies
            for span in reply.spans
        )
        self._caller = [
            (at_ms, at_ms + last_sound_ms(said.ulaw)) for at_ms, said in world.phone.said
        ]
        self._listens = [
            (step.at_ms, isinstance(step.event, SessionReady))
            for step in world.steps
            if isinstance(step.event, SessionReady | SessionLost | SessionRefused)
            or any(isinstance(command, CloseModel) for command in step.commands)
        ]

        self._asked_ms = [
            step.at_ms
            for step in world.steps
            for command in step.commands
            if isinstance(command, SayToModel)
            or (isinstance(command, SendToolResult) and command.scheduling == "INTERRUPT")
        ]
        ready = [step.at_ms for step in world.steps if isinstance(step.event, SessionReady)]
        lost = [step.at_ms for step in world.steps if isinstance(step.event, SessionLost)]
        self._ready_again = [
            min((ready_ms for ready_ms in ready if ready_ms > lost_ms), default=0)
            for lost_ms in lost
        ]

    def owed(self, at_ms: int) -> bool:
        """Whether the caller waits for something: the greeting, an answer, or a session."""
        agent_ms = max((end for start, end in self._agent if start <= at_ms), default=None)
        if agent_ms is None:
            return True
        # What was asked since the last reply began, that reply does not answer.
        heard = [reply for reply in self._replies if reply.spans[0].at_ms <= at_ms]
        newest = max(heard, key=lambda reply: reply.spans[0].at_ms)
        began_ms = newest.spans[0].at_ms
        if self._broken_off(newest, at_ms):
            return True  # the rest of it
        for start, end in self._caller:
            if start <= at_ms and (end >= agent_ms or start >= began_ms):
                return True
        if any(0 <= at_ms - ready_ms <= ASKED_AT_ONCE_MS for ready_ms in self._ready_again):
            return True
        last = [(when_ms, ready) for when_ms, ready in self._listens if when_ms <= at_ms]
        return bool(last) and not last[-1][1] and at_ms - last[-1][0] >= UNHELD_MS

    def asked(self, at_ms: int) -> bool:
        """Whether the model was asked to speak, by a text or a result, since it last began to: of
        keys, of what came of a transfer, or to a silent caller. Whether it had to be, `owed` tells.
        """
        began_ms = max((start for start, _ in self._agent if start <= at_ms), default=0)
        return any(began_ms <= asked_ms <= at_ms for asked_ms in self._asked_ms)

    def _broken_off(self, reply: judge.Reply, at_ms: int) -> bool:
        """Whether its rest was missing by then: it stopped before its end, or its session was gone
        and what had come of it was not all of it. That a later loss breaks it off, or a later piece
        goes on with it, nobody knew.
        """
        if any(cleared_ms <= at_ms for cleared_ms in reply.cleared_ms):
            return False
        whole = [len(judge.spoken(name)) - at for name, at in judge.clips_of(bytes(reply.ulaw))]
        samples = max([len(reply.ulaw), *whole])
        if reply.heard_by(at_ms) == samples:
            return False
        if not any(span.at_ms <= at_ms < span.ends_ms for span in reply.spans):
            return True
        began_ms = reply.spans[0].at_ms
        left = any(began_ms <= when_ms <= at_ms for when_ms, ready in self._listens if not ready)
        return left and reply.heard_samples < samples

    def dead_ms(self, notes: list[int], ended_ms: int) -> int:
        """The longest time from the caller's last word until something is heard."""
        heard = sorted([*notes, *(start for start, _ in self._agent)])
        ends = [*(start for start, _ in self._caller), ended_ms]
        longest_ms = 0
        for _, last_word_ms in self._caller:
            if any(start <= last_word_ms < end for start, end in self._agent):
                continue  # they talk at once
            later_ms = (at_ms for at_ms in [*heard, *ends] if at_ms >= last_word_ms)
            next_ms = min(later_ms, default=last_word_ms)  # the call may end before
            longest_ms = max(longest_ms, next_ms - last_word_ms)
        return longest_ms

    def names(self, least_ms: int) -> Iterator[str]:
        """The clip of each reply of which the beginning was heard, and so much in all."""
        before: dict[tuple[int, int], int] = {}
        for reply in self._replies:
            heard_ms = reply.heard_samples // PHONE_SAMPLES_PER_MS
            earlier_ms = before.get((reply.worker, reply.number))
            before[reply.worker, reply.number] = heard_ms
            again = earlier_ms is not None and earlier_ms < UNSURE_MS
            if heard_ms >= least_ms and not again:
                found = judge.clips_of(bytes(reply.ulaw))
                if found and found[0][1] == 0:
                    yield found[0][0]
