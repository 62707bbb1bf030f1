"""`offhook persona`: write a persona file, and check persona files."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from telephony.errors import UsageError

if TYPE_CHECKING:
    from agent.persona.agents import Agent, Agents

persona = typer.Typer(
    no_args_is_help=True,
    help="Write and check persona files. One file makes an agent of your own.",
    epilog="Example: offhook persona new my-agent.toml",
)


@persona.command(epilog="Example: offhook persona new my-agent.toml")
def new(
    file: Annotated[Path, typer.Argument(help="The file to write. It must not exist yet.")],
) -> None:
    """Write an example of a persona file, with a comment for each key."""
    from agent.persona.example import EXAMPLE

    try:
        with file.open("x", encoding="utf-8") as new_file:
            new_file.write(EXAMPLE)
    except FileExistsError:
        raise UsageError(
            f"FILE: expected the name of a new file, got {file}, which exists; choose another name"
        ) from None
    except OSError as error:
        raise UsageError(
            f"FILE: expected a file that can be written, got {file}: {error.strerror}"
        ) from None
    typer.echo(f"{file} is written. Change it, check it, and try it:")
    typer.echo(f"  offhook persona check {file}")
    typer.echo(f"  offhook demo --persona {file}")


@persona.command(epilog="Example: offhook persona check my-agent.toml")
def check(
    files: Annotated[list[Path], typer.Argument(help="Persona files, or folders of them.")],
    servers: Annotated[
        bool, typer.Option("--servers", help="Also start and ask the MCP servers that they name.")
    ] = False,
) -> None:
    """Check persona files, and name each mistake with its file, line and key.

    The files are checked together, as one server would use them. Exit code 2
    means that there are mistakes, or that an MCP server cannot be used.
    """
    import asyncio

    from agent.persona.mistakes import PersonaError
    from agent.persona.reading import files_of, read
    from telephony.settings import secret

    try:
        found = [found for path in files for found in files_of(path)]
        agents = read(found, secret)
    except PersonaError as error:
        typer.echo(error, err=True)
        raise typer.Exit(2) from None
    for agent in agents:
        numbers = ", ".join(agent.numbers) or "no number of its own"
        default = ", and every other number" if agent is agents.default else ""
        typer.echo(f"{agent.persona.name}: {numbers}{default}{_opening(agent)}")
    if servers:
        problems = asyncio.run(_ask(agents))
        for problem in problems:
            typer.echo(problem, err=True)
        if problems:
            raise typer.Exit(2)


def _opening(agent: "Agent") -> str:
    """Whether an agent is within its hours now, and when they begin again."""
    from agent.persona.hours import local
    from telephony.server.admission import wall_time_ms

    if agent.hours is None:
        return ""
    now_ms = wall_time_ms()
    opens_ms = agent.hours.opens_next(now_ms)
    zone = agent.hours.timezone
    when = "never" if opens_ms is None else f"{local(opens_ms, zone):%a %Y-%m-%d at %H:%M} ({zone})"
    return f"; {'open' if agent.is_open(now_ms) else 'closed'} now, opens next: {when}"


async def _ask(agents: "Agents") -> tuple[str, ...]:
    """Ask the MCP servers, print what tools the agents have of them, and return what is wrong."""
    from agent.persona.asking import asked

    found = await asked(agents, sys.stderr)
    for agent in found.agents:
        for tool in agents.named(agent.persona.name).mcp_tools:
            if any(each.name == tool.declared.name for each in agent.persona.tools):
                typer.echo(f"{agent.persona.name}: {tool.declared.name} of {tool.server.name}")
    return found.problems
