"""The scripts of these tests: the shortest clips, so that real time stays short."""

from agent.simulator.script import Script as AgentScript
from agent.simulator.script import Turn
from agent.simulator.voice import clip
from telephony.simulator.script import Cut, parse
from telephony.simulator.script import Script as CallerScript

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


def caller(*steps: str) -> CallerScript:
    """A caller who hears quickly that the agent has finished, and does not wait long."""
    head = "quiet_ms = 400\npatience_ms = 12000\n"
    return parse(head + "".join(f"[[steps]]\n{step}\n" for step in steps))


SAY_MORGAN = 'wait = "agent"\nsay = "morgan"'
SAY_GARDEN = 'wait = "agent"\nsay = "q2"'
HANG_UP = 'wait = "agent"\nhang_up = true'

CUT_ANSWER = 'barge_in_ms = 300\ncut = "{}"'
"""In the middle of an answer, in one of the ways of `Cut`."""

ANSWERED_SAY_GARDEN = 'until_said = "goodbye"\nsay = "q2"'
"""After the whole first answer, whatever silence a broken stream makes in it."""
ANSWERED_HANG_UP = 'until_said = "sorry"\nhang_up = true'


def cut_off(how: Cut) -> CallerScript:
    """Two turns, the first answer of which is cut."""
    return caller(SAY_MORGAN, CUT_ANSWER.format(how), ANSWERED_SAY_GARDEN, ANSWERED_HANG_UP)


def moved(how: Cut) -> CallerScript:
    """Two turns; the first answer is cut, and what is left of it is not said again."""
    back = 'wait = "line"\nsay = "q2"'
    return caller(SAY_MORGAN, CUT_ANSWER.format(how), back, ANSWERED_HANG_UP)


TWO_TURNS = caller(SAY_MORGAN, SAY_GARDEN, HANG_UP)
