"""An agent, and all the agents of a server: which of them answers a call."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from agent.conversation.built_in_tools import ENDS_CALL
from agent.conversation.meter import NO_CAPS, Caps
from agent.conversation.persona import DEFAULT_PERSONA, Persona
from agent.persona.hours import Hours
from agent.persona.menu import Menu, after_menu_cue
from agent.persona.outbound import CALLS, Outbound
from agent.persona.sms_schema import Route
from agent.privacy.masking import CARDS, NO_MASK, Mask
from agent.summary.schema import SummaryField
from agent.tools.mcp_server import McpServer, McpTool
from agent.tools.toolbox import NO_TOOLS, Toolbox


@dataclass(frozen=True, slots=True)
class Says:
    """The sentences that are said for the agent where no model speaks.

    Args:
        apology: To a caller for whom there is no agent.
        transfer: To a caller who is about to be transferred, because there is no agent.
        no_answer: To a caller whose transfer reached nobody.
        spent: To a caller whose call is not begun, because a day's money is spent.
        briefing: To the target of a warm transfer, before the summary.
        keys: The same, after it: how to accept, and how to decline.
        caller_left: The same, if the caller is gone.
    """

    apology: str = "I am sorry, I can not go on with this call right now. Please call again later."
    transfer: str = "I am sorry, I can not go on with this call. I will put you through now."
    no_answer: str = "I am sorry, I could not reach anybody. Please call again later."
    spent: str = "I am sorry, I can not take any more calls today. Please call again tomorrow."
    briefing: str = "Hello, this is the telephone assistant. A caller is waiting for you."
    keys: str = "To take the call, press 1. To decline, press 2."
    caller_left: str = "I am sorry, the caller has hung up. Goodbye."


@dataclass(frozen=True, slots=True)
class Destination:
    """Whom callers may be put through to.

    Args:
        to: A number in E.164, or a sip: address.
        warm: Whether they are told of the caller first, and may decline.
        notice_machines: Whether Twilio finds out first whether a machine has answered.
    """

    to: str
    warm: bool = False
    notice_machines: bool = False


MESSAGE_CONSENT = "I can pass on what you say, word for word. Is that all right?"
"""What an agent asks before it takes a message, if its file says nothing else."""


CLOSED = "\n\nIt is outside the opening hours now."
"""What is added to the instructions of an agent then, before what its owner wants then."""


@dataclass(frozen=True, slots=True)
class Closed:
    """What an agent does outside its hours, if it answers then, too.

    Args:
        instructions: What comes behind its other instructions then.
        greeting_cue: What makes the model greet the caller then.
    """

    instructions: str
    greeting_cue: str


NOTICE = "This call is recorded. If you do not want that, please say so."
"""What a caller is told who is recorded, if its owner has no other words."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Who answers, under which numbers, when, and for whom not.

    Args:
        persona: The agent's character.
        numbers: The numbers that it answers, in E.164.
        default: Whether it answers the numbers that no other agent answers.
        hours: When it answers; None for always.
        blocked: Callers whose calls are refused: numbers in E.164, beginnings of numbers that end
            with ``*``, or ``anonymous`` for callers who withhold their number.
        says: Its sentences where no model speaks.
        toolbox: What runs its tools.
        mcp_tools: Its tools of MCP servers, which are not among those of `persona` and `toolbox`
            before the servers were asked: see `agent.persona.remote`.
        summary: What the summary of each of its calls tells besides.
        caps: What its calls may cost in a day.
        outbound: Which calls it may place; None for none.
        transfers: To whom it may put callers through, by name.
        sms: From where to whom its text messages go, by the name of their template.
        closed: What it does outside its hours; None if its calls are not begun then.
        outside: Whether this is what it is then: see `after_hours`.
        notice: What a caller is told before the call, because it is recorded; "" if it is not.
        menu: What callers choose by a key within its hours, before it answers; None for nothing.
        tried: Whom the caller has not reached by such a key, and why: see `after_menu`.
        mask: What is masked in whatever is kept of its calls, or sent to their owner.
    """

    persona: Persona
    numbers: tuple[str, ...] = ()
    default: bool = False
    hours: Hours | None = None
    blocked: tuple[str, ...] = ()
    says: Says = Says()
    toolbox: Toolbox = NO_TOOLS
    summary: tuple[SummaryField, ...] = ()
    mcp_tools: tuple[McpTool, ...] = ()
    caps: Caps = NO_CAPS
    outbound: Outbound | None = None
    transfers: Mapping[str, Destination] = field(default_factory=dict)
    sms: Mapping[str, Route] = field(default_factory=dict)
    closed: Closed | None = None
    outside: bool = False
    notice: str = ""
    menu: Menu | None = None
    tried: tuple[str, str] | None = None
    mask: Mask = NO_MASK

    @property
    def calling(self) -> Self:
        """The agent in a call that it has placed: it greets as one who calls, and tells whoever
        screens the call why it calls.
        """
        if self.outbound is None:
            return self
        persona = replace(
            self.persona,
            greeting_cue=self.outbound.greeting_cue,
            instructions=self.persona.instructions + CALLS,
        )
        return replace(self, persona=persona)

    def is_open(self, wall_time_ms: int) -> bool:
        """Whether it is within its hours at this time (Unix, in ms)."""
        return self.hours is None or self.hours.is_open(wall_time_ms)

    @property
    def after_hours(self) -> Self:
        """The agent in a call that began outside its hours."""
        if self.closed is None:
            return self
        persona = replace(
            self.persona,
            greeting_cue=self.closed.greeting_cue,
            instructions=f"{self.persona.instructions}{CLOSED} {self.closed.instructions}",
        )
        return replace(self, persona=persona, outside=True)

    def after_menu(self, to: str, outcome: str) -> Self:
        """The agent for a caller who has asked for somebody else by a key of its menu.

        Args:
            to: Whom they asked for.
            outcome: How that ended, as in `NextStep`: nobody was reached; or "", and nobody knows.
        """
        cue = after_menu_cue(self.persona.greeting_cue, to, outcome)
        return replace(self, persona=replace(self.persona, greeting_cue=cue), tried=(to, outcome))

    def keeps_number(self, *, told: bool) -> bool:
        """Whether the other party's number is kept with a call.

        Args:
            told: Whether a webhook of the owner is told of calls.
        """
        texts = any(not route.to for route in self.sms.values())
        return texts or (told and "phone" not in self.mask.kinds)

    def refuses(self, caller: str) -> bool:
        """Whether calls of this caller are refused.

        Args:
            caller: The caller's number in E.164; "" if there is none.
        """
        for blocked in self.blocked:
            if blocked == "anonymous":
                if not caller:
                    return True
            elif blocked.endswith("*"):
                if caller.startswith(blocked[:-1]):
                    return True
            elif caller == blocked:
                return True
        return False


class Agents:
    """All agents of a server; one of them is the default."""

    def __init__(self, agents: Sequence[Agent]) -> None:
        self._by_name = {agent.persona.name: agent for agent in agents}
        self._by_number = {number: agent for agent in agents for number in agent.numbers}
        self.default = next((agent for agent in agents if agent.default), agents[0])

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._by_name.values())

    @property
    def mcp_servers(self) -> frozenset[McpServer]:
        """The MCP servers that they have tools of."""
        return frozenset(tool.server for agent in self for tool in agent.mcp_tools)

    def answering(self, number: str) -> Agent:
        """The agent that answers a dialled number."""
        return self._by_number.get(number, self.default)

    def named(self, name: str) -> Agent:
        """The agent of this name; the default if there is none any more."""
        return self._by_name.get(name, self.default)


LIMITED = replace(
    DEFAULT_PERSONA,
    minutes=60.0,
    usd=5.0,
    silence_s=30.0,
    goodbye="I am sorry, our time is up. Goodbye.",
    still_there="Are you still there?",
    tools=(ENDS_CALL,),
    on_keys="tell",
)
"""The built-in persona, with the limits of a persona file that sets none."""

BUILT_IN = Agents([Agent(LIMITED, default=True, mask=CARDS)])
"""The agent of a server without persona files."""
