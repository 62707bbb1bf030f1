"""A tool of an MCP server in a call, over real sockets and with the real SDKs on both sides."""

import sys
from pathlib import Path

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import parse
from agent.simulator.server import SimulatedGemini
from tests.end_to_end.scripts import HANG_UP, SAY_MORGAN, caller
from tests.end_to_end.serving import get, place, serving

SHOP = Path(__file__).parents[1] / "agent/tools/mcp_shop.py"

PERSONA = f"""
name = "Mira"
instructions = "You are Mira."
greeting = "Hello."

[mcp.shop]
command = ["{sys.executable}", "{SHOP}"]

[[tools]]
mcp = "shop:order_status"
idempotent = true

[[tools]]
mcp = "shop:sold_out"
"""

ASKS = parse(
    """
    [[turns]]
    expect = "morgan"
    hear = "Where is my order 4711?"
    call = { tool = "order_status", arguments = { order = "4711" } }
    say = "words:Your order is {status} and arrives {arrives}."
    """
)


async def test_a_tool_of_an_mcp_server_is_called_and_its_result_is_said(tmp_path: Path) -> None:
    file = tmp_path / "mira.toml"
    file.write_text(PERSONA)
    async with (
        SimulatedGemini(GeminiServer(ASKS, BRISK)) as gemini,
        serving(gemini, personas=file) as worker,
    ):
        ready = (await get(worker.url, "/readyz")).json()
        report = await place(caller(SAY_MORGAN, HANG_UP), worker.url)
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert ready["status"] == "degraded"
    [reason] = ready["reasons"]
    assert reason.startswith("MCP server shop: its tool 'sold_out' is left out: there is no such")
    assert record is not None
    assert record.lines[-1].heard == "Your order is on its way and arrives tomorrow."
