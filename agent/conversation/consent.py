"""Whether a conversation is recorded: its owner wants it, the caller was told, and has not refused.

The caller is told before the first stream of a call, so nothing from before that can be recorded.
Whether they were told, and what they said to it, is in the checkpoint: a worker that goes on with a
conversation of which it does not know that does not record it.
"""

from dataclasses import replace

from agent.conversation.built_in_tools import STOP_RECORDING
from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import ConversationCommand, SendToolResult, StopRecording
from agent.conversation.declaration import Status, envelope
from agent.conversation.persona import Persona
from agent.conversation.tool_events import ToolCalled

TOLD, REFUSED = "told", "refused"
"""What a checkpoint may have of it; "" where nothing was recorded."""

STOPPED = (
    "Nothing is recorded any more, and what was recorded is deleted. Tell the caller so in one "
    "short sentence, and go on."
)


def is_recorded(persona: Persona, checkpoint: Checkpoint | None) -> bool:
    """Whether a conversation that is opened like this may be recorded."""
    told = checkpoint is None or checkpoint.recorded == TOLD
    return persona.recording_days > 0 and told


def going_on(persona: Persona, checkpoint: Checkpoint | None) -> Persona:
    """Who answers in a call that has had a stream: without a checkpoint, nobody knows whether the
    caller was told, or has refused, so the call is not recorded.
    """
    return persona if checkpoint is not None else replace(persona, recording_days=0)


class Consent:
    """One conversation's."""

    def __init__(self, persona: Persona, checkpoint: Checkpoint | None) -> None:
        before = "" if checkpoint is None else checkpoint.recorded
        self._recorded = TOLD if is_recorded(persona, checkpoint) else before

    def refused(self, called: ToolCalled) -> list[ConversationCommand]:
        """The model calls `stop_recording`."""
        # Where it was not told, its owner may still record it to look for faults
        stop = [StopRecording()] if self._recorded != REFUSED else []
        self._recorded = REFUSED
        result = envelope(Status.OK, hint=STOPPED)
        return [*stop, SendToolResult(called.session, called.id, STOP_RECORDING, result)]

    def kept_in(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint with that in it."""
        return replace(checkpoint, recorded=self._recorded)
