"""Runs what an agent may do: Python functions, HTTP calls and tools of MCP servers.

Modules, lowest first:
    outcome   what came of a run, as text of a bounded length
    threads   runs a function that may block, in a thread of its own
    function  `@tool`, and a Python function as a tool
    addresses which addresses a tool may connect to
    web       an HTTP call as a tool
    toolbox   all tools of one agent, by name
    mcp_server      an MCP server as a persona file names it, and what it told of its tools
    mcp_schema      the schema of its tools' arguments, in the form that a conversation checks
    mcp_program     a server that is a program: started, spoken to, ended
    mcp_connection  one connection to a server, through the official client: the extra `mcp`
    mcp_servers     all servers of a process, in a thread of their own

Laws: nothing that a tool does is waited for by the event loop, and nothing it raises leaves this
room. When a tool runs, and whether, is not decided here but in `agent.conversation.tool_use`. May
import `agent.conversation`. A secret comes from the environment, and is in no result and no log.
"""

from agent.tools.function import ToolError, tool

__all__ = ["ToolError", "tool"]
