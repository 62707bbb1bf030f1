"""What an agent can do, over real sockets and with the real SDK: tools, and ending the call."""

from pathlib import Path

import pytest

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse
from agent.simulator.server import SimulatedGemini
from tests.agent.tools.shop import Shop
from tests.end_to_end.scripts import HANG_UP, SAY_MORGAN, caller
from tests.end_to_end.serving import place, serving

SUPPORT_LINE = Path(__file__).parents[2] / "fixtures/personas/support-line.toml"

ASKS_FOR_AN_ORDER = parse(
    """
    [[turns]]
    expect = "morgan"
    hear = "Where is my order 4711?"
    call = { tool = "order_status", arguments = { order = "4711" } }
    say = "words:Your order is {status} and arrives {arrives}."

    [[turns]]
    expect = "goodbye"
    say = "goodbye"
    then = { tool = "end_call" }
    """
)

SAY_GOODBYE = 'wait = "agent"\nsay = "goodbye"'


async def test_a_tool_is_called_its_result_is_said_and_the_agent_ends_the_call() -> None:
    async with (
        SimulatedGemini(GeminiServer(ASKS_FOR_AN_ORDER, BRISK)) as gemini,
        serving(gemini, personas=SUPPORT_LINE) as worker,
    ):
        report = await place(caller(SAY_MORGAN, SAY_GOODBYE, 'wait = "agent"'), worker.url)
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert record is not None
    assert (report.ended_by, record.ended_reason) == ("agent", "agent_hangup")
    assert [(line.role, line.heard) for line in record.lines] == [
        ("agent", "Hello, this is Mira. How can I help you?"),
        ("caller", "Where is my order 4711?"),
        ("agent", "Your order is on its way and arrives tomorrow."),
        ("caller", "No, that is all. Thank you, goodbye."),
        ("agent", "Thank you for calling. Goodbye."),
    ]


WEB = """
name = "Mira"
instructions = "You are Mira."
greeting = "Hello."

[[tools]]
name = "order_status"
description = "Looks up where an order is."
url = "{url}/orders/{{order}}"
allow_private = true
[tools.parameters.order]
pattern = "[0-9]+"
"""

NOTES = parse(
    """
    [[turns]]
    expect = "morgan"
    say = "goodbye"
    then = { tool = "note", arguments = { text = "Call back on Monday." } }
    """
)


async def test_an_http_call_that_the_file_declares_is_made(tmp_path: Path) -> None:
    async with Shop() as shop, SimulatedGemini(GeminiServer(ASKS_FOR_AN_ORDER, BRISK)) as gemini:
        file = tmp_path / "mira.toml"
        file.write_text(WEB.format(url=shop.url))
        async with serving(gemini, personas=file) as worker:
            report = await place(caller(SAY_MORGAN, HANG_UP), worker.url)
            record = await worker.server.worker.store.look_up(report.call_sid)
    assert record is not None
    assert shop.asked == [("GET", "/orders/4711", b"")]
    assert record.lines[-1].heard == "Your order is shipped and arrives {arrives}."


async def test_a_note_stands_in_the_record_of_the_call() -> None:
    async with (
        SimulatedGemini(GeminiServer(NOTES, BRISK)) as gemini,
        serving(gemini, personas=SUPPORT_LINE) as worker,
    ):
        report = await place(caller(SAY_MORGAN, HANG_UP), worker.url)
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert record is not None
    assert (report.problems, record.notes) == ((), "Call back on Monday.\n")


BROKEN = """
import time
from agent.tools import tool

@tool
def order_status(order: str) -> object:
    '''Looks up where an order is.'''
    {body}
"""


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        ("raise KeyError(order)", "Sorry, I did not catch that. Could you say it again?"),
        ("return None", "Your order is {status} and arrives {arrives}."),
        ('return {"status": "x" * 5_000_000, "arrives": 1}', "Your order is {status}"),
    ],
    ids=["raises", "nothing", "a flood"],
)
async def test_the_agent_goes_on_whatever_a_tool_gives(
    tmp_path: Path, body: str, heard: str
) -> None:
    module = f"tool_of_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{module}.py").write_text(BROKEN.format(body=body))
    file = tmp_path / "mira.toml"
    head = SUPPORT_LINE.read_text().partition("[[tools]]")[0]
    file.write_text(f'{head}[[tools]]\npython = "{module}:order_status"\n')
    async with (
        SimulatedGemini(GeminiServer(ASKS_FOR_AN_ORDER, BRISK)) as gemini,
        serving(gemini, personas=file) as worker,
    ):
        report = await place(caller(SAY_MORGAN, HANG_UP), worker.url)
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert record is not None
    assert record.lines[-1].heard.startswith(heard)
