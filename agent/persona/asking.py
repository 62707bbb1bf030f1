"""Asks the MCP servers that agents name for their tools, once, and leaves them again."""

from functools import partial
from typing import TextIO

from agent.persona.agents import Agents
from agent.persona.remote import Joined, joined
from agent.tools.mcp_servers import McpCall, McpServers


async def asked(agents: Agents, errors: TextIO | None = None) -> Joined:
    """Connect to each server and ask it. This takes 10 s at most, and 7 s more where a program does
    not end.

    Args:
        agents: The agents, as they were read.
        errors: Where the programs' standard error goes; None for nowhere.
    """
    servers = McpServers(errors)
    try:
        servers.use(agents.mcp_servers)
        await servers.asked()
        return joined(agents, servers.standing, partial(McpCall, servers))
    finally:
        await servers.aclose()
