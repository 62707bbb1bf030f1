"""Who the agent is: the model's instructions, the voice, and the greeting."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Persona:
    """The character of the agent, as a model session needs it.

    Args:
        name: The agent's name for itself.
        instructions: The system instruction, in plain text.
        voice: A prebuilt Gemini voice, such as ``"Puck"``.
        greeting_cue: The text for the model when the call is answered. The model never speaks
            first by itself, so this text makes it greet the caller.
    """

    name: str
    instructions: str
    voice: str
    greeting_cue: str


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

CUT_OFF_CUE = (
    "[The call was cut off, and the caller has dialled again and is listening. Say in a few words "
    "that you were cut off, and go on where you stopped; do not greet them again.]"
)
"""The text in place of the greeting when a new call continues an earlier one."""

GO_ON_CUE = (
    "[The line dropped for a moment and is back. Answer what the caller said last; "
    "do not greet them again.]"
)
"""The text when another worker takes over a conversation that owes an answer."""

REST_CUE = (
    "[The line was renewed while you were speaking. Go on with the very next word after the last "
    "one you said; repeat nothing, and do not mention it.]"
)
"""The text when a session had to be left in the middle of a reply."""

NUDGE_CUE = (
    "[The caller is waiting and hears nothing. Answer what they said last; if you did not "
    "understand it, ask them to say it again.]"
)
"""The text when the model owes an answer and says nothing."""
