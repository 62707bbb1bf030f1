"""Prints a simulated call: one line for each event, in colour if the output is a terminal."""

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from telephony.errors import UsageError
from telephony.simulator.call_view import CallView, LegsView, texts_view
from telephony.simulator.caller import call
from telephony.simulator.carrier import Carrier
from telephony.simulator.exchange import Exchange
from telephony.simulator.fault_table import with_switches
from telephony.simulator.hearing import Sound
from telephony.simulator.identity import CALLED, CALLER
from telephony.simulator.interrupt import interruptible
from telephony.simulator.people import read_people
from telephony.simulator.report import CallEvent, Report
from telephony.simulator.rest import RestAccount
from telephony.simulator.rest_faults import read_rest_faults
from telephony.simulator.rest_server import SimulatedRest, serve
from telephony.simulator.script import load
from telephony.simulator.understanding import Understanding


async def call_and_print(
    *,
    urls: Sequence[str],
    public_url: str,
    script: str,
    heard: Path | None,
    seed: int,
    rest_port: int | None,
    auth_token: str,
    account_sid: str,
    as_json: bool,
    allow_warnings: bool = False,
    switches: Sequence[str] = (),
    caller: str = CALLER,
    people: Sequence[str] = (),
    rest_faults: Sequence[str] = (),
) -> Report:
    """Place one call and print it: line by line, or as one JSON report at its end.

    With `rest_port` this also serves Twilio's REST API, so that the server can redirect the call,
    and call the `people`, whose calls are printed too.

    Raises:
        UsageError: An address, the script or a switch cannot be used, or the port is in use.
        KeyboardInterrupt: Ctrl-C was pressed; the caller hung up, and the call was printed.
    """
    for url in (*urls, public_url):
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(f"expected an address such as http://127.0.0.1:8000, got {url!r}")
    console = Console(highlight=False)
    view = CallView(console)
    account = _account(account_sid, auth_token, (CALLED,), rest_faults)
    persons = read_people(people)
    does = load(script)
    faults = with_switches(does.faults, switches)
    understanding = Understanding(does, tell=None if as_json else view.understood)

    def show(event: CallEvent) -> None:
        understanding(event)
        if not as_json:
            view.show(event)

    async with AsyncExitStack() as held:
        interrupted = held.enter_context(interruptible(warn))
        if rest_port is not None:
            try:
                await held.enter_async_context(SimulatedRest(account, port=rest_port))
            except OSError as error:
                raise UsageError(
                    f"--rest-port: expected a free port, got {rest_port}: {error.strerror}"
                ) from error
        if persons:
            legs = None if as_json else LegsView(console)
            nobody = load("no-answer")
            await held.enter_async_context(
                Exchange(
                    account,
                    urls,
                    public_url,
                    nobody,
                    people=persons,
                    on_event=None if legs is None else legs.show,
                    on_report=None if legs is None else legs.conclude,
                )
            )
        if rest_port is not None:
            texts = None if as_json else texts_view(console)
            await held.enter_async_context(Carrier(account, urls, faults=faults, tell=texts))
        report = await call(
            urls,
            public_url,
            auth_token,
            account_sid,
            does,
            seed=seed,
            on_event=show,
            heard_path=heard,
            rest=account,
            allow_warnings=allow_warnings,
            faults=faults,
            caller=caller,
            interrupted=interrupted,
        )
        report = await judged(report, understanding)
        _conclude(console, view, report, heard, as_json=as_json)
    return report


async def answer_and_print(
    *,
    urls: Sequence[str],
    public_url: str,
    numbers: Sequence[str],
    script: str,
    port: int,
    seed: int,
    auth_token: str,
    account_sid: str,
    switches: Sequence[str] = (),
    people: Sequence[str] = (),
    rest_faults: Sequence[str] = (),
) -> None:
    """Answer the calls that are placed, and print them, until cancelled.

    Raises:
        UsageError: The script or a switch cannot be used, or the port is in use.
    """
    account = _account(account_sid, auth_token, numbers, rest_faults)
    persons = read_people(people)
    does = load(script)
    does = replace(does, faults=with_switches(does.faults, switches))
    console = Console(highlight=False)
    legs = LegsView(console)
    exchange = Exchange(
        account,
        urls,
        public_url,
        does,
        people=persons,
        seed=seed,
        on_event=legs.show,
        on_report=legs.conclude,
    )
    try:
        async with exchange, Carrier(account, urls, faults=does.faults, tell=texts_view(console)):
            await serve(account, port=port)
    except OSError as error:
        raise UsageError(f"--port: expected a free port, got {port}: {error.strerror}") from error


def _account(
    sid: str, auth_token: str, numbers: Sequence[str], rest_faults: Sequence[str]
) -> RestAccount:
    account = RestAccount(sid, auth_token)
    for number in numbers:
        account.add(number)
    account.faults_of += read_rest_faults(rest_faults)
    return account


async def judged(report: Report, understanding: Understanding) -> Report:
    """The report, with the agent's wrong answers added to its problems."""
    left = await understanding.conclude()
    return replace(report, problems=(*report.problems, *left))


def warn(sentence: str) -> None:
    """Print a warning for the user, on standard error."""
    sys.stderr.write(f"\n{sentence}\n")


def summary(report: Report) -> str:
    """A call in one line of figures."""
    responses = [turn.response_ms for turn in report.turns if turn.response_ms is not None]
    return (
        f"{report.duration_ms / 1000:.1f} s, {len(report.turns)} turns of the agent, "
        f"response {_span(responses)}, {len(report.clears)} clear(s), "
        f"{report.marks.returned}/{report.marks.sent} marks returned, "
        f"{sum(report.warnings.values())} warnings of Twilio{_sounds(report.sounds)}"
    )


def _sounds(sounds: Sequence[Sound]) -> str:
    """What was heard outside of streams, and for how long."""
    kinds = dict.fromkeys(sound.kind for sound in sounds)
    lengths = {kind: sum(each.length_ms for each in sounds if each.kind == kind) for kind in kinds}
    return "".join(f", {kind} {length_ms / 1000:.1f} s" for kind, length_ms in lengths.items())


def _span(times_ms: Sequence[int]) -> str:
    if not times_ms:
        return "-"
    middle = sorted(times_ms)[len(times_ms) // 2]
    return f"median {middle} ms, longest {max(times_ms)} ms"


def _conclude(
    console: Console, view: CallView, report: Report, heard: Path | None, *, as_json: bool
) -> None:
    if as_json:
        print(report.to_json())  # noqa: T201 - a command's output
        return
    for problem in report.problems:
        view.line(report.duration_ms, "problem", problem)
    console.print(summary(report), soft_wrap=True)
    if heard is not None:
        console.print(f"what the caller heard: {heard}", soft_wrap=True)
