"""An MCP server as a persona file names it, and what it told of its tools."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.conversation.declaration import Tool


@dataclass(frozen=True, slots=True)
class McpServer:
    """How an MCP server is reached: a program to start, or a URL. Equal ones share a connection.

    Args:
        name: Its name in the persona file.
        command: The program and its arguments; () if it has a URL.
        env: Variables of the program's environment, besides a few such as PATH.
        folder: Where the program is started.
        url: Where it listens to streamable HTTP; "" if it is a program.
        headers: Headers of each request, secrets included.
        allow_private: Whether the URL's host may be in a private network.
    """

    name: str
    command: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    folder: str = ""
    url: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class McpTool:
    """A tool of a server, as the owner of a persona file allows it.

    Args:
        server: Which server has it.
        its_name: Its name there.
        declared: What the conversation is told, but for the parameters, which the server tells,
            and a description, if the file has none.
    """

    server: McpServer
    its_name: str
    declared: Tool


@dataclass(frozen=True, slots=True)
class Listed:
    """A tool as its server tells of it.

    Args:
        description: What it does, for the model.
        parameters: The JSON Schema of its arguments, as text.
        problem: Why it cannot be used, or "".
    """

    description: str
    parameters: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a server stands.

    Args:
        tools: Its tools by name, as it told them last; None as long as it never did.
        down: Why it cannot be used now; "" if it can.
    """

    tools: Mapping[str, Listed] | None = None
    down: str = "it was not asked yet"


NOT_ASKED = Standing()
