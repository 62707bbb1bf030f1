"""State that all sessions of one simulated server share."""

from dataclasses import dataclass, field
from random import Random
from typing import assert_never

from agent.simulator.behaviour import Behaviour
from agent.simulator.ear import Ear
from agent.simulator.faults import DropHandles, Generation, Outage, RefuseConnect, SlowSetup
from agent.simulator.memory import Handles
from agent.simulator.script import Script, TimedFault


@dataclass(slots=True)
class Service:
    """The server's script and behaviour, its random numbers, and its open sessions."""

    script: Script
    behaviour: Behaviour
    random: Random
    ear: Ear
    handles: Handles
    keep_audio: bool = False
    """Whether sessions keep all caller audio."""
    refusals: list[RefuseConnect] = field(default_factory=list)
    """The refusals of the next connections, in order."""
    outage: tuple[int, Outage] | None = None
    """The end of the outage, and the outage itself."""
    slow_setups: list[SlowSetup] = field(default_factory=list)
    """The delays of the next setups, in order."""
    generations: list[Generation] = field(default_factory=list)
    """The answers to the next `generateContent` requests, in order."""
    in_use: set[int] = field(default_factory=set)
    """The conversations that have an open session."""
    _conversations: int = 0
    _spent: set[tuple[int, int]] = field(default_factory=set)
    """Pairs of a conversation and the identity of a script's fault that has happened in it."""

    def suffer(
        self, fault: DropHandles | Generation | Outage | RefuseConnect | SlowSetup, now_ms: int
    ) -> None:
        """Inject a fault that concerns no single session."""
        match fault:
            case DropHandles():
                self.handles.drop_all()
            case Outage():
                self.outage = (now_ms + fault.duration_ms, fault)
            case RefuseConnect():
                self.refusals.append(fault)
            case SlowSetup():
                self.slow_setups.append(fault)
            case Generation():
                self.generations.append(fault)
            case _:
                assert_never(fault)

    def struck(self, now_ms: int) -> Outage | None:
        """The current outage, if there is one and the next connection fails because of it."""
        if self.outage is None or now_ms >= self.outage[0]:
            return None
        outage = self.outage[1]
        return outage if self.random.random() < outage.share else None

    def pick_ms(self, span: tuple[int, int]) -> int:
        """Draw a time from a range of the behaviour."""
        return self.random.randint(*span)

    def new_conversation(self) -> int:
        """The number for a new conversation."""
        self._conversations += 1
        return self._conversations

    def spend(self, conversation: int, fault: TimedFault) -> bool:
        """Whether a script's fault has not happened yet in this conversation. Afterwards it has."""
        key = (conversation, id(fault))
        fresh = key not in self._spent
        self._spent.add(key)
        return fresh

    def spend_all(self, conversation: int) -> None:
        """Mark all faults of the script as happened in this conversation."""
        script = self.script
        for fault in (*script.faults, *(fault for turn in script.turns for fault in turn.faults)):
            self.spend(conversation, fault)
