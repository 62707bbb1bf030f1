"""Turns the server's messages of one session into events. Pure.

It remembers only the things that two messages may cut in two: a sample, or a transcriber's mark.

The events of a message come in this order, whatever the order of its keys:

    1  Interrupted            first, because old audio must be dropped before new audio is added
    2  CallerSaid, AgentSaid  a reply's words come with the audio they belong to, and before it;
                              none for a transcriber's own marks, such as `<noise>`
    3  ReplyAudio             one for each part; none in a message that holds `interrupted`, whose
                              audio belongs to the reply that was cut off
    4  GenerationComplete, TurnComplete; `waitingForInput` closes a turn, too, and so does an
       `interactionStatus` that comes between turns: IN_PROGRESS, or IDLE after that
    5  UsageReported, HandleUpdated, GoAway
    6  CallerActivityStarted, CallerActivityEnded
    7  ToolCalled, ToolCallsCancelled
    8  UnknownModelMessage    for what this version does not know

A malformed part gives an UnknownModelMessage in its place. Empty messages are common and give no
event. Thoughts, text parts, unstable transcriptions and search metadata are ignored: they are
known, and the caller must not hear them.

Source: google-genai 3.4.0, `types.LiveServerMessage`; Google's Live API reference, October 2026.
"""

import re
from collections.abc import Iterator

from google.genai import types

from agent.conversation.declaration import canonical
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
    TurnComplete,
    UnknownModelMessage,
    UsageReported,
)
from agent.conversation.tool_events import ToolCalled, ToolCallsCancelled
from agent.gemini.plain_words import PlainWords
from agent.gemini.reply_audio import ReplyPcm, playable


class Messages:
    """Reads the messages of one session, in order.

    Args:
        session: The session's number, which all events carry.
    """

    def __init__(self, session: int) -> None:
        self._session = session
        self._caller = PlainWords()
        self._agent = PlainWords()
        self._pcm = ReplyPcm()
        self._speaks = self._in_progress = False

    def events(self, message: types.LiveServerMessage | bytes) -> list[ModelEvent]:
        """The events of the next message, in the order of this module's table.

        Args:
            message: As the SDK read it, or the audio of one that is nothing else (int16 little-
                endian, 24 kHz). The code that opens a session handles `setup_complete`.
        """
        if isinstance(message, bytes):
            return self._played(message)
        session = self._session
        out: list[ModelEvent] = []
        if message.server_content is not None:
            out += self._content(message.server_content)
        if message.usage_metadata is not None:
            out.append(_usage(session, message.usage_metadata))
        if (update := message.session_resumption_update) is not None:
            out.append(HandleUpdated(session, update.new_handle or "", bool(update.resumable)))
        if message.go_away is not None:
            out.append(_go_away(session, message.go_away))
        if message.voice_activity is not None:
            out.append(_activity(session, message.voice_activity))
        if message.tool_call is not None:
            calls = message.tool_call.function_calls or []
            out += (_called(session, call) for call in calls)
        if message.tool_call_cancellation is not None:
            out.append(ToolCallsCancelled(session, tuple(message.tool_call_cancellation.ids or ())))
        if message.voice_activity_detection_signal is not None:
            out.append(UnknownModelMessage(session, "voice_activity_detection_signal"))
        return out

    def _content(self, content: types.LiveServerContent) -> Iterator[ModelEvent]:
        session = self._session
        if content.interrupted:
            self._reply_over()
            yield Interrupted(session)
        if (said := content.input_transcription) is not None:
            text = _words(self._caller, said)
            if text or (said.finished and not said.text):
                yield CallerSaid(session, text, bool(said.finished))
        if (said := content.output_transcription) is not None:
            text = _words(self._agent, said)
            if text or (said.finished and not said.text):
                yield AgentSaid(session, text, bool(said.finished))
        if content.model_turn is not None and not content.interrupted:
            for part in content.model_turn.parts or []:
                if (blob := part.inline_data) is not None and blob.data and not part.thought:
                    yield from self._audio(blob.mime_type, blob.data)
        if content.generation_complete:
            self._reply_over()
            yield GenerationComplete(session)
        if self._closes(content):
            self._reply_over()
            self._speaks = False
            reason = content.turn_complete_reason
            if content.waiting_for_input:
                reason = types.TurnCompleteReason.NEED_MORE_INPUT
            name = reason.value if reason is not None else ""
            yield TurnComplete(session, name, goes_on=self._in_progress)

    def _closes(self, content: types.LiveServerContent) -> bool:
        """Whether a turn is closed, for good or for now."""
        status, was_in_progress = content.interaction_status, self._in_progress
        self._in_progress = status is types.InteractionStatus.IN_PROGRESS
        if content.turn_complete or content.waiting_for_input:
            return True
        if status is None:
            self._in_progress = was_in_progress
            return False
        return not self._speaks and (self._in_progress or was_in_progress)

    def _audio(self, mime_type: str | None, data: bytes) -> Iterator[ModelEvent]:
        if not playable(mime_type):
            yield UnknownModelMessage(self._session, f"a part of type {mime_type!r}")
        else:
            yield from self._played(data)

    def _played(self, data: bytes) -> list[ModelEvent]:
        if not (pcm := self._pcm.take(data)):
            return []
        self._speaks = True
        return [ReplyAudio(self._session, pcm)]

    def _reply_over(self) -> None:
        self._pcm.forget()
        self._agent.forget()


def duration_ms(text: str | None) -> int | None:
    """A protobuf duration in JSON ("50s", "1.5s") in whole ms, rounded down; None if malformed."""
    match = re.fullmatch(r"([0-9]+)(?:\.([0-9]{1,9}))?s", text or "")
    if match is None:
        return None
    seconds, fraction = match.groups()
    return int(seconds) * 1000 + int(f"{fraction or '':0<3}"[:3])


def _words(plain: PlainWords, said: types.Transcription) -> str:
    text = plain.take(said.text or "", finished=bool(said.finished))
    return text if text.strip() or text == said.text else ""


def _usage(session: int, usage: types.UsageMetadata) -> UsageReported:
    return UsageReported(
        session,
        # Results of tools are read, too, where they are counted by themselves.
        prompt_tokens=(usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0),
        response_tokens=usage.response_token_count or 0,
        thought_tokens=usage.thoughts_token_count or 0,
        total_tokens=usage.total_token_count or 0,
        prompt_audio_tokens=_of(types.MediaModality.AUDIO, usage.prompt_tokens_details)
        + _of(types.MediaModality.AUDIO, usage.tool_use_prompt_tokens_details),
        response_audio_tokens=_of(types.MediaModality.AUDIO, usage.response_tokens_details),
        response_text_tokens=_of(types.MediaModality.TEXT, usage.response_tokens_details),
    )


def _of(modality: types.MediaModality, details: list[types.ModalityTokenCount] | None) -> int:
    """How many tokens are attributed to a modality."""
    return sum(each.token_count or 0 for each in details or [] if each.modality is modality)


def _called(session: int, call: types.FunctionCall) -> ToolCalled:
    return ToolCalled(session, call.id or "", call.name or "", canonical(call.args or {}))


def _go_away(session: int, go_away: types.LiveServerGoAway) -> GoAway | UnknownModelMessage:
    time_left_ms = duration_ms(go_away.time_left)
    if time_left_ms is None:
        return UnknownModelMessage(session, f"go_away in {go_away.time_left!r}")
    return GoAway(session, time_left_ms)


def _activity(
    session: int, activity: types.VoiceActivity
) -> CallerActivityStarted | CallerActivityEnded | UnknownModelMessage:
    match activity.voice_activity_type:
        case types.VoiceActivityType.ACTIVITY_START:
            return CallerActivityStarted(session)
        case types.VoiceActivityType.ACTIVITY_END:
            return CallerActivityEnded(session)
        case _:
            return UnknownModelMessage(session, "voice_activity of another type")
