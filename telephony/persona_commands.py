"""`offhook persona`: write a persona file, and check persona files."""

from pathlib import Path
from typing import Annotated

import typer

from telephony.errors import UsageError

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
) -> None:
    """Check persona files, and name each mistake with its file, line and key.

    The files are checked together, as one server would use them. Exit code 2
    means that there are mistakes.
    """
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
        typer.echo(f"{agent.persona.name}: {numbers}{default}")
