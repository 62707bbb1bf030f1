"""What an agent can do, over real sockets and with the real SDK: tools, and ending the call."""

from pathlib import Path

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse
from agent.simulator.server import SimulatedGemini
from tests.end_to_end.scripts import SAY_MORGAN, caller
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
