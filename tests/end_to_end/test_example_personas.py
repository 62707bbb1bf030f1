"""Each persona of fixtures/personas, used by a caller who speaks, over real sockets."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest
from typer.testing import CliRunner

from agent.conversation.tool_events import ToolCalled
from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse
from agent.simulator.server import SimulatedGemini
from agent.simulator.voice import clip
from telephony.cli import app
from tests.end_to_end.scripts import caller
from tests.end_to_end.serving import place, serving
from tests.end_to_end.watching import Step, Watch, observer

PERSONAS = Path(__file__).parents[2] / "fixtures/personas"

GOODBYE = """
[[turns]]
expect = "goodbye"
say = "goodbye"
then = { tool = "end_call" }
"""


@dataclass(frozen=True, slots=True)
class Example:
    """A persona, what its caller says, what the model does, and what has to come of it.

    Args:
        file: The persona's file, without its suffix.
        says: The caller's clips, in order; each waits for the agent.
        model: The turns of the model that answers them.
        lines: What the agent is heard to say, from the greeting on.
        called: The tools that are called, and how often.
        notes: What stands in the record.
    """

    file: str
    says: tuple[str, ...]
    model: str
    lines: tuple[str, ...]
    called: dict[str, int]
    notes: str = ""


EXAMPLES = (
    Example(
        "support-line",
        ("order",),
        """
        [[turns]]
        expect = "order"
        call = { tool = "order_status", arguments = { order = "4711" } }
        say = "words:Your order is {status} and arrives {arrives}."
        """,
        (
            "Hello, this is Mira. How can I help you?",
            "Your order is on its way and arrives tomorrow.",
        ),
        {"order_status": 1},
    ),
    Example(
        "appointment-desk",
        ("haircut", "ten"),
        """
        [[turns]]
        expect = "haircut"
        call = { tool = "free_times", arguments = { day = "friday" } }
        say = "words:On Friday we have {data}."

        [[turns]]
        expect = "ten"
        call = { tool = "book", arguments = { day = "friday", time = "10:00", name = "Peter Lee" } }
        say = "words:I have booked {day} at {time} for you."
        """,
        (
            "Harbour Street Barbers, this is Leo. What can I do for you?",
            "On Friday we have 09:30, 10:00, 14:30.",
            "I have booked friday at 10:00 for you.",
        ),
        {"free_times": 1, "book": 1},
    ),
    Example(
        "message-taker",
        ("morgan", "message"),
        """
        [[turns]]
        expect = "morgan"
        call = { tool = "take_message", arguments = { action = "begin" } }
        say = "words:I can pass on what you say now, word for word. Is that all right?"

        [[turns]]
        expect = "message"
        call = { tool = "take_message", arguments = { action = "end", call_back = "5550123" } }
        say = "words:Thank you. Somebody will call you back in the morning."
        """,
        (
            "Bell and Sons. The office is closed, but I can take a message. Who is calling?",
            "I can pass on what you say now, word for word. Is that all right?",
            "Thank you. Somebody will call you back in the morning.",
        ),
        {"take_message": 2},
    ),
)


@pytest.fixture
def personas(tmp_path: Path) -> Path:
    """The folder, with an office that is closed whenever the tests run."""
    folder = tmp_path / "personas"
    copytree(PERSONAS, folder)
    file = folder / "message-taker.toml"
    file.write_text(file.read_text().replace("00:00-08:00, 17:00-24:00", "00:00-24:00"))
    return folder


@pytest.mark.parametrize("example", [pytest.param(each, id=each.file) for each in EXAMPLES])
async def test_a_caller_gets_what_the_agent_is_for_and_it_ends_the_call(
    example: Example, personas: Path
) -> None:
    says = (*example.says, "goodbye")
    script = caller(*(f'wait = "agent"\nsay = "{name}"' for name in says), 'wait = "agent"')
    model = GeminiServer(parse(example.model + GOODBYE), BRISK)
    steps: Watch[Step] = Watch()
    async with (
        SimulatedGemini(model) as gemini,
        serving(gemini, observer(steps), personas=personas / f"{example.file}.toml") as worker,
    ):
        report = await place(script, worker.url)
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert record is not None
    assert report.problems == ()
    assert (report.ended_by, record.ended_reason) == ("agent", "agent_hangup")
    agent = [line.heard for line in record.lines if line.role == "agent"]
    heard = [line.heard for line in record.lines if line.role == "caller"]
    assert agent == [*example.lines, clip("agent/goodbye").text]
    assert heard == [clip(f"caller/{name}").text for name in says]
    calls = Counter(step.event.name for step in steps.seen if isinstance(step.event, ToolCalled))
    assert calls == example.called | {"end_call": 1}
    assert record.notes == example.notes


def test_every_example_is_used_and_has_no_mistake() -> None:
    files = sorted(PERSONAS.glob("*.toml"))
    assert [file.stem for file in files] == sorted(example.file for example in EXAMPLES)
    for file in files:
        checked = CliRunner().invoke(app, ["persona", "check", str(file)])
        assert checked.exit_code == 0, checked.stderr
