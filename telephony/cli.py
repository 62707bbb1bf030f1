"""`offhook` on the command line. Thin: each command parses, then calls a room.

Rooms are imported by the command that needs them: help is quick, and numpy is loaded after
`settings` has had its say about threads.
"""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from telephony import settings
from telephony.errors import OffhookError, UsageError
from telephony.fixture.commands import app as fixture
from telephony.number.commands import number
from telephony.process import run
from telephony.simulator.chaos import Kind
from telephony.simulator.commands import simulate

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="offhook answers telephone calls: Twilio Media Streams on one side, Gemini Live on the "
    "other.",
    epilog="Example: offhook demo",
)
app.add_typer(number, name="number")
app.add_typer(simulate, name="simulate")
app.add_typer(fixture, name="fixture")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"offhook {version('offhook')}")
        raise typer.Exit


@app.callback()
def offhook(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """What all commands have in common."""


@app.command(epilog="Example: offhook serve --port 8080")
def serve(
    host: Annotated[
        str | None, typer.Option(help="The address to listen on, instead of HOST.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="The port to listen on, instead of PORT.")
    ] = None,
) -> None:
    """Answer calls.

    The settings are read from the environment; docs/settings.md lists them.
    """
    given = settings.load(host=host, port=port)
    from telephony.server.app import serve as run_server
    from telephony.server.logs import configure, warn

    configure()
    for problem in settings.unknown():
        warn(problem)
    run(run_server(given))


@app.command(epilog="Example: offhook demo --out recordings")
def demo(
    out: Annotated[Path, typer.Option(help="The folder for the recording.")] = Path("out"),
    live: Annotated[
        bool, typer.Option("--live", help="Talk with the real model, which costs a few cents.")
    ] = False,
) -> None:
    """Hear a call without a phone, a key or a server.

    A simulated caller books a table with a simulated agent; both sides are
    recorded.
    """
    settings.one_blas_thread()
    from telephony.demo import run_demo

    try:
        report = run(run_demo(out, live=live))
    except OSError as error:
        raise UsageError(f"--out: expected a folder that can be written: {error}") from error
    raise typer.Exit(bool(report.problems))


@app.command("try", epilog="Example: offhook try --agent my-agent.toml --caller my-caller.toml")
def try_scripts(
    script: Annotated[
        str, typer.Argument(help="The name of the shipped scripts that both sides follow.")
    ] = "booking",
    agent: Annotated[
        str | None,
        typer.Option(help="What the model says instead: a name, or a TOML file."),
    ] = None,
    caller: Annotated[
        str | None,
        typer.Option(help="What the caller does instead: a name, or a TOML file."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder for the recording.")] = Path("out"),
    seed: Annotated[int, typer.Option(help="The seed of all chance in both simulators.")] = 1,
    live: Annotated[
        bool, typer.Option("--live", help="Talk with the real model, which costs a few cents.")
    ] = False,
) -> None:
    """Have a caller of yours talk to an agent of yours.

    This starts a simulated model, a server and a simulated caller in one
    process. Exit code 1 says that something went wrong with the call, or that
    it left the caller's script.
    """
    settings.one_blas_thread()
    from agent.simulator.script import ScriptError, named
    from telephony.demo import run_try
    from telephony.simulator.script import load

    try:
        says = None if live else named(agent or script)
    except (ScriptError, OSError) as error:
        raise UsageError(f"--agent: {error}") from error
    does = load(caller or script)
    try:
        report = run(run_try(says, does, out, seed=seed))
    except OSError as error:
        raise UsageError(f"--out: expected a folder that can be written: {error}") from error
    raise typer.Exit(bool(report.problems))


@app.command(epilog="Example: offhook doctor --number +14155550199")
def doctor(
    phone_number: Annotated[
        str | None,
        typer.Option("--number", help="The number to look at; any of the account without it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Look for what keeps calls from being answered.

    Start the server first. Exit code 0 says that all is well; 1 that something
    is not, with how to mend it; 2 that the settings or the command are wrong.
    """
    settings.one_blas_thread()
    from telephony.number.doctor import examine_and_print

    raise typer.Exit(run(examine_and_print(phone_number, as_json=as_json)))


@app.command(epilog="Example: offhook replay fixtures/calls --jobs 2")
def replay(
    paths: Annotated[
        list[Path], typer.Argument(help="Recorded calls, such as refund.call, or folders of them.")
    ],
    update: Annotated[
        bool, typer.Option("--update", help="Write what the calls do now as what they have to do.")
    ] = False,
    partial: Annotated[
        bool,
        typer.Option("--partial", help="Replay what there is of a recording cut off."),
    ] = False,
    wire: Annotated[
        bool,
        typer.Option("--wire", help="Then replay over real sockets and in real time, too."),
    ] = False,
    repeat: Annotated[int, typer.Option(min=1, help="How often to replay each recording.")] = 1,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many to replay at once; one for each core without, 10 with --wire."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")] = False,
    junit: Annotated[Path | None, typer.Option(help="The file for JUnit XML.")] = None,
) -> None:
    """Replay recorded calls, and compare to the bit what the calls do now.

    Exit code 1 says that a call differs, 2 that a recording cannot be used.
    """
    settings.one_blas_thread()
    from telephony.replay.suite import Judges, in_processes
    from telephony.replay.suite import replay as run_replay
    from telephony.replay.verdict import Options

    if partial and (update or wire):
        option = "--update" if update else "--wire"
        raise UsageError(f"{option}: expected whole recordings, got --partial; leave one out")
    options = Options(update=update, partial=partial, repeat=repeat)
    judges: Judges = in_processes
    if wire:
        from telephony.wire_replay.judge import AT_ONCE, judge_all

        judges, jobs = judge_all, jobs or AT_ONCE
    raise typer.Exit(
        run_replay(paths, options, jobs=jobs, as_json=as_json, junit=junit, judges=judges)
    )


@app.command(epilog="Example: offhook chaos --to 127.0.0.1:8000 --seed 7 --every 10")
def chaos(
    to: Annotated[str, typer.Option(help="The HOST:PORT of a worker, Gemini or Redis behind it.")],
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")
    ] = 8774,
    seed: Annotated[int, typer.Option(help="The seed of what goes wrong, and when.")] = 1,
    every_s: Annotated[
        float,
        typer.Option("--every", min=0.1, help="The average seconds between two faults."),
    ] = 20.0,
    only: Annotated[
        list[Kind] | None,
        typer.Option(help="A fault that may happen; repeat it for several."),
    ] = None,
) -> None:
    """Run a proxy that injects network faults.

    Put it in front of a worker, or between a worker and Gemini or Redis.
    """
    from telephony.simulator.chaos import stir

    host, _, target = to.rpartition(":")
    if not host or not target.isdecimal():
        raise UsageError(f"--to: expected HOST:PORT, such as 127.0.0.1:8000, got {to}")
    kinds = tuple(only or Kind)
    try:
        run(
            stir(
                host,
                int(target),
                listen_on=port,
                seed=seed,
                every_s=every_s,
                kinds=kinds,
                tell=typer.echo,
            )
        )
    except OSError as error:
        raise UsageError(f"--port: expected a free port, got {port}: {error.strerror}") from error


def main() -> None:
    """Run the command line; a person's mistake is one message and exit 2, never a traceback."""
    try:
        app()
    except OffhookError as error:
        sys.stderr.write(f"offhook: {error}\n")
        sys.exit(2)
