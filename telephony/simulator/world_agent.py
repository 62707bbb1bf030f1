"""What a world's file says of the agent: its tools, whom it knows, and how it is talked over."""

from dataclasses import dataclass
from typing import Literal

from agent.conversation.built_in_tools import Target
from agent.conversation.declaration import Status, Tool
from agent.conversation.persona import Manner
from agent.conversation.secret_digits import SecureEntry
from agent.conversation.sms import SmsField, Template
from telephony.simulator.virtual_dial import TALKED


@dataclass(frozen=True, slots=True)
class WorldTool:
    """A tool of the agent, and what it does: fields of `Tool` and of `VirtualTool`."""

    name: str
    description: str = ""
    idempotent: bool = False
    blocking: bool = False
    timeout_ms: int = 4_000
    data: str = "null"
    takes_ms: int = 300
    status: Status = Status.OK
    secure: tuple[SecureEntry, ...] = ()

    @property
    def tool(self) -> Tool:
        """As the agent has it."""
        return Tool(
            self.name,
            self.description,
            idempotent=self.idempotent,
            blocking=self.blocking,
            timeout_ms=self.timeout_ms,
            secure=self.secure,
        )


@dataclass(frozen=True, slots=True)
class WorldBargeIn:
    """How the agent is talked over: `manner` is the persona's `barge_in`."""

    manner: Manner = "server"


@dataclass(frozen=True, slots=True)
class WorldPersona:
    """What may be said of the agent: fields of `Persona`."""

    on_keys: Literal["tell", "ignore"] = "ignore"
    silence_s: float = 0.0
    still_there: str = ""
    message_consent: str = ""
    recording_days: int = 0


@dataclass(frozen=True, slots=True)
class WorldTransfer:
    """Somebody to whom the agent may put callers through: fields of `Target`, and of
    `VirtualTarget`.
    """

    name: str
    says: str = "One moment."
    outcome: str = TALKED
    takes_ms: int = 3_000
    warm: bool = False

    @property
    def target(self) -> Target:
        """As the agent has it."""
        return Target(self.name, self.says, self.warm)


@dataclass(frozen=True, slots=True)
class WorldTried:
    """Whom the caller has asked for by a key of the agent's menu, and not reached: the arguments of
    `Agent.after_menu`. Without a name, they have asked for nobody.
    """

    to: str = ""
    outcome: str = "busy"


@dataclass(frozen=True, slots=True)
class WorldSms:
    """A text message that the agent may send: a template with `fields` that are any text. Of the
    first one: how all of them go, fields of `VirtualTool`.
    """

    name: str
    text: str
    fields: tuple[str, ...] = ()
    takes_ms: int = 300
    status: Status = Status.OK

    @property
    def template(self) -> Template:
        """As the agent has it."""
        return Template(self.name, self.text, fields=tuple(map(SmsField, self.fields)))


BY_SERVER, PLAIN, NOBODY_TRIED = WorldBargeIn(), WorldPersona(), WorldTried()
"""What holds where a file says nothing."""
