"""`offhook calls`: what is kept of calls, and its removal."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from telephony.errors import UsageError
from telephony.process import one_blas_thread, run
from telephony.twilio.numbers import is_number

calls = typer.Typer(
    no_args_is_help=True,
    help="List, show, export and remove what is kept of calls.",
    epilog="Example: offhook calls ls --since 24h",
)

_AGO = re.compile(r"(\d+)([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Format(StrEnum):
    """What a call is exported as."""

    JSON = "json"
    TXT = "txt"
    VTT = "vtt"
    WAV = "wav"


CallSid = Annotated[str, typer.Argument(metavar="CALL_SID", help="The CallSid.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@calls.command("ls", epilog="Example: offhook calls ls --since 24h --persona Ada --json")
def list_calls(
    since: Annotated[
        str, typer.Option(help="Only calls since then: 30m, 24h, 7d ago, or a time (ISO, UTC).")
    ] = "",
    until: Annotated[str, typer.Option(help="Only calls before that, written likewise.")] = "",
    persona: Annotated[str, typer.Option(help="Only calls of the agent with this name.")] = "",
    number: Annotated[
        str, typer.Option(help="Only calls with this number, such as +14155550123.")
    ] = "",
    most: Annotated[int, typer.Option("--limit", min=1, help="How many calls, the newest.")] = 50,
    skip: Annotated[
        int, typer.Option(min=0, help="How many of the newest to leave out: the pages before.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """List the calls that are kept, of all workers, the newest first.

    The settings are those of the server, which need not run.
    """
    if number and not is_number(number):
        raise UsageError(f"--number: expected a number such as +14155550123, got {number!r}")
    from telephony import told_calls
    from telephony.settings import load

    now = datetime.now(UTC)  # noqa: TID251 - "24h ago" is counted from when this is asked
    wanted = told_calls.Wanted(
        from_ms=time_of("--since", since, now) or 0,
        until_ms=time_of("--until", until, now),
        persona=persona,
        number=number,
        most=skip + most,
    )
    found = run(told_calls.newest(load(), wanted))[skip:]
    typer.echo(told_calls.listed(found) if as_json else "\n".join(told_calls.table(found)))


@calls.command(
    epilog="Example: offhook calls show CA0123456789abcdef0123456789abcdef --html a.html"
)
def show(
    call_sid: CallSid,
    as_json: AsJson = False,
    html: Annotated[
        Path | None,
        typer.Option(help="The HTML file for its timeline, if this machine recorded the call."),
    ] = None,
) -> None:
    """Show one call: what is kept of it, and its transcript as it was heard."""
    _check(call_sid)
    one_blas_thread()
    from telephony import told_calls
    from telephony.settings import load

    settings = load()
    if html is not None:
        told_calls.write_page(settings, call_sid, html)
        typer.echo(f"wrote {html}")
        return
    told = run(told_calls.one(settings, call_sid))
    typer.echo(told_calls.whole(told) if as_json else "\n".join(told_calls.page(told)))


@calls.command(epilog="Example: offhook calls export CA0123… --format vtt --out call.vtt")
def export(
    call_sid: CallSid,
    what: Annotated[
        Format,
        typer.Option(
            "--format",
            help="As what: vtt are subtitles, and wav is for calls that were recorded here.",
        ),
    ] = Format.JSON,
    out: Annotated[
        Path | None, typer.Option(help="The file; without it, the text is printed.")
    ] = None,
) -> None:
    """Export one call: its record, its transcript as it was heard, or its sound.

    A WAV file has the caller on the left, and on the right what the caller
    heard of the agent.
    """
    _check(call_sid)
    if what is Format.WAV and out is None:
        raise UsageError("--out: expected a file for the sound, got none; name one")
    one_blas_thread()
    from telephony import told_calls
    from telephony.settings import load

    settings = load()
    if what is Format.WAV and out is not None:
        told_calls.write_sound(settings, call_sid, out)
        return
    told = run(told_calls.one(settings, call_sid))
    match what:
        case Format.TXT:
            written = "\n".join(told_calls.text(told))
        case Format.VTT:
            written = "\n".join(told_calls.vtt(told))
        case _:
            written = told_calls.whole(told)
    if out is None:
        typer.echo(written)
        return
    try:
        out.write_text(written + "\n", encoding="utf-8")
    except OSError as error:
        problem = f"expected a file that can be written, got {str(out)!r}: {error.strerror}"
        raise UsageError(f"--out: {problem}; name another") from None


def _check(call_sid: str) -> None:
    if not call_sid.isalnum():
        raise UsageError(f"expected a CallSid such as CA0123…, got {call_sid!r}")


def time_of(option: str, text: str, now: datetime) -> int | None:
    """A time as an option has it: Unix time, in ms; None for none.

    Raises:
        UsageError: It is neither so long ago nor a time.
    """
    if not text:
        return None
    try:
        if (ago := _AGO.fullmatch(text)) is not None:
            at = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        else:
            at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option}: expected 30m, 24h, 7d or a time such as 2026-11-30T09:00, got {text!r}"
        ) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


@calls.command(epilog="Example: offhook calls purge --caller +14155550123 --dry-run")
def purge(
    call: Annotated[str, typer.Option(help="The CallSid of the call to remove.")] = "",
    caller: Annotated[
        str, typer.Option(help="The number, such as +14155550123, whose calls to remove.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what would be removed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove everything that is kept of a call, or of a caller.

    That is every key in Redis, and every recording in this machine's folder.
    The settings are those of the server. A call that still runs goes on, and
    writes again: purge it once more when it is over.
    """
    if bool(call) == bool(caller):
        got = "both" if call else "neither"
        raise UsageError(f"expected --call or --caller, got {got}; give one of them")
    if caller and not is_number(caller):
        raise UsageError(f"--caller: expected a number such as +14155550123, got {caller!r}")
    if call and not call.isalnum():
        raise UsageError(f"--call: expected a CallSid such as CA0123…, got {call!r}")
    from telephony.purging import purge as remove
    from telephony.settings import load

    purged = run(remove(load(), call, caller, dry_run=dry_run))
    typer.echo(purged.json() if as_json else "\n".join(purged.lines()))
