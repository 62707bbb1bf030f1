"""Adds the tools of MCP servers to agents, as the servers told them.

A tool of a server that was never reached is left out: the model is offered nothing that nobody
knows. A server that was reached once, and is down now, keeps its tools; they answer an error.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.persona.agents import Agent, Agents
from agent.tools.mcp_server import McpServer, McpTool, Standing
from agent.tools.toolbox import Runnable


@dataclass(frozen=True, slots=True)
class Joined:
    """Agents with their tools of MCP servers.

    Args:
        agents: The agents.
        problems: What is wrong, a sentence for each server or tool.
    """

    agents: Agents
    problems: tuple[str, ...] = ()


def joined(
    agents: Agents, standing: Callable[[McpServer], Standing], runs: Callable[[McpTool], Runnable]
) -> Joined:
    """Add the tools of servers.

    Args:
        agents: The agents, as they were read.
        standing: How a server stands.
        runs: What runs a tool.
    """
    if not agents.mcp_servers:
        return Joined(agents)
    problems: dict[str, None] = {}
    found = Agents([_with_tools(agent, standing, runs, problems) for agent in agents])
    return Joined(found, tuple(problems))


def _with_tools(
    agent: Agent,
    standing: Callable[[McpServer], Standing],
    runs: Callable[[McpTool], Runnable],
    problems: dict[str, None],
) -> Agent:
    declared, runnable = [], {}
    for tool in agent.mcp_tools:
        stands = standing(tool.server)
        if stands.down:
            problems[_down(tool.server, stands)] = None
        if stands.tools is None:
            continue
        listed = stands.tools.get(tool.its_name)
        problem = f"there is no such tool; there are {', '.join(stands.tools) or 'none'}"
        if listed is None or (problem := listed.problem):
            what = f"MCP server {tool.server.name}: its tool {tool.its_name!r} is left out"
            problems[f"{what}: {problem}"] = None
            continue
        ours = tool.declared
        description = ours.description or listed.description
        declared.append(replace(ours, description=description, parameters=listed.parameters))
        runnable[ours.name] = runs(tool)
    return replace(
        agent,
        persona=replace(agent.persona, tools=(*agent.persona.tools, *declared)),
        toolbox=agent.toolbox.with_tools(runnable),
    )


def _down(server: McpServer, stands: Standing) -> str:
    so = "its tools are left out" if stands.tools is None else "its tools answer with an error"
    return f"MCP server {server.name} is down ({stands.down}); {so}, and it is tried again"
