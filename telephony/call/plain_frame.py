"""Tells the steps after which no deadline has to be looked at: most steps of a call are such."""

from collections.abc import Sequence

from agent.conversation.commands import SendCallerAudio
from telephony.call.commands import Command
from telephony.call.events import Event
from telephony.twilio.messages import Media


def is_plain_frame(event: Event, commands: Sequence[Command]) -> bool:
    """Whether this step was one caller frame that only went to the model.

    Deadlines from such a frame are later than the 400 ms after which a missing frame is noticed,
    and a timer set before fires before that. So the deadlines need not be computed for each frame.
    """
    return type(event) is Media and all(type(each) is SendCallerAudio for each in commands)
