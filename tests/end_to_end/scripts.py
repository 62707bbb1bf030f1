"""What is said in these tests: the shortest clips, so that real time stays short."""

from agent.simulator.script import Script as AgentScript
from agent.simulator.script import Turn
from agent.simulator.voice import clip
from telephony.simulator.script import Script as CallerScript
from telephony.simulator.script import parse

AGENT = AgentScript(
    greeting="still-here",
    on_text="a1",
    fallback="a2",
    turns=(Turn("goodbye", expect="morgan"), Turn("sorry", expect="q2")),
)
"""Greets with one clip, answers each of two questions with its own; what it says to a text that is
no greeting, or to what it did not understand, is neither."""

GREETING = clip("agent/still-here").text
MORGAN, MORGAN_ANSWER = clip("caller/morgan").text, clip("agent/goodbye").text
GARDEN, GARDEN_ANSWER = clip("caller/q2").text, clip("agent/sorry").text

CONVERSATION = [
    ("agent", GREETING),
    ("caller", MORGAN),
    ("agent", MORGAN_ANSWER),
    ("caller", GARDEN),
    ("agent", GARDEN_ANSWER),
]
"""A whole call: the greeting and two turns."""


PATIENT_MS = 2_000
"""Of quiet: more than a stream takes to come back, on any machine."""


def caller(*steps: str, quiet_ms: int = 400) -> CallerScript:
    """A caller who hears quickly that the agent has finished, and does not wait long."""
    head = f"quiet_ms = {quiet_ms}\npatience_ms = 12000\n"
    return parse(head + "".join(f"[[steps]]\n{step}\n" for step in steps))


SAY_MORGAN = 'wait = "agent"\nsay = "morgan"'
SAY_GARDEN = 'wait = "agent"\nsay = "q2"'
HANG_UP = 'wait = "agent"\nhang_up = true'

TWO_TURNS = caller(SAY_MORGAN, SAY_GARDEN, HANG_UP)
