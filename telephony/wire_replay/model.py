"""Gemini's end of a recorded call, with the methods of `GeminiServer`. Pure."""

import json
from collections import deque
from typing import assert_never

from agent.conversation.events import (
    AgentSaid,
    CallerActivityEnded,
    CallerActivityStarted,
    CallerSaid,
    GenerationComplete,
    GoAway,
    HandleUpdated,
    Interrupted,
    ModelEvent,
    ReplyAudio,
    SessionLost,
    SessionReady,
    SessionRefused,
    TurnComplete,
    UnknownModelMessage,
    UsageReported,
)
from agent.conversation.tool_events import ToolCalled, ToolCallsCancelled
from agent.simulator import client_messages as said
from agent.simulator import server_messages as say
from agent.simulator.behaviour import Behaviour
from agent.simulator.client_messages import PATH
from agent.simulator.faults import Close, Reset
from agent.simulator.model import Refusal
from agent.simulator.server_messages import Message
from telephony.wire_replay.call_time import CallTime
from telephony.wire_replay.carried import ToModel
from telephony.wire_replay.cues import Cues, SessionCues

_BEHAVIOUR = Behaviour()

_MOST_REASON_CHARS = 30
"""The longest reason: a close frame holds 123 bytes, and a character has at most four in UTF-8."""


class RecordedGemini:
    """All sessions of a call, in the order in which they were dialled.

    Attributes:
        sessions: Everything that each connection received.
        problems: The messages that Gemini would have refused.
    """

    def __init__(self, cues: Cues, time: CallTime) -> None:
        self.sessions: list[ToModel] = []
        self.problems: list[str] = []
        self._cues = deque(cues.sessions)
        self._time = time
        self._began_ms = 0

    def begin(self, now_ms: int) -> None:
        """Start the call's time, before its first session is dialled."""
        self._began_ms = now_ms

    def connect(self, now_ms: int, *, path: str, key: str) -> "RecordedSession | Refusal":
        """A client asks for a WebSocket."""
        del now_ms
        if PATH.fullmatch(path) is None or not key:
            return Refusal(404, f"expected a Live session, got {path}")
        sent = ToModel()
        self.sessions.append(sent)
        if not self._cues:
            return Refusal(503, "the recorded call had no further session")
        cues = self._cues.popleft()
        match cues.says[:1]:
            case [(_, SessionRefused(code=code, reason=reason), _)] if 400 <= code < 600:
                return Refusal(code, reason)
        return RecordedSession(cues, self._began_ms, self._time, sent, self.problems)


class RecordedSession:
    """One session. It sends nothing before its setup, and answers a text only after it came."""

    def __init__(
        self,
        cues: SessionCues,
        began_ms: int,
        time: CallTime,
        sent: ToModel,
        problems: list[str],
    ) -> None:
        self._says = deque(cues.says)
        self._began_ms = began_ms
        self._time = time
        self._sent = sent
        self._problems = problems
        self._set_up = False

    def receive(self, message: object, now_ms: int) -> None:
        """Take one message of the client, as parsed JSON. Then poll."""
        del now_ms
        try:
            for one in said.read(message, _BEHAVIOUR):
                self._take(one)
        except said.Invalid as invalid:
            self._problems.append(f"on the wire: expected what Gemini takes, got {invalid}")

    def poll(self, now_ms: int) -> list[Message | Close | Reset]:
        """The messages to send by now, in order."""
        out: list[Message | Close | Reset] = []
        while (due_ms := self.deadline_ms()) is not None and due_ms <= now_ms:
            out.append(message_of(self._says.popleft().event))
        return out

    def deadline_ms(self) -> int | None:
        """When to poll next; None for not before the client sends something or a stream begins."""
        if not (self._set_up and self._says) or self._says[0].texts > len(self._sent.texts):
            return None
        at_ms = self._says[0].at_ms
        return None if self._time.waits(at_ms) else self._began_ms + self._time.clock_at(at_ms)

    def closed(self, now_ms: int) -> None:
        """The client is gone."""
        del now_ms
        self._says.clear()

    def _take(self, one: said.ClientMessage) -> None:
        match one:
            case said.Setup():
                self._set_up = True
                self._sent.handle = one.handle
            case said.Content():
                self._sent.history += len(one.entries)
            case said.Text():
                self._sent.texts.append(one.text)
            case said.Audio():
                self._sent.pcm += one.pcm
            case said.AudioStreamEnd() | said.Activity() | said.ToolResult():
                pass
            case _:
                assert_never(one)


def message_of(event: ModelEvent) -> Message | Close | Reset:
    """The server's message that causes an event."""
    match event:
        case SessionReady():
            return say.setup_complete()
        case SessionRefused() | SessionLost():
            return _end(event.code, event.reason)
        case HandleUpdated():
            update = {"newHandle": event.handle, "resumable": event.resumable}
            return {"sessionResumptionUpdate": update}
        case GoAway():
            return say.go_away(event.time_left_ms)
        case ReplyAudio():
            return say.server_content(modelTurn=say.audio_part(event.pcm))
        case AgentSaid():
            return say.server_content(outputTranscription=_transcription(event))
        case CallerSaid():
            return say.server_content(inputTranscription=_transcription(event))
        case CallerActivityStarted():
            return say.voice_activity("ACTIVITY_START", 0)
        case CallerActivityEnded():
            return say.voice_activity("ACTIVITY_END", 0)
        case Interrupted():
            return say.server_content(interrupted=True)
        case GenerationComplete():
            return say.server_content(generationComplete=True)
        case TurnComplete():
            reason = {"turnCompleteReason": event.reason} if event.reason else {}
            status = {"interactionStatus": "IN_PROGRESS"} if event.goes_on else {}
            return say.server_content(turnComplete=True, **reason, **status)
        case UsageReported():
            return _usage(event)
        case UnknownModelMessage():
            return say.unknown()
        case ToolCalled():
            return say.tool_call(event.id, event.name, json.loads(event.arguments))
        case ToolCallsCancelled():
            return say.tool_calls_cancelled(event.ids)
        case _:
            assert_never(event)


def _transcription(said: AgentSaid | CallerSaid) -> Message:
    return {"text": said.text, **({"finished": True} if said.finished else {})}


def _usage(event: UsageReported) -> Message:
    counts = {
        "promptTokenCount": event.prompt_tokens,
        "responseTokenCount": event.response_tokens,
        "thoughtsTokenCount": event.thought_tokens,
        "totalTokenCount": event.total_tokens,
    }
    return {"usageMetadata": counts}


def _end(code: int, reason: str) -> Close | Reset:
    """The recorded end. A code that no close frame may have means that the connection broke."""
    if code in {1005, 1006, 1015} or not 1000 <= code < 5000:
        return Reset()
    return Close(code, reason[:_MOST_REASON_CHARS])
