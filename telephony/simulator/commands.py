"""The commands `offhook simulate …`. Each only parses its arguments and calls a module."""

from pathlib import Path
from typing import Annotated

import typer

from telephony.errors import UsageError
from telephony.process import one_blas_thread, run

simulate = typer.Typer(
    no_args_is_help=True, help="Run a simulated Gemini or Twilio without an account."
)

SIMULATED_TOKEN = "simulated-auth-token"  # noqa: S105 - of simulated accounts only
SIMULATED_ACCOUNT = "AC" + "0" * 31 + "1"

FAULT_HELP = (
    "A switch of the simulated Twilio, such as after_loss=ends or line.background=murmur; repeat "
    "it for several. A wrong name lists all switches."
)
BEHAVIOUR_HELP = (
    "A switch of the simulated Gemini, such as think_ms=300,6000 or markup=true; repeat it for "
    "several. A wrong name lists all switches."
)

PERSON_HELP = (
    "A number and the script of the person who answers it, such as +14155550100=accepts; repeat "
    "it for several. Ours: accepts, declines, busy, no-answer, says-nothing, screens, voicemail, "
    "and hangs-up-in-the-briefing."
)
REST_FAULT_HELP = (
    "A request to the REST API that fails, such as update=429*2 or place=lost; repeat it for "
    "several. A wrong one lists all."
)


@simulate.command("gemini", epilog="Example: offhook simulate gemini --script small-talk")
def simulate_gemini(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")
    ] = 8772,
    cert_dir: Annotated[
        Path, typer.Option(help="The folder for the certificate that SSL_CERT_FILE must name.")
    ] = Path("out/gemini"),
    script: Annotated[
        str, typer.Option(help="The script for the model: a name, or a TOML file.")
    ] = "booking",
    seed: Annotated[int, typer.Option(help="The seed for its random choices.")] = 1,
    behaviour: Annotated[list[str] | None, typer.Option(help=BEHAVIOUR_HELP)] = None,
) -> None:
    """Run a simulated Gemini Live server, which speaks TLS as the real one does.

    It prints the settings with which `offhook serve` reaches it.
    """
    one_blas_thread()
    from agent.simulator.behaviour import Behaviour
    from agent.simulator.script import ScriptError
    from agent.simulator.server import serve as run_simulator
    from agent.simulator.switches import SwitchError, with_behaviour

    try:
        behaves = with_behaviour(Behaviour(), behaviour or ())
        run(
            run_simulator(port=port, cert_dir=cert_dir, script=script, seed=seed, behaviour=behaves)
        )
    except (ScriptError, SwitchError, OSError) as error:  # the port is taken, or cert_dir not ours
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
        str, typer.Option(help="The script for the caller: a name, or a TOML file.")
    ] = "booking",
    heard: Annotated[
        Path | None, typer.Option(help="The WAV file to write of what the caller heard.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed for its random choices.")] = 1,
    rest_port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65_535,
            help="The port for a simulated Twilio REST API, which can redirect or end the call.",
        ),
    ] = None,
    auth_token: Annotated[
        str, typer.Option(envvar="TWILIO_AUTH_TOKEN", help="The token that signs the webhooks.")
    ] = SIMULATED_TOKEN,
    account_sid: Annotated[
        str, typer.Option(envvar="TWILIO_ACCOUNT_SID", help="The account that has the call.")
    ] = SIMULATED_ACCOUNT,
    caller: Annotated[
        str,
        typer.Option(
            help="The caller: a number, client:…, sip:…, or a word such as anonymous if the "
            "number is withheld."
        ),
    ] = "+14155550123",
    fault: Annotated[list[str] | None, typer.Option(help=FAULT_HELP)] = None,
    person: Annotated[list[str] | None, typer.Option(help=PERSON_HELP)] = None,
    rest_fault: Annotated[list[str] | None, typer.Option(help=REST_FAULT_HELP)] = None,
    allow_warnings: Annotated[
        bool,
        typer.Option("--allow-warnings", help="Count Twilio's warnings, but do not fail on them."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Call a server as Twilio and a caller would.

    Exit code 1 means that something went wrong with the call, or that it did
    not follow the caller's script. Ctrl-C makes the caller hang up.
    """
    if (person or rest_fault) and rest_port is None:
        raise UsageError("--person and --rest-fault: expected --rest-port too, got none")
    one_blas_thread()
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
            people=person or (),
            rest_faults=rest_fault or (),
        )
    )
    if report.problems:
        raise typer.Exit(1)


@simulate.command(
    "phone",
    epilog="Example: offhook simulate phone --url http://127.0.0.1:8000 "
    "--public-url https://voice.example.com --number +14155550199",
)
def simulate_phone(
    url: Annotated[
        list[str], typer.Option(help="The base URL of a worker; repeat it for several workers.")
    ],
    public_url: Annotated[
        str, typer.Option(help="The server's PUBLIC_URL, which is what Twilio signs.")
    ],
    phone_number: Annotated[
        list[str], typer.Option("--number", help="A number of the account, which calls are from.")
    ],
    script: Annotated[
        str, typer.Option(help="The script for the person who is called: a name, or a TOML file.")
    ] = "booking",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")
    ] = 8773,
    seed: Annotated[int, typer.Option(help="The seed for its random choices.")] = 1,
    auth_token: Annotated[
        str, typer.Option(envvar="TWILIO_AUTH_TOKEN", help="The token that signs the webhooks.")
    ] = SIMULATED_TOKEN,
    account_sid: Annotated[
        str, typer.Option(envvar="TWILIO_ACCOUNT_SID", help="The account that places the calls.")
    ] = SIMULATED_ACCOUNT,
    fault: Annotated[list[str] | None, typer.Option(help=FAULT_HELP)] = None,
    person: Annotated[list[str] | None, typer.Option(help=PERSON_HELP)] = None,
    rest_fault: Annotated[list[str] | None, typer.Option(help=REST_FAULT_HELP)] = None,
) -> None:
    """Run a simulated Twilio that places calls, and people who answer them.

    It prints the settings with which `offhook serve` reaches it, and then each
    call that is placed. A person who is busy: --fault pickup=busy, or for one
    number only: --person +14155550101=busy.
    """
    one_blas_thread()
    from telephony.simulator.terminal import answer_and_print

    run(
        answer_and_print(
            urls=url,
            public_url=public_url,
            numbers=phone_number,
            script=script,
            port=port,
            seed=seed,
            auth_token=auth_token.split(",")[0].strip(),
            account_sid=account_sid,
            switches=fault or (),
            people=person or (),
            rest_faults=rest_fault or (),
        )
    )


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
    """Run the part of Twilio's REST API that `offhook number` and `offhook doctor` use."""
    from telephony.simulator.rest import RestAccount
    from telephony.simulator.rest_server import serve as run_simulator

    account = RestAccount(SIMULATED_ACCOUNT, SIMULATED_TOKEN)
    for one in phone_number or ["+14155550199"]:
        account.add(one)
    try:
        run(run_simulator(account, port=port))
    except OSError as error:
        raise UsageError(f"--port: expected a free port, got {port}: {error.strerror}") from error
