"""The command line, `offhook`. Each command only parses its arguments and calls a room.

Each command imports the rooms that it needs. So help appears quickly, and numpy is loaded only
after `one_blas_thread` has run.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.simulator.behaviour import Behaviour
from telephony.calls_commands import calls
from telephony.errors import OffhookError, UsageError
from telephony.fixture.commands import app as fixture
from telephony.number.commands import number
from telephony.persona_commands import persona
from telephony.process import one_blas_thread, run
from telephony.say_command import say
from telephony.simulator.chaos import Kind
from telephony.simulator.commands import BEHAVIOUR_HELP, FAULT_HELP, simulate

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="offhook answers telephone calls. It connects Twilio Media Streams to Gemini Live.",
    epilog="Example: offhook demo",
)
app.add_typer(number, name="number")
app.add_typer(calls, name="calls")
app.add_typer(persona, name="persona")
app.add_typer(simulate, name="simulate")
app.add_typer(fixture, name="fixture")
app.command("say", epilog="Example: offhook say --to 'http://127.0.0.1:8010/?key=KEY' table")(say)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

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
    """Define the options of `offhook` itself."""


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
    from telephony import settings

    given = settings.load(host=host, port=port)
    from telephony.server.app import serve as run_server
    from telephony.server.logs import configure, warn

    configure()
    for problem in settings.unknown():
        warn(problem)
    run(run_server(given))


@app.command(epilog="Example: offhook call +14155550123 --persona Ada --consent 'web form'")
def call(
    phone_number: Annotated[
        str, typer.Argument(help="Whom to call, in E.164 form, such as +14155550123.")
    ],
    consent: Annotated[
        str, typer.Option(help="When and how the person agreed to be called. It is stored.")
    ],
    calls: Annotated[
        str,
        typer.Option("--persona", help="The agent that calls. Not needed if only one may call."),
    ] = "",
    server: Annotated[
        str | None,
        typer.Option(help="The address of the server. By default it is the one on this machine."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Call somebody: the running server places a call.

    The server checks the rules of the agent's [outbound] table first. Exit code
    1 means that no call was placed, or that nobody knows; the message says
    why. API_TOKEN must be the server's.
    """
    from telephony.dial_command import CallSettings, call_and_print
    from telephony.settings import read

    wish = {"to": phone_number, "persona": calls, "consent": consent}
    placed = call_and_print(read(CallSettings), server, wish, as_json=as_json)
    raise typer.Exit(not placed)


@app.command(epilog="Example: offhook demo --out recordings")
def demo(
    out: Annotated[Path, typer.Option(help="The folder for the recording.")] = Path("out"),
    live: Annotated[
        bool, typer.Option("--live", help="Talk with the real model, which costs a few cents.")
    ] = False,
    fault: Annotated[list[str] | None, typer.Option(help=FAULT_HELP)] = None,
    behaviour: Annotated[list[str] | None, typer.Option(help=BEHAVIOUR_HELP)] = None,
    personas: Annotated[
        Path | None,
        typer.Option("--persona", help="The persona file of the agent that answers."),
    ] = None,
) -> None:
    """Listen to a call without a phone, a key or a server.

    A simulated caller books a table with a simulated agent. Both sides are
    recorded.
    """
    one_blas_thread()
    from telephony.demo import run_demo, with_faults
    from telephony.simulator.script import load

    behaves = _behaviour(behaviour, live=live)
    does = with_faults(load("booking"), fault or ())
    try:
        report = run(run_demo(out, live=live, personas=personas, caller=does, behaviour=behaves))
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
        typer.Option(help="Another script for the model: a name, or a TOML file."),
    ] = None,
    caller: Annotated[
        str | None,
        typer.Option(help="Another script for the caller: a name, or a TOML file."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder for the recording.")] = Path("out"),
    seed: Annotated[int, typer.Option(help="The seed for both simulators' random choices.")] = 1,
    live: Annotated[
        bool, typer.Option("--live", help="Talk with the real model, which costs a few cents.")
    ] = False,
    fault: Annotated[list[str] | None, typer.Option(help=FAULT_HELP)] = None,
    behaviour: Annotated[list[str] | None, typer.Option(help=BEHAVIOUR_HELP)] = None,
) -> None:
    """Run a call between a caller and an agent that follow your scripts.

    This starts a simulated model, a server and a simulated caller in one
    process. Exit code 1 means that something went wrong with the call, or that
    it did not follow the caller's script.
    """
    one_blas_thread()
    from agent.simulator.script import ScriptError, named
    from telephony.demo import run_try, with_faults
    from telephony.simulator.script import load

    try:
        says = None if live else named(agent or script)
    except (ScriptError, OSError) as error:
        raise UsageError(f"--agent: {error}") from error
    does = with_faults(load(caller or script), fault or ())
    behaves = _behaviour(behaviour, live=live)
    try:
        report = run(run_try(says, does, out, seed=seed, behaviour=behaves))
    except OSError as error:
        raise UsageError(f"--out: expected a folder that can be written: {error}") from error
    raise typer.Exit(bool(report.problems))


def _behaviour(switches: list[str] | None, *, live: bool) -> Behaviour | None:
    """How the simulated model of `demo` and `try` behaves; None for what was measured."""
    if not switches:
        return None
    if live:
        raise UsageError("--behaviour: expected the simulated model, got --live; use one of them")
    from agent.simulator.switches import SwitchError, with_behaviour

    try:
        return with_behaviour(Behaviour(), switches)
    except SwitchError as error:
        raise UsageError(str(error)) from error


@app.command(epilog="Example: offhook dev --persona my-agent.toml")
def dev(
    personas: Annotated[
        Path | None,
        typer.Option("--persona", help="The persona file of the agent that answers."),
    ] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Talk with a simulated model, which needs no key.")
    ] = False,
    script: Annotated[
        str,
        typer.Option(help="The script for the simulated model: a name, or a TOML file."),
    ] = "booking",
    record: Annotated[
        Path | None, typer.Option(help="The folder for recordings of your calls, for a replay.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")
    ] = 8010,
    opens: Annotated[
        bool, typer.Option("--open/--no-open", help="Whether to open the page in the browser.")
    ] = True,
) -> None:
    """Talk with your agent in the browser: edit its file, press call, talk.

    This starts the server and a telephone for the browser, for this machine
    alone. The real model answers, with GEMINI_API_KEY.
    """
    one_blas_thread()
    from agent.simulator.script import ScriptError, named
    from telephony.browser_phone.dev import run_dev
    from telephony.server.logs import configure

    try:
        says = named(script) if simulated else None
    except (ScriptError, OSError) as error:
        raise UsageError(f"--script: {error}") from error
    configure()
    run(run_dev(says, personas=personas, record=record, port=port, opens=opens, tell=typer.echo))


@app.command(epilog="Example: offhook doctor --number +14155550199")
def doctor(
    phone_number: Annotated[
        str | None,
        typer.Option(
            "--number", help="The number to check. Without it, any number of the account will do."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Find the reason why calls are not answered.

    Start the server first. Exit code 0 means that all checks passed. 1 means
    that a check failed; its line says how to fix it. 2 means that the settings
    or the command are wrong.
    """
    one_blas_thread()
    from telephony.number.doctor import examine_and_print

    raise typer.Exit(run(examine_and_print(phone_number, as_json=as_json)))


@app.command(epilog="Example: offhook replay fixtures/calls --jobs 2")
def replay(
    paths: Annotated[
        list[Path], typer.Argument(help="Recorded calls, such as refund.call, or folders of them.")
    ],
    update: Annotated[
        bool,
        typer.Option("--update", help="Accept what the calls do now as what they must do."),
    ] = False,
    partial: Annotated[
        bool,
        typer.Option("--partial", help="Replay recordings that were cut off, as far as they go."),
    ] = False,
    wire: Annotated[
        bool,
        typer.Option("--wire", help="Also replay over real sockets and in real time."),
    ] = False,
    repeat: Annotated[int, typer.Option(min=1, help="How often to replay each recording.")] = 1,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many to replay at once. The default is one per core, 10 with --wire."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")] = False,
    junit: Annotated[Path | None, typer.Option(help="The file for JUnit XML.")] = None,
    wav: Annotated[
        Path | None,
        typer.Option(
            help="The WAV file for the sound of one call, if it replays equal: the caller on the "
            "left, what the caller heard on the right. Name the recordings of all its workers."
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            help="The HTML file for the timeline of one call, if it replays equal: a page with "
            "its sound. Name the recordings of all its workers."
        ),
    ] = None,
) -> None:
    """Replay recorded calls, and check that each does exactly what it did.

    Exit code 1 means that a call differs, 2 that a recording cannot be used.
    """
    one_blas_thread()
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
    code = run_replay(paths, options, jobs=jobs, as_json=as_json, junit=junit, judges=judges)
    if wav is not None and code == 0:
        from telephony.replay.sides import write_wav

        write_wav(paths, wav, partial=partial)
    if html is not None and code == 0:
        from telephony.timeline.files import write_html

        write_html(paths, html, partial=partial)
    raise typer.Exit(code)


@app.command(epilog="Example: offhook chaos --to 127.0.0.1:8000 --seed 7 --every 10")
def chaos(
    to: Annotated[
        str, typer.Option(help="The HOST:PORT of the worker, Gemini or Redis behind the proxy.")
    ],
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")
    ] = 8774,
    seed: Annotated[int, typer.Option(help="The seed that decides which faults happen when.")] = 1,
    every_s: Annotated[
        float,
        typer.Option("--every", min=0.1, help="The average time between two faults, in seconds."),
    ] = 20.0,
    only: Annotated[
        list[Kind] | None,
        typer.Option(help="A kind of fault that may happen; repeat it for several."),
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
    """Run the command line. A user's mistake gives one message and exit code 2, no traceback."""
    try:
        app()
    except OffhookError as error:
        sys.stderr.write(f"offhook: {error}\n")
        sys.exit(2)
