"""Runs what an agent may do: Python functions, and HTTP calls that a persona file declares.

Modules, lowest first:
    outcome   what came of a run, as text of a bounded length
    threads   runs a function that may block, in a thread of its own
    function  `@tool`, and a Python function as a tool
    addresses which addresses a tool may connect to
    web       an HTTP call as a tool
    toolbox   all tools of one agent, by name

Laws: nothing that a tool does is waited for by the event loop, and nothing it raises leaves this
room. When a tool runs, and whether, is not decided here but in `agent.conversation.tools`. May
import `agent.conversation`. A secret comes from the environment, and is in no result and no log.
"""

from agent.tools.function import ToolError, tool

__all__ = ["ToolError", "tool"]
