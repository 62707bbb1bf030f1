"""`offhook` on the command line. Thin: each command parses, then calls a room.

Rooms are imported by the command that needs them: help is quick, and numpy is loaded after
`settings` has had its say about threads.
"""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from telephony import settings
from telephony.errors import OffhookError, UsageError
from telephony.fixture.commands import app as fixture
from telephony.number.commands import number
from telephony.simulator.chaos import Kind

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A telephony voice agent: Twilio Media Streams on one side, Gemini Live on the other.",
)
simulate = typer.Typer(no_args_is_help=True, help="A Gemini and a Twilio that need no account.")
app.add_typer(number, name="number")
app.add_typer(simulate, name="simulate")
app.add_typer(fixture, name="fixture")

DEMO_TOKEN = "simulated-auth-token"  # noqa: S105 - of simulated accounts only
DEMO_ACCOUNT = "AC" + "0" * 31 + "1"


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; also HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port to listen on; also PORT.")
    ] = None,
) -> None:
    """Answer calls."""
    given = settings.load(host=host, port=port)
    from telephony.server.app import serve as run_server
    from telephony.server.logs import configure, warn

    configure()
    for problem in settings.unknown():
        warn(problem)
    _run(run_server(given))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the recording.")] = Path("out"),
    live: Annotated[
        bool, typer.Option("--live", help="Talk with the real model. Costs a few cents.")
    ] = False,
) -> None:
    """Hear a call without a phone, a key or a server."""
    settings.one_blas_thread()
    from telephony.demo import run_demo

    try:
        report = _run(run_demo(out, live=live))
    except OSError as error:
        raise UsageError(f"--out: expected a folder that can be written: {error}") from error
    raise typer.Exit(bool(report.problems))


@app.command("try")
def try_scripts(
    script: Annotated[
        str, typer.Argument(help="The scripts of both sides that have this name.")
    ] = "booking",
    agent: Annotated[
        str | None, typer.Option(help="What the model says instead: a name, or a TOML file.")
    ] = None,
    caller: Annotated[
        str | None, typer.Option(help="What the caller does instead: a name, or a TOML file.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the recording.")] = Path("out"),
    seed: Annotated[int, typer.Option(help="Decides all chances of both simulators.")] = 1,
    live: Annotated[
        bool, typer.Option("--live", help="Talk with the real model. Costs a few cents.")
    ] = False,
) -> None:
    """Have a caller of yours talk to an agent of yours: model, server and caller in one go.

    Exit code 1 says that something went wrong with the call, or that it left the caller's script.

    Example: offhook try --agent my-agent.toml --caller my-caller.toml
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
        report = _run(run_try(says, does, out, seed=seed))
    except OSError as error:
        raise UsageError(f"--out: expected a folder that can be written: {error}") from error
    raise typer.Exit(bool(report.problems))


@app.command()
def doctor(
    phone_number: Annotated[
        str | None, typer.Option("--number", help="Which number to look at; any, without.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Look for what keeps calls from being answered; start the server first.

    Exit code 0: all is well; 1: something is not, and how to mend it was said; 2: the settings or
    the command are wrong.
    """
    settings.one_blas_thread()
    from telephony.number.doctor import examine_and_print

    raise typer.Exit(_run(examine_and_print(phone_number, as_json=as_json)))


@app.command()
def replay(
    paths: Annotated[
        list[Path], typer.Argument(help="Recorded calls, <name>.call, or folders of them.")
    ],
    update: Annotated[
        bool, typer.Option("--update", help="Write what calls do now as what they have to do.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Replay what there is of a recording cut off.")
    ] = False,
    wire: Annotated[
        bool,
        typer.Option("--wire", help="Then against a real server over real sockets, in real time."),
    ] = False,
    repeat: Annotated[int, typer.Option(min=1, help="How often to replay each.")] = 1,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; one for each core, if not said.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Write them as JUnit XML too.")] = None,
) -> None:
    """Live recorded calls again: does the call still do, to the bit, what it did?

    Exit code 1 says that one differs, 2 that one cannot be used.
    """
    settings.one_blas_thread()
    from telephony.replay.suite import replay as run_replay
    from telephony.replay.verdict import Options

    if partial and (update or wire):
        option = "--update" if update else "--wire"
        raise UsageError(f"{option}: expected whole recordings, got --partial; leave one out")
    options = Options(update=update, partial=partial, repeat=repeat)
    if wire:
        from telephony.wire_replay.judge import judge
    else:
        from telephony.replay.verdict import judge
    raise typer.Exit(
        run_replay(paths, options, jobs=jobs, as_json=as_json, junit=junit, judge=judge)
    )


@app.command()
def chaos(
    to: Annotated[str, typer.Option(help="Where it leads to, HOST:PORT: a worker, Gemini, Redis.")],
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")
    ] = 8774,
    seed: Annotated[int, typer.Option(help="Decides what goes wrong, and when.")] = 1,
    every_s: Annotated[
        float, typer.Option("--every", min=0.1, help="Seconds between troubles, on average.")
    ] = 20.0,
    only: Annotated[
        list[Kind] | None, typer.Option(help="What may go wrong; repeat it. All, without.")
    ] = None,
) -> None:
    """A network that goes wrong: put it before a worker, or between a worker and Gemini."""
    from telephony.simulator.chaos import stir

    host, _, target = to.rpartition(":")
    if not host or not target.isdecimal():
        raise UsageError(f"--to: expected HOST:PORT, such as 127.0.0.1:8000, got {to}")
    kinds = tuple(only or Kind)
    try:
        _run(
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


@simulate.command("gemini")
def simulate_gemini(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")
    ] = 8772,
    cert_dir: Annotated[
        Path, typer.Option(help="Where its certificate is put, for SSL_CERT_FILE.")
    ] = Path("out/gemini"),
    script: Annotated[
        str, typer.Option(help="What it says: a script's name, or a TOML file.")
    ] = "booking",
    seed: Annotated[int, typer.Option(help="Decides all its chances.")] = 1,
) -> None:
    """A Gemini Live server, over TLS, that the google-genai SDK talks to."""
    settings.one_blas_thread()
    from agent.simulator.script import ScriptError
    from agent.simulator.server import serve as run_simulator

    try:
        _run(run_simulator(port=port, cert_dir=cert_dir, script=script, seed=seed))
    except (ScriptError, OSError) as error:  # OSError: the port is taken, or cert_dir not ours
        raise UsageError(str(error)) from error


@simulate.command("call")
def simulate_call(
    url: Annotated[
        list[str], typer.Option(help="A worker's base URL; repeat it for several workers.")
    ],
    public_url: Annotated[
        str, typer.Option(help="The server's PUBLIC_URL, which is what Twilio signs.")
    ],
    script: Annotated[
        str, typer.Option(help="What the caller does: a script's name, or a TOML file.")
    ] = "booking",
    heard: Annotated[
        Path | None, typer.Option(help="Write a WAV of what the caller heard.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides all its chances.")] = 1,
    rest_port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65_535, help="Be Twilio's REST API there, by which the call can be moved."
        ),
    ] = None,
    auth_token: Annotated[
        str, typer.Option(envvar="TWILIO_AUTH_TOKEN", help="What webhooks are signed with.")
    ] = DEMO_TOKEN,
    account_sid: Annotated[
        str, typer.Option(envvar="TWILIO_ACCOUNT_SID", help="Whose call it is.")
    ] = DEMO_ACCOUNT,
    caller: Annotated[
        str, typer.Option(help="Who calls: a number, client:…, sip:…, or a word if withheld.")
    ] = "+14155550123",
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="How Twilio behaves, such as after_loss=ends or line.stall_rate=0.05; repeat it. "
            "A name that does not exist is answered with all that do."
        ),
    ] = None,
    allow_warnings: Annotated[
        bool, typer.Option("--allow-warnings", help="Count Twilio's warnings, but do not fail.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """A caller and Twilio's half of the line: calls a server, as the real ones would.

    Exit code 1 says that something went wrong with the call.
    """
    settings.one_blas_thread()
    from telephony.simulator.terminal import call_and_print

    report = _run(
        call_and_print(
            urls=url,
            public_url=public_url,
            script=script,
            heard=heard,
            seed=seed,
            rest_port=rest_port,
            auth_token=auth_token.split(",")[0].strip(),
            account_sid=account_sid,
            as_json=as_json,
            allow_warnings=allow_warnings,
            switches=fault or (),
            caller=caller,
        )
    )
    if report.problems:
        raise typer.Exit(1)


@simulate.command("rest")
def simulate_rest(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")
    ] = 8773,
    phone_number: Annotated[
        list[str] | None, typer.Option("--number", help="A number it has; repeat it for several.")
    ] = None,
) -> None:
    """Twilio's REST API, as far as `offhook number` and `offhook doctor` use it."""
    from telephony.simulator.rest import RestAccount
    from telephony.simulator.rest_server import serve as run_simulator

    account = RestAccount(DEMO_ACCOUNT, DEMO_TOKEN)
    for one in phone_number or ["+14155550199"]:
        account.add(one)
    try:
        _run(run_simulator(account, port=port))
    except OSError as error:
        raise UsageError(f"--port: expected a free port, got {port}: {error.strerror}") from error


def main() -> None:
    """Run the command line; a person's mistake is one message and exit 2, never a traceback."""
    try:
        app()
    except OffhookError as error:
        sys.stderr.write(f"offhook: {error}\n")
        sys.exit(2)


def _run[T](coroutine: Coroutine[Any, Any, T]) -> T:
    import uvloop

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(coroutine)
    except KeyboardInterrupt:
        sys.exit(130)
