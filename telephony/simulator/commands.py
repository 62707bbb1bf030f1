"""`offhook simulate …` on the command line. Thin: each command parses, then calls a module."""

from pathlib import Path
from typing import Annotated

import typer

from telephony import settings
from telephony.errors import UsageError
from telephony.process import run

simulate = typer.Typer(
    no_args_is_help=True, help="Run a simulated Gemini or Twilio without an account."
)

SIMULATED_TOKEN = "simulated-auth-token"  # noqa: S105 - of simulated accounts only
SIMULATED_ACCOUNT = "AC" + "0" * 31 + "1"


@simulate.command("gemini", epilog="Example: offhook simulate gemini --script small-talk")
def simulate_gemini(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")
    ] = 8772,
    cert_dir: Annotated[
        Path, typer.Option(help="The folder for its certificate, which SSL_CERT_FILE has to name.")
    ] = Path("out/gemini"),
    script: Annotated[
        str, typer.Option(help="What it says: a script's name, or a TOML file.")
    ] = "booking",
    seed: Annotated[int, typer.Option(help="The seed of all its chance.")] = 1,
) -> None:
    """Run a Gemini Live server, over TLS, that the google-genai SDK talks to.

    It prints the settings by which `offhook serve` finds it.
    """
    settings.one_blas_thread()
    from agent.simulator.script import ScriptError
    from agent.simulator.server import serve as run_simulator

    try:
        run(run_simulator(port=port, cert_dir=cert_dir, script=script, seed=seed))
    except (ScriptError, OSError) as error:  # OSError: the port is taken, or cert_dir not ours
        raise UsageError(str(error)) from error


@simulate.command(
    "call",
    epilog="Example: offhook simulate call --url http://127.0.0.1:8000 "
    "--public-url https://voice.example.com --script small-talk",
)
def simulate_call(
    url: Annotated[
        list[str], typer.Option(help="The base URL of a worker; repeat it for several workers.")
    ],
    public_url: Annotated[
        str, typer.Option(help="The server's PUBLIC_URL, which is what Twilio signs.")
    ],
    script: Annotated[
        str, typer.Option(help="What the caller does: a script's name, or a TOML file.")
    ] = "booking",
    heard: Annotated[
        Path | None, typer.Option(help="The file for a WAV of what the caller heard.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of all its chance.")] = 1,
    rest_port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65_535,
            help="The port for Twilio's REST API, which can move the call.",
        ),
    ] = None,
    auth_token: Annotated[
        str, typer.Option(envvar="TWILIO_AUTH_TOKEN", help="The token that signs the webhooks.")
    ] = SIMULATED_TOKEN,
    account_sid: Annotated[
        str, typer.Option(envvar="TWILIO_ACCOUNT_SID", help="The account that has the call.")
    ] = SIMULATED_ACCOUNT,
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
        bool,
        typer.Option("--allow-warnings", help="Count Twilio's warnings, but do not fail for them."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Call a server as Twilio and a caller would.

    Exit code 1 says that something went wrong with the call, or that it left
    the caller's script. Ctrl-C makes the caller hang up.
    """
    settings.one_blas_thread()
    from telephony.simulator.terminal import call_and_print

    report = run(
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


@simulate.command("rest", epilog="Example: offhook simulate rest --number +14155550199")
def simulate_rest(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")
    ] = 8773,
    phone_number: Annotated[
        list[str] | None,
        typer.Option("--number", help="A number of the account; repeat it for several."),
    ] = None,
) -> None:
    """Serve Twilio's REST API, as far as `offhook number` and `offhook doctor` use it."""
    from telephony.simulator.rest import RestAccount
    from telephony.simulator.rest_server import serve as run_simulator

    account = RestAccount(SIMULATED_ACCOUNT, SIMULATED_TOKEN)
    for one in phone_number or ["+14155550199"]:
        account.add(one)
    try:
        run(run_simulator(account, port=port))
    except OSError as error:
        raise UsageError(f"--port: expected a free port, got {port}: {error.strerror}") from error
