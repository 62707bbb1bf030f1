"""All that a call of `world.World` is made of. `world_file` reads it from a file."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from random import Random

from agent.conversation.built_in_tools import (
    BUILT_IN_TOOLS,
    ENDS_CALL,
    SEND_SMS,
    STOPS_RECORDING,
    puts_through,
)
from agent.conversation.persona import DEFAULT_PERSONA, Persona
from agent.conversation.sms import sends
from agent.conversation.turn_taking import Detection, TurnTaking
from agent.persona.agents import Agent
from agent.persona.outbound import Outbound
from agent.simulator import script as model_script
from agent.simulator.behaviour import Behaviour
from agent.simulator.model import GeminiServer
from telephony.simulator import script as caller_script
from telephony.simulator.faults import LineFaults
from telephony.simulator.model_link import Sdk
from telephony.simulator.network import GOOD, Network
from telephony.simulator.virtual_dial import VirtualTarget
from telephony.simulator.virtual_models import Upstream
from telephony.simulator.virtual_tools import VirtualTool
from telephony.simulator.world import GOOD_LINE, World
from telephony.simulator.world_agent import (
    BY_SERVER,
    NOBODY_TRIED,
    PLAIN,
    WorldBargeIn,
    WorldPersona,
    WorldSms,
    WorldTool,
    WorldTransfer,
    WorldTried,
)
from telephony.simulator.world_faults import WorldFault

MOST_SMS = 3

CALLS = Outbound("+14155550199", frozenset({"US"}))
"""What an agent that has placed the call may do; its greeting is in words of its own."""

MEASURED = Behaviour()
"""As the real service was measured to behave."""


_ANSWERS = {"q1": "a1", "q2": "a2", "q3": "a3", "q4": "a4", "q5": "a5", "repeat": "times"}

SMALL_TALK = model_script.Script(
    tuple(model_script.Turn(say, expect) for expect, say in _ANSWERS.items())
)
"""The model's script if none is given: an answer to each question."""


@dataclass(frozen=True, slots=True)
class TimedFault:
    """A fault and its time from the call's beginning."""

    at_ms: int
    fault: WorldFault


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """The parts of a world; see `world_file`."""

    caller: caller_script.Script
    model: model_script.Script = SMALL_TALK
    behaviour: Behaviour = MEASURED
    line: LineFaults = GOOD_LINE
    network: Network = GOOD
    barge_in: WorldBargeIn = BY_SERVER
    tools: tuple[WorldTool, ...] = ()
    builtin: tuple[str, ...] = ()
    transfers: tuple[WorldTransfer, ...] = ()
    sms: tuple[WorldSms, ...] = ()
    faults: tuple[TimedFault, ...] = ()
    seed: int = 0
    fallback: bool = False
    goodbye: str = ""
    detection: Detection = "server"
    think_ms: int = 0
    placed: bool = False
    agent: WorldPersona = PLAIN
    tried: WorldTried = NOBODY_TRIED

    def world(self, sdk: Sdk, *, cut_after: Callable[[int], bool] | None = None) -> World:
        """Make a new world of this kind, with its faults scheduled. Call its `run`."""
        second = Upstream(self._server(self.seed + 1)) if self.fallback else None
        persona = replace(
            DEFAULT_PERSONA,
            goodbye=self.goodbye,
            barge_in=self.barge_in.manner,
            **asdict(self.agent),
        )
        if self.placed:
            persona = Agent(persona, outbound=CALLS).calling.persona
        if self.tried.to:
            persona = Agent(persona).after_menu(self.tried.to, self.tried.outcome).persona
        recorded = self.agent.recording_days > 0
        if self.tools or self.transfers or self.builtin or self.sms or recorded:
            persona = self._with_tools(persona)
        if self.detection != "server":
            persona = replace(persona, turns=TurnTaking(detection=self.detection))
        made = World(
            self.caller,
            self._server(self.seed),
            sdk,
            seed=self.seed,
            persona=persona,
            tools=self._runs(),
            network=self.network,
            line_faults=self.line,
            cut_after=cut_after,
            fallback=second,
            think_ms=self.think_ms,
            targets={x.name: VirtualTarget(x.outcome, x.takes_ms, x.warm) for x in self.transfers},
        )
        for timed in self.faults:
            made.at(timed.at_ms, timed.fault)
        return made

    def _with_tools(self, persona: Persona) -> Persona:
        own = [each.tool for each in self.tools]
        own += [BUILT_IN_TOOLS[name] for name in self.builtin]
        own += [STOPS_RECORDING] if self.agent.recording_days else []
        targets = tuple(each.target for each in self.transfers)
        templates = tuple(each.template for each in self.sms)
        if targets:
            own.append(puts_through(targets))
        if templates:
            own.append(sends(templates, MOST_SMS))
        return replace(persona, tools=(*own, ENDS_CALL), transfers=targets, sms=templates)

    def _runs(self) -> dict[str, VirtualTool]:
        runs = {x.name: VirtualTool(x.data, x.takes_ms, x.status) for x in self.tools}
        for each in self.sms[:1]:
            runs[SEND_SMS] = VirtualTool(takes_ms=each.takes_ms, status=each.status)
        return runs

    def _server(self, seed: int) -> GeminiServer:
        return GeminiServer(self.model, self.behaviour, Random(seed))  # noqa: S311 - a seed
