"""Who the agent is: the model's instructions, the voice, the greeting, and how long it talks."""

from dataclasses import dataclass, field
from typing import Literal

from agent.conversation.built_in_tools import Target
from agent.conversation.declaration import Tool
from agent.conversation.later import LATER
from agent.conversation.sms import Template
from agent.conversation.turn_taking import DEFAULT_TURNS, TurnTaking

Manner = Literal["server", "quick", "patient", "off"]
"""Who decides that the caller talks over the agent; `barge_in` says what each does."""


@dataclass(frozen=True, slots=True)
class Persona:
    """The character of the agent, as a conversation needs it.

    Args:
        name: The agent's name for itself.
        instructions: The system instruction, in plain text.
        voice: A prebuilt Gemini voice, such as ``"Puck"``.
        greeting_cue: The text for the model when the call is answered. The model never speaks
            first by itself, so this text makes it greet the caller.
        language: The language that it speaks, as a tag such as ``"de-DE"``; "" lets it choose.
        turns: How it takes turns, if it says so; else None. `turn_taking` has it in any case.
        timezone: The IANA time zone of the date and time that it is told; "" tells it none.
        minutes: How long a conversation may last before the agent says goodbye; 0 for no limit.
        silence_s: How long nobody may say anything before the caller is asked whether they are
            still there, and again before the conversation ends; 0 for no limit.
        usd: What a conversation may cost, in US dollars, before the agent says goodbye; 0 for no
            limit.
        goodbye: The agent's words when a limit ends the conversation.
        still_there: The agent's words to a caller who says nothing.
        tools: What it may do: no other tool exists for it.
        on_keys: Whether it is told of the keys that a caller presses.
        barge_in: Whose evidence counts when the caller talks over it: the server's, or that of our
            own ear as well, which is quick or patient; or nobody's, so that all of it is heard.
        transfers: To whom it may put callers through, with the tool of `puts_through`.
        sms: Which text messages it may send, with the tool of `sms.sends`.
        message_consent: What it asks before it takes a message, with `TAKES_MESSAGE`.
        recording_days: For how many days the recording of a conversation is kept; 0 if there is
            none. Who is recorded has to be told so, and has the tool `STOPS_RECORDING`.
    """

    name: str
    instructions: str
    voice: str
    greeting_cue: str
    language: str = field(default="", metadata=LATER)
    turns: TurnTaking | None = field(default=None, metadata=LATER)
    timezone: str = field(default="", metadata=LATER)
    minutes: float = field(default=0.0, metadata=LATER)
    silence_s: float = field(default=0.0, metadata=LATER)
    usd: float = field(default=0.0, metadata=LATER)
    goodbye: str = field(default="", metadata=LATER)
    still_there: str = field(default="", metadata=LATER)
    tools: tuple[Tool, ...] = field(default=(), metadata=LATER)
    on_keys: Literal["tell", "ignore"] = field(default="ignore", metadata=LATER)
    barge_in: Manner = field(default="server", metadata=LATER)
    transfers: tuple[Target, ...] = field(default=(), metadata=LATER)
    sms: tuple[Template, ...] = field(default=(), metadata=LATER)
    message_consent: str = field(default="", metadata=LATER)
    recording_days: int = field(default=0, metadata=LATER)

    @property
    def turn_taking(self) -> TurnTaking:
        """How it takes turns."""
        return self.turns or DEFAULT_TURNS


EXACTLY = "Say exactly these words, and nothing else: "


def say_exactly(situation: str, words: str) -> str:
    """A text for the model that makes it say these words.

    Args:
        situation: Why, in a sentence.
        words: What it must say.
    """
    return f"[{situation} {EXACTLY}{words}]"


def words_of(cue: str) -> str | None:
    """The words that a text of `say_exactly` asks for; None for another text."""
    _, found, words = cue.partition(EXACTLY)
    return words.removesuffix("]") if found else None


def greeting_cue(words: str) -> str:
    """The text that makes a model greet the caller with these words."""
    return say_exactly("A caller has just been connected and is listening.", words)


DEFAULT_PERSONA = Persona(
    name="Ada",
    instructions=(
        "You are Ada, who answers the telephone. You are on a phone call: the caller hears you "
        "and cannot see anything. Speak in short, natural sentences, one question at a time. "
        "Never read out lists, symbols or addresses letter by letter unless asked. If you did "
        "not understand, say so and ask again. Answer in the language the caller speaks. When "
        "the caller says goodbye, say goodbye briefly."
    ),
    voice="Puck",
    greeting_cue=(
        "[A caller has just been connected and is listening. Greet them in one short sentence, "
        "say your name, and ask how you can help.]"
    ),
)

SILENT_CALLER = "The caller has said nothing for a while."
TIME_IS_UP = "This call has lasted as long as it may, and ends after your next sentence."
"""The situations in which the agent says what its persona prescribes."""

NO_GREETING = "do not greet them again"

CUT_OFF_CUE = (
    "[The call was cut off, and the caller has dialled again and is listening. Say in a few words "
    f"that you were cut off, and go on where you stopped; {NO_GREETING}.]"
)
"""The text in place of the greeting when a new call continues an earlier one."""

GO_ON_CUE = (
    f"[The line dropped for a moment and is back. Answer what the caller said last; {NO_GREETING}.]"
)
"""The text when another worker takes over a conversation that owes an answer."""

GREETING_LEFT_CUE = (
    "[The line dropped for a moment and is back. The caller heard only the beginning of your "
    f"greeting, and has asked nothing yet. Finish it in one short sentence; {NO_GREETING}.]"
)
"""The text when another worker takes over a conversation in the middle of its greeting."""

REST_CUE = (
    "[The line was renewed while you were speaking. Go on with the very next word after the last "
    "one you said; repeat nothing, and do not mention it.]"
)
"""The text when a session had to be left in the middle of a reply."""


BRACKETS = str.maketrans("[]", "()")


def as_spoken(words: str) -> str:
    """What was said in a conversation, as a session's history has it: without square brackets.

    Only we speak to a model in square brackets, so nobody's words look like ours.
    """
    return words.translate(BRACKETS)


def keys_pressed(keys: str) -> str:
    """The text that tells a session of the keys that the caller has pressed."""
    return f"[The caller has pressed these keys of the telephone: {' '.join(keys)}]"


RESULTS_ARE = "[What was done for the caller before the line was renewed: "
"""Begins the text that tells a session of results it did not ask for itself."""


def know_results(results: str) -> str:
    """The text that tells a session of these results; "" for none."""
    return f"{RESULTS_ARE}{results}. Do not call that again.]" if results else ""


def answer_with_results(results: str) -> str:
    """The same, for a session that owes an answer which may need them."""
    if not results:
        return ""
    told = "Answer with that what the caller said last, and do not call that again"
    return f"{RESULTS_ARE}{results}. {told}; {NO_GREETING}.]"


def tell_results(results: str) -> str:
    """The same, for a session that is to speak of them."""
    return f"{RESULTS_ARE}{results}. Tell the caller what came of it; do not call that again.]"


NUDGE_CUE = (
    "[The caller is waiting and hears nothing. Answer what they said last; if you did not "
    "understand it, ask them to say it again.]"
)
"""The text when the model owes an answer and says nothing."""


def goes_on(cue: str) -> bool:
    """Whether a text to the model belongs to a conversation in which the caller was greeted."""
    return NO_GREETING in cue or cue in {NUDGE_CUE, REST_CUE}
