"""Keeps what a caller types in secret, in the place where messages of the stream come in.

While the caller is hidden, no key and no sound of theirs gets past it: the call is told that there
was a key, and of which kind, and now and then that the line lives. So whatever sees the events of a
call sees no digit: recordings, logs, metrics, the model. The digits stay here until the tool runs.
"""

from agent.conversation.listener_commands import ForgetKeys, HideCaller, ShowCaller
from agent.conversation.secret_digits import Digits, KeyKind
from telephony.call.events import Event, LineLives, SecretKey, StreamStarted
from telephony.twilio.messages import Dtmf, Media

LIVES_EVERY = 25
"""Of so many pieces of media, half a second of Twilio's, the call is told of one."""

KINDS: dict[str, KeyKind] = {"#": "end", "*": "cancel"}


class Vault:
    """One call's, on one worker."""

    def __init__(self) -> None:
        self._hides = False
        self._tool = self._parameter = self._stream_sid = ""
        self._typed: dict[str, str] = {}
        self._frames = 0

    def __repr__(self) -> str:
        return f"Vault(hides={self._hides})"

    def admits(self, event: Event) -> Event | None:
        """What the call is to be told in place of this; None for nothing."""
        if isinstance(event, StreamStarted):
            self._stream_sid = event.stream_sid
        if not self._hides:
            return event
        match event:
            case Media():
                self._frames += 1
                return LineLives(event.stream_sid) if self._frames % LIVES_EVERY == 1 else None
            case Dtmf():
                # A stream that was replaced may still bring a key, which the call ignores
                current = event.stream_sid == self._stream_sid
                if event.digit.isdecimal() and current and self._parameter in self._typed:
                    self._typed[self._parameter] += event.digit
                kind = "digit" if event.digit.isdecimal() else KINDS.get(event.digit, "other")
                return SecretKey(event.stream_sid, kind)
            case _:
                return event

    def does(self, command: HideCaller | ShowCaller | ForgetKeys) -> None:
        """Carry a command out."""
        match command:
            case HideCaller(tool, parameter):
                self._hides, self._parameter = True, parameter
                if parameter:
                    self._tool = tool
                    self._typed[parameter] = ""
            case ShowCaller():
                self._hides, self._parameter = False, ""
            case ForgetKeys():
                self._typed.clear()

    def take(self, tool: str) -> dict[str, Digits]:
        """What was typed for this tool, by parameter. It is not here any more afterwards."""
        if tool != self._tool:
            return {}
        typed, self._typed, self._tool = self._typed, {}, ""
        return {parameter: Digits(value) for parameter, value in typed.items() if value}
