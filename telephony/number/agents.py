"""The doctor's look at the agents: their files, and the MCP servers that they name."""

import asyncio
from pathlib import Path

from agent.persona.agents import BUILT_IN, Agents
from agent.persona.asking import asked
from agent.persona.mistakes import PersonaError
from agent.persona.reading import files_of, read
from telephony.number.findings import Unwell
from telephony.settings import secret


async def read_agents(path: Path | None) -> Agents:
    """The agents that answer.

    Args:
        path: A persona file or a folder of them; None for the built-in agent.

    Raises:
        Unwell: A file has a mistake.
    """
    if path is None:
        return BUILT_IN
    try:
        return await asyncio.to_thread(lambda: read(files_of(path.expanduser()), secret))
    except PersonaError as error:
        mistakes = "; ".join(map(str, error.mistakes))
        raise Unwell(mistakes, f"correct the file; `offhook persona check {path}`") from None


async def ask_servers(agents: Agents) -> str:
    """Connect to each MCP server and ask for its tools. This takes 10 s at most, and 7 s more where
    a program does not end.

    Returns:
        Each server with those of its tools that the agents use.

    Raises:
        Unwell: A server is down, or lacks a tool; the detail has the others, too.
    """
    if not agents.mcp_servers:
        return "no agent names one"
    found = await asked(agents)
    used: dict[str, dict[str, None]] = {}
    for agent in found.agents:
        offered = {tool.name for tool in agent.persona.tools}
        for tool in agents.named(agent.persona.name).mcp_tools:
            if tool.declared.name in offered:
                used.setdefault(tool.server.name, {})[tool.its_name] = None
    told = [f"{server} has {', '.join(tools)}" for server, tools in sorted(used.items())]
    if found.problems:
        fix = "`offhook persona check --servers FILE` shows what a program writes to standard error"
        raise Unwell("; ".join([*found.problems, *told]), fix)
    return "; ".join(told)
