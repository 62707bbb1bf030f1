"""The conversations of the worlds: scripts that code makes from a seed."""

from dataclasses import replace
from random import Random

from agent.simulator import script as model_script
from agent.simulator.behaviour import EXACT, Behaviour
from agent.simulator.model import GeminiServer
from agent.simulator.voice import clip
from telephony.simulator import script as caller_script
from telephony.simulator.faults import LineFaults
from telephony.simulator.script import HangUp, Script, Step, Utterance
from telephony.simulator.world import GOOD_LINE, World
from telephony.simulator.world_faults import WorldFault
from tests.worlds.sdk import WireSdk

ANSWERS = {"q1": "a1", "q2": "a2", "q3": "a3", "q4": "a4", "q5": "a5", "repeat": "times"}
"""What the model answers to what. `times` is long: 11.5 s."""

QUESTIONS = ("q1", "q2", "q3", "q4", "q5")
GREETING = "greeting"

ROW = replace(EXACT, setup_ms=(150, 150))
"""As the rows of faults.md have it: a setup of 150 ms."""

SPEED = Behaviour().speed


def model(seed: int, behaviour: Behaviour) -> GeminiServer:
    """A Gemini that answers by what it understood."""
    turns = tuple(model_script.Turn(say, expect) for expect, say in ANSWERS.items())
    return GeminiServer(model_script.Script(turns), behaviour, Random(seed))


def world(
    steps: list[Step],
    seed: int,
    behaviour: Behaviour = EXACT,
    *faults: tuple[int, WorldFault],
    line_faults: LineFaults = GOOD_LINE,
) -> World:
    """A call that was lived to its end, with faults at their times (ms)."""
    made = World(
        Script(tuple(steps)), model(seed, behaviour), WireSdk(), seed=seed, line_faults=line_faults
    )
    for at_ms, fault in faults:
        made.at(at_ms, fault)
    made.run()
    return made


def say(name: str) -> Utterance:
    """A line of the caller."""
    step = caller_script.parse(f'[[steps]]\nsay = "{name}"').steps[0]
    assert isinstance(step.deed, Utterance)
    return step.deed


def barge_ins(seed: int, count: int = 20) -> list[Step]:
    """A caller who talks over every reply, from the greeting on, and over the last one not.

    The instants are drawn from four places in a reply, in turn: its first audio, while it is
    generated, while all of it waits to be heard, and near its end.
    """
    rng = Random(seed)
    steps, over = [], GREETING
    for n in range(count):
        duration_ms = int(clip(f"agent/{over}").duration_ms)
        generated_ms = int(duration_ms / SPEED)
        at_ms = [
            (0, 40),
            (60, generated_ms - 150),
            (generated_ms + 150, duration_ms - 700),
            (duration_ms - 600, duration_ms - 40),
        ][(n + seed) % 4]
        question = rng.choice([name for name in ANSWERS if ANSWERS[name] != over])
        steps.append(Step(barge_in_ms=rng.randint(*at_ms), deed=say(question)))
        over = ANSWERS[question]
    return [*steps, Step(wait_for_agent=True, deed=HangUp())]


def questions(*names: str, after_ms: int = 300) -> list[Step]:
    """A caller who waits for each answer, and for so long beyond, and then asks the next."""
    asked = [Step(wait_for_agent=True, after_ms=after_ms, deed=say(name)) for name in names]
    return [*asked, Step(wait_for_agent=True, after_ms=after_ms, deed=HangUp())]


def questions_by_the_clock(*names: str, every_ms: int = 7_000) -> list[Step]:
    """A caller who asks whether or not there was an answer."""
    asked = [Step(after_ms=every_ms, deed=say(name)) for name in names]
    return [*asked, Step(after_ms=every_ms, deed=HangUp())]
