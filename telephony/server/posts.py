"""The bodies of webhooks: what is told of a call that is over, and of messages taken in it."""

import json
from collections.abc import Sequence
from typing import Any

from agent.conversation.message import Message, messages_of
from agent.conversation.tool_call import ToolCall
from agent.conversation.tools import Ledger
from agent.store.base import CallRecord


def tool_calls(record: CallRecord) -> list[ToolCall]:
    """What the agent's tools did, as far as its ledger still has it."""
    if (kept := record.checkpoint) is None:
        return []
    return list(Ledger.from_text(kept.tools, (), next_step=kept.next_step, over=True))


def messages_in(record: CallRecord) -> list[Message]:
    """The messages that were taken in a call, and in which the caller said something. One that had
    ended before a redial was told of with the call before.
    """
    began_ms = 0 if record.checkpoint is None else record.checkpoint.began_ms
    return [
        message
        for message in messages_of(tool_calls(record))
        if message.lines(record.lines) and (message.until_ms is None or message.until_ms > began_ms)
    ]


def told_of_messages(
    call_sid: str,
    record: CallRecord,
    messages: Sequence[Message],
    sounds: Sequence[str | None],
) -> bytes:
    """The body of a webhook: what callers want to be passed on; `sounds` as of `sounds_of`."""
    about: dict[str, Any] = {
        "type": "message.taken",
        "call_sid": call_sid,
        "caller": record.caller or None,
        "persona": record.persona,
        "messages": [
            {
                "name": message.name,
                "call_back": message.call_back,
                "finished": message.until_ms is not None,
                "transcript": [
                    {"text": line.heard, "at_ms": line.at_ms}
                    for line in message.lines(record.lines)
                ],
                "audio": sound,
            }
            for message, sound in zip(messages, sounds, strict=True)
        ],
    }
    return json.dumps(about, ensure_ascii=False).encode(errors="replace")


def told(call_sid: str, record: CallRecord, summary: str | None) -> bytes:
    """The body of a webhook: what became of a call."""
    about: dict[str, Any] = {
        "type": "call.ended",
        "call_sid": call_sid,
        "direction": record.direction,
        "caller": record.caller or None,
        "persona": record.persona,
        "ended_reason": record.ended_reason,
        "seconds": record.seconds,
        "usd": record.usd,
        "tokens": record.tokens,
        "transcript": [
            {"role": line.role, "heard": line.heard, "at_ms": line.at_ms} for line in record.lines
        ],
        "tools": [
            {
                "name": call.tool.name,
                "arguments": json.loads(call.arguments),
                "state": call.state,
                "result": json.loads(call.result) if call.result else None,
            }
            for call in tool_calls(record)
        ],
        "summary": None if summary is None else json.loads(summary),
    }
    return json.dumps(about, ensure_ascii=False).encode(errors="replace")
