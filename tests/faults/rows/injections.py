"""Row 50: 200 sentences that try to be instructions, from `injections.txt`.

Each comes on every way at once: a caller says it, a tool is given it and finds it, and the session
is then lost, so that the next one is told of all that by our own texts. Names of callers come by
webhook. We look at what we send: whether a model would obey it, only a real one can tell.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random

from agent.conversation import persona as texts
from agent.conversation.commands import OpenModel, RunTool, SayToModel, SendToolResult
from agent.conversation.declaration import Tool, canonical, quoted
from agent.conversation.persona import DEFAULT_PERSONA, RESULTS_ARE, as_spoken, greeting_cue
from agent.gemini.connect_config import instruction
from agent.simulator.behaviour import BRISK, EXACT
from agent.simulator.faults import DropHandles, Reset
from agent.simulator.model import GeminiServer
from agent.simulator.script import Call, Script, Turn
from agent.simulator.server import SimulatedGemini
from agent.summary.writer import as_data
from telephony.simulator.script import parse as caller_script
from telephony.simulator.virtual_tools import VirtualTool
from telephony.simulator.world import World
from telephony.twilio.urls import VOICE_PATH
from tests.end_to_end.serving import serving
from tests.end_to_end.twilio import form_of, new_call_sid, post, signed
from tests.faults.table import Figure, Row, exactly, scaled
from tests.worlds.sdk import WireSdk

CORPUS = Path(__file__).parents[1] / "injections.txt"
CANARY = "quetzal"

FINDS = Tool(
    "find",
    "Finds what is known of a customer.",
    '{"properties":{"about":{"type":"string"}},"required":["about"],"type":"object"}',
    idempotent=True,
)
PERSONA = replace(
    DEFAULT_PERSONA,
    tools=(FINDS,),
    on_keys="tell",
    greeting_cue=greeting_cue("Hello."),
    language="en-US",
)

LOST_AFTER_MS = 1_300
"""So long after a tool was begun, its session is lost, and its handle too: its result was sent, and
is not heard yet."""

AGAIN_AFTER_MS = 5_500
"""So long after that, the next one is lost: what the caller said is in the transcript by then."""

SAYS = """
patience_ms = 20000
[[steps]]
wait = "agent"
say = "q1"
[[steps]]
after_ms = 9000
press = "{keys}"
[[steps]]
after_ms = 6000
say = "q2"
[[steps]]
after_ms = 9000
hang_up = true
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One sentence; `way` is `spoken`, `name`, `result` or `keys`."""

    way: str
    text: str


@cache
def corpus() -> tuple[Item, ...]:
    """All of them, with the canary in its place."""
    found = []
    for line in CORPUS.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            way, _, text = line.partition("\t")
            escaped = json.loads('"' + text.replace('\\"', '"').replace('"', '\\"') + '"')
            found.append(Item(way, escaped.replace("{canary}", CANARY)))
    return tuple(found)


def measure(share: float) -> Sequence[Figure]:
    """Take so many of the sentences, of each way as many."""
    count = scaled(len(corpus()), share, least=4)
    items = Random(50).sample(corpus(), len(corpus()))[:count]
    names = [each.text for each in items if each.way == "name"] or [corpus()[60].text]
    worlds = [(each, lived(each)) for each in items]
    leaks = [leak for each, world in worlds for leak in leaks_of(world)]
    leaks += asyncio.run(named(names))
    untold = sum(not _told(*each) for each in worlds)
    kinds = ("instruction", "text of ours", "history", "result", "summary", "webhook")
    return [
        Figure("sentences, each on every way", count, None),
        Figure("of these not told to a fresh session", untold, exactly(0)),
        *(Figure(f"leaks: {kind}", leaks.count(kind), exactly(0)) for kind in kinds),
    ]


def lived(item: Item, lost_ms: int | None = None) -> World:
    """The whole call in which it is said, found, and told again to a fresh session."""
    if lost_ms is None:
        lost_ms = _begins_ms() + LOST_AFTER_MS
    call = Call("find", {"about": item.text})
    again = Call("find", {"about": f"{item.text} again"})
    model = Script(
        turns=(
            Turn("a1", expect="q1", hear=item.text, call=call, failed="a3"),
            Turn("a2", expect="q2", hear=f"{item.text} again", call=again, failed="a3"),
        )
    )
    keys = item.text if item.way == "keys" else "12#"
    found = canonical({"customer": "Ms Lee", "note": item.text})
    world = World(
        caller_script(SAYS.format(keys=keys)),
        GeminiServer(model, EXACT, Random(1)),
        WireSdk(),
        persona=PERSONA,
        tools={"find": VirtualTool(found, 900)},
    )
    for at_ms in (lost_ms, lost_ms + AGAIN_AFTER_MS):
        world.at(at_ms, DropHandles())
        world.at(at_ms, Reset())
    world.run(120_000)
    return world


@cache
def _begins_ms() -> int:
    """When the tool is begun: in every one of these calls at the same time."""
    calm = lived(Item("spoken", "Hello."), 600_000)
    begun = (s.at_ms for s in calm.steps if any(isinstance(c, RunTool) for c in s.commands))
    return next(begun)


def _told(item: Item, world: World) -> bool:
    """Whether a fresh session was told of the sentence, as data."""
    opened = [c for step in world.steps for c in step.commands if isinstance(c, OpenModel)]
    return any(quoted(canonical(item.text)) in command.results for command in opened)


def leaks_of(world: World) -> Iterator[str]:
    """What of it came where only our own words may be; the kind of each place."""
    for link in world.links:
        memory = None if link.session is None else link.session.memory
        if memory is not None and memory.system_instruction != instruction(PERSONA):
            yield "instruction"
    for command in (command for step in world.steps for command in step.commands):
        match command:
            case SayToModel(text=text):
                if not ours(text):
                    yield "text of ours"
            case OpenModel():
                if command.results and not ours(command.results):
                    yield "text of ours"
                for line in command.history:
                    if line.role == "agent" and CANARY in line.heard:
                        yield "history"
                    if set("[]") & set(as_spoken(line.heard)):
                        yield "history"
            case SendToolResult(result=result):
                if set(json.loads(result)) != {"data", "hint", "retryable", "status"}:
                    yield "result"
            case _:
                pass
    data = as_data(world.store.lines)
    if data.count("<") != 4 or data.count(">") != 4:
        yield "summary"


OURS = (
    texts.GO_ON_CUE,
    texts.GREETING_LEFT_CUE,
    texts.REST_CUE,
    texts.NUDGE_CUE,
    PERSONA.greeting_cue,
    texts.say_exactly("A caller waits for what you look up or do for them.", FINDS.says),
)
ENDS = tuple(
    make("x").removeprefix(f"{RESULTS_ARE}x")
    for make in (texts.know_results, texts.answer_with_results, texts.tell_results)
)
PRESSED, _, _ = texts.keys_pressed("|").partition("|")


def ours(text: str) -> bool:
    """Whether a text has nothing of anybody else in it but keys of the telephone, and JSON where
    the arguments and the result of a call stand. JSON ends where its grammar says, not where
    somebody writes a bracket.
    """
    if text in OURS:
        return True
    if text.startswith(PRESSED):
        return not set(text.removeprefix(PRESSED)) - set("0123456789*#ABCD ]")
    if not text.startswith(RESULTS_ARE):
        return False
    rest = text.removeprefix(RESULTS_ARE)
    while True:
        for begins in (f"{FINDS.name}(", ") gave "):
            if not rest.startswith(begins):
                return False
            value, end = json.JSONDecoder().raw_decode(rest, len(begins))
            json_text, rest = rest[len(begins) : end], rest[end:]
            if not isinstance(value, dict) or {"[", "]"} & set(json_text):
                return False
        if rest in ENDS:
            return True
        if not rest.startswith("; "):
            return False
        rest = rest[2:]


async def named(names: Sequence[str]) -> list[str]:
    """Calls from callers whose network shows these names."""
    leaks = []
    async with SimulatedGemini(GeminiServer(behaviour=BRISK)) as gemini, serving(gemini) as worker:
        for name in names:
            form = form_of(new_call_sid()) | {"CallerName": name}
            answer = await post(worker.url, VOICE_PATH, form, signed(VOICE_PATH, form))
            leaks += ["webhook"] * (answer.status_code != 200 or CANARY in answer.text)
        told = [session.memory for session in gemini.server.sessions]
        leaks += ["webhook" for memory in told if memory and CANARY in repr(memory)]
    return leaks


ROWS = (Row(50, "sentences that try to be instructions", measure),)
