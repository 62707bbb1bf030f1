"""What Twilio says and plays by itself, and the keys that a person presses to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from telephony.simulator import twiml
from telephony.simulator.hearing import Played, Source
from telephony.simulator.off_line import Live, Passed
from telephony.simulator.report import Announced, CallEvent
from telephony.simulator.tones import VOICE

ENDLESS = 1000
"""How often a Say is spoken that must repeat until the caller hangs up."""
KEY_TONE_MS = 200
WAIT_MS = {"w": 500, "W": 1000}
"""The lengths of the pauses among the keys of a Play."""
PLAY_MS = 1_000
"""The assumed length of every file of a Play."""
KEYS = "0123456789*#"

type Prompt = twiml.Say | twiml.Play | twiml.Pause


class KeyPad(Protocol):
    """Knows which key ended the last wait."""

    @property
    def key(self) -> str:
        """That key."""
        ...


@dataclass(frozen=True, slots=True)
class Entered:
    """The keys of a Gather, without the one that ended it; `finish` is that one, or ""."""

    digits: str
    finish: str = ""

    def params(self) -> dict[str, str]:
        """The parameters of the action."""
        about = {"Digits": self.digits, "msg": "Gather End"}
        return about | ({"FinishedOnKey": self.finish} if self.finish else {})


class Prompts:
    """Says and plays to one call.

    Args:
        live: Lets time pass in the call.
        off_line: Knows which key was pressed.
        now_ms: The time since the call began.
        say_ms: How long Twilio takes to say a text.
        tell: Called with each event.

    Attributes:
        announced: The texts that were said.
    """

    def __init__(
        self,
        live: Live,
        off_line: KeyPad,
        now_ms: Callable[[], int],
        say_ms: Callable[[str], int],
        tell: Callable[[CallEvent], None],
    ) -> None:
        self.announced: list[str] = []
        self._live, self._off_line, self._now_ms = live, off_line, now_ms
        self._say_ms, self._tell = say_ms, tell

    def announce(self, text: str) -> None:
        """Note that a text is said."""
        self.announced.append(text)
        self._tell(Announced(self._now_ms(), text))

    async def utter(self, prompt: Prompt, keys: str = "") -> Passed:
        """Say, play, or be silent, until the end of it or one of these keys. A file is not fetched
        here: it lasts for a second.
        """
        match prompt:
            case twiml.Say(text, loop):
                self.announce(text)
                air = Played([(Source("voice", text), VOICE, 0)])
                duration_ms = self._say_ms(text) * (loop or ENDLESS)
                return await self._live(duration_ms, keys=keys, air=air)
            case twiml.Play(_, digits, loop):
                once_ms = sum(WAIT_MS.get(key, KEY_TONE_MS) for key in digits) or PLAY_MS
                return await self._live(once_ms * (loop or ENDLESS), keys=keys)
            case twiml.Pause(length_ms):
                return await self._live(length_ms, keys=keys)

    async def gather(self, verb: twiml.Gather) -> Entered:
        """Prompt for keys, and wait for them. The first one ends the prompts."""
        passed, digits = Passed.BY, ""
        for prompt in verb.prompts:
            if (passed := await self.utter(prompt, KEYS)) is not Passed.BY:
                break
        if passed is Passed.BY:
            passed = await self._live(verb.timeout_ms, keys=KEYS)
        while passed is Passed.KEY:
            if (key := self._off_line.key) == verb.finish:
                return Entered(digits, key)
            digits += key
            if len(digits) == verb.keys:
                break
            passed = await self._live(verb.timeout_ms, keys=KEYS)
        return Entered(digits)
