"""Writes and reads messages as google-genai does, for a world."""

from google.genai import _live_converters as converters
from google.genai import types

from agent.conversation.commands import OpenModel
from agent.conversation.events import ModelEvent
from agent.gemini.connect_config import connect_config
from agent.gemini.messages import Messages
from agent.gemini.session import PING_INTERVAL_S
from agent.simulator.server_messages import Message

_GENERATION = ("responseModalities", "speechConfig", "thinkingConfig")
"""What the SDK moves into `generationConfig`."""


class WireSdk:
    """Nothing but the forms of the wire: no client, no socket."""

    ping_interval_s = PING_INTERVAL_S

    def __init__(self) -> None:
        self._messages: dict[int, Messages] = {}

    def setup(self, command: OpenModel) -> Message:
        """The first message of a session, with our own configuration."""
        config = connect_config(command.persona, command.handle)
        setup = config.model_dump(mode="json", by_alias=True, exclude_none=True)
        generation = {name: setup.pop(name) for name in _GENERATION if name in setup}
        setup["systemInstruction"] = {"parts": [{"text": setup["systemInstruction"]}]}
        model = "models/gemini-3.8-live"
        return {"setup": {"model": model, "generationConfig": generation, **setup}}

    def events(self, session: int, message: Message) -> list[ModelEvent]:
        """What a message of the server tells; one that is not Google's raises."""
        if "setupComplete" in message or session not in self._messages:
            self._messages[session] = Messages(session)
        read = converters._LiveServerMessage_from_mldev(message)
        return self._messages[session].events(types.LiveServerMessage.model_validate(read))
