"""An observer that makes OpenTelemetry spans of calls: of each call, its turns and its tools.

    call (invoke_agent) ─┬─ the caller spoke
                         ├─ the agent answered (chat)
                         └─ a tool ran (execute_tool)

A span is made when its turn is over, from what the log and the metrics see as well. It holds
neither what was said nor who called. All workers of a call write the same trace, as its id follows
from the CallSid; each has a span of its own for its part of the call.

Source: OpenTelemetry's semantic conventions for generative AI, 1.41 (read in November 2026).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256

from agent.conversation.commands import AppendLine, OpenModel, RunTool
from agent.conversation.declaration import Status
from agent.conversation.events import Interrupted, UsageReported
from agent.conversation.meter import NANO
from agent.conversation.tool_events import ToolFinished
from agent.conversation.transcript import Line
from telephony.call.commands import Command, EndCall, MeasureSpeech
from telephony.call.events import CallOpened, Event
from telephony.server.observers import Kinds

PROVIDER = "gcp.gemini"

type Value = str | int | float | bool


class Kind(IntEnum):
    """The kind of a span, as OTLP numbers it."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3


@dataclass(frozen=True, slots=True)
class Span:
    """One finished span.

    Args:
        name: Its name.
        trace_id: 32 hex digits.
        span_id: 16 hex digits.
        parent_id: The span that it is a part of; "" for none.
        kind: Its kind.
        began_ms: Unix time, in ms.
        ended_ms: The same, not before `began_ms`.
        attributes: By name.
        failed: Why it failed; "" if it did not.
    """

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: Kind
    began_ms: int
    ended_ms: int
    attributes: Mapping[str, Value]
    failed: str = ""


@dataclass(slots=True)
class _Call:
    """What is known of a call on this worker. `zero_ms` is the Unix time at which it was opened
    here, and `line_zero_ms` on its first worker: its lines count from there.
    """

    call_sid: str
    trace_id: str
    root_id: str
    agent: str
    zero_ms: int
    line_zero_ms: int
    model: str
    spans: int = 0
    turns: int = 0
    spoke_until_ms: int | None = None
    interrupted: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    tools: dict[int, tuple[str, int]] = field(default_factory=dict)


class Tracing:
    """Makes the spans of all calls of a worker.

    Args:
        send: Takes each finished span; must not wait.
        model: The name of the model.
        fallback: The name of the fallback model; None if there is none.
    """

    wants: Kinds = frozenset(
        {
            AppendLine,
            CallOpened,
            EndCall,
            Interrupted,
            MeasureSpeech,
            OpenModel,
            RunTool,
            ToolFinished,
            UsageReported,
        }
    )

    def __init__(self, send: Callable[[Span], None], model: str, fallback: str | None) -> None:
        self._send = send
        self._models = model, fallback or model
        self._calls: dict[str, _Call] = {}

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        """Look at one step of one call."""
        if isinstance(event, CallOpened):
            self._calls[call_sid] = self._opened(event)
        if (call := self._calls.get(call_sid)) is None:
            return
        match event:
            case Interrupted():
                call.interrupted = True
            case UsageReported():
                call.input_tokens += event.prompt_tokens
                call.output_tokens += event.response_tokens + event.thought_tokens
            case ToolFinished():
                self._tool_finished(call, event, now_ms)
            case _:
                pass
        for command in commands:
            match command:
                case OpenModel():
                    call.model = self._models[command.fallback]
                case MeasureSpeech():
                    call.spoke_until_ms = command.ended_ms
                case RunTool():
                    call.tools[command.call] = (command.name, now_ms)
                case AppendLine(line):
                    self._line(call, line, now_ms)
                case EndCall():
                    self._ended(call_sid, call, command, now_ms)
                case _:
                    pass

    def _opened(self, event: CallOpened) -> _Call:
        wall_ms, left = event.wall_time_ms, event.checkpoint
        before_ms = 0 if left is None else left.elapsed_at(wall_ms)
        return _Call(
            call_sid=event.call_sid,
            trace_id=_id(16, event.call_sid),
            root_id=_id(8, event.call_sid, event.seed, wall_ms),
            agent=event.persona.name,
            zero_ms=wall_ms,
            line_zero_ms=wall_ms - before_ms,
            model=self._models[0],
        )

    def _line(self, call: _Call, line: Line, now_ms: int) -> None:
        began_ms, ended_ms = call.line_zero_ms + line.at_ms, call.zero_ms + now_ms
        spoke_until_ms = None if call.spoke_until_ms is None else call.zero_ms + call.spoke_until_ms
        about: dict[str, Value] = {"offhook.line": line.n}
        if line.role == "caller":
            if spoke_until_ms is not None and spoke_until_ms >= began_ms:
                ended_ms = spoke_until_ms
            self._span(call, "caller turn", began_ms, ended_ms, about)
            return
        call.turns += 1
        about |= {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": call.model,
            "gen_ai.output.type": "speech",
            "gen_ai.usage.input_tokens": call.input_tokens,
            "gen_ai.usage.output_tokens": call.output_tokens,
            "offhook.cut": line.heard != line.text,
            "offhook.interrupted": call.interrupted,
        }
        if spoke_until_ms is not None and spoke_until_ms <= began_ms:
            about["offhook.model_ms"] = began_ms - spoke_until_ms
            began_ms = spoke_until_ms
        self._span(call, f"chat {call.model}", began_ms, ended_ms, about, Kind.CLIENT)
        call.input_tokens = call.output_tokens = 0
        call.interrupted, call.spoke_until_ms = False, None

    def _tool_finished(self, call: _Call, event: ToolFinished, now_ms: int) -> None:
        if (began := call.tools.pop(event.call, None)) is None:
            return
        name, began_ms = began
        about: dict[str, Value] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.call.id": str(event.call),
            "gen_ai.tool.type": "function",
            "offhook.tool.status": event.status,
        }
        failed = "" if event.status == Status.OK else event.status
        began_ms, ended_ms = call.zero_ms + began_ms, call.zero_ms + now_ms
        self._span(call, f"execute_tool {name}", began_ms, ended_ms, about, failed=failed)

    def _ended(self, call_sid: str, call: _Call, end: EndCall, now_ms: int) -> None:
        del self._calls[call_sid]
        about: dict[str, Value] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": call.agent,
            "gen_ai.request.model": call.model,
            "offhook.ended_reason": end.reason,
            "offhook.final": end.final,
            "offhook.turns": call.turns,
            "offhook.tokens": end.tokens,
        }
        if end.cost is not None:
            about["offhook.usd"] = end.cost / NANO
        failed = end.reason if end.reason.startswith(("model_", "failed", "too_many")) else ""
        ended_ms, name = call.zero_ms + now_ms, f"invoke_agent {call.agent}"
        self._span(call, name, call.zero_ms, ended_ms, about, Kind.SERVER, failed, root=True)

    def _span(
        self,
        call: _Call,
        name: str,
        began_ms: int,
        ended_ms: int,
        about: dict[str, Value],
        kind: Kind = Kind.INTERNAL,
        failed: str = "",
        *,
        root: bool = False,
    ) -> None:
        call.spans += 1
        about |= {"gen_ai.provider.name": PROVIDER, "gen_ai.conversation.id": call.call_sid}
        self._send(
            Span(
                name,
                call.trace_id,
                call.root_id if root else _id(8, call.root_id, call.spans),
                "" if root else call.root_id,
                kind,
                min(began_ms, ended_ms),
                ended_ms,
                about,
                failed,
            )
        )


def _id(size: int, *parts: object) -> str:
    """An id of so many bytes that follows from these parts, in hex digits."""
    return sha256(repr(parts).encode()).hexdigest()[: 2 * size]
