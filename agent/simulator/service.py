"""State that all sessions of one simulated server share."""

from dataclasses import dataclass, field
from random import Random
from typing import assert_never

from agent.simulator.behaviour import Behaviour
from agent.simulator.ear import Ear
from agent.simulator.faults import DropHandles, Outage, RefuseConnect, SlowSetup
from agent.simulator.memory import Handles
from agent.simulator.script import Script, TimedFault


@dataclass(slots=True)
class Service:
    """The script and manners of the server, its random numbers, and who is connected."""

    script: Script
    behaviour: Behaviour
    random: Random
    ear: Ear
    handles: Handles
    keep_audio: bool = False
    """Whether sessions keep all caller audio."""
    refusals: list[RefuseConnect] = field(default_factory=list)
    """How the next connections are refused, in turn."""
    outage: tuple[int, Outage] | None = None
    """Until when, and what."""
    slow_setups: list[SlowSetup] = field(default_factory=list)
    """How late the next setups are answered, in turn."""
    in_use: set[int] = field(default_factory=set)
    """Conversations with an open session."""
    _conversations: int = 0
    _spent: set[tuple[int, int]] = field(default_factory=set)
    """Conversation, and identity of a fault of the script that has come in it."""

    def suffer(self, fault: DropHandles | Outage | RefuseConnect | SlowSetup, now_ms: int) -> None:
        """Let a fault come that is not of one session."""
        match fault:
            case DropHandles():
                self.handles.drop_all()
            case Outage():
                self.outage = (now_ms + fault.duration_ms, fault)
            case RefuseConnect():
                self.refusals.append(fault)
            case SlowSetup():
                self.slow_setups.append(fault)
            case _:
                assert_never(fault)

    def struck(self, now_ms: int) -> Outage | None:
        """The outage, if there is one now and it strikes the next connection."""
        if self.outage is None or now_ms >= self.outage[0]:
            return None
        outage = self.outage[1]
        return outage if self.random.random() < outage.share else None

    def pick_ms(self, span: tuple[int, int]) -> int:
        """A time drawn from a range of the behaviour."""
        return self.random.randint(*span)

    def new_conversation(self) -> int:
        """A number for a conversation that begins."""
        self._conversations += 1
        return self._conversations

    def spend(self, conversation: int, fault: TimedFault) -> bool:
        """Whether a fault of the script is still to come in this conversation; it has now."""
        key = (conversation, id(fault))
        fresh = key not in self._spent
        self._spent.add(key)
        return fresh

    def spend_all(self, conversation: int) -> None:
        """No fault of the script is to come in this conversation."""
        script = self.script
        for fault in (*script.faults, *(fault for turn in script.turns for fault in turn.faults)):
            self.spend(conversation, fault)
