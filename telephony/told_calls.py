"""What `offhook calls` tells of the calls that are kept: a list, one call, its words and sound."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.conversation.transcript import Line
from agent.store.base import CallRecord, StoreAway
from agent.store.index import Listed
from agent.store.redis import RedisStore
from telephony.errors import UsageError
from telephony.replay import keeping
from telephony.replay.sides import write_wav
from telephony.server import kept
from telephony.settings import Settings
from telephony.timeline.files import write_html
from telephony.twilio.signature import called_key, token_secret

CHARS_PER_S = 15
"""How fast people speak: how long a cue of subtitles is seen if nothing follows it."""

SHORTEST_CUE_MS = 1_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls to list.

    Args:
        from_ms: Those that were opened then or later: Unix time, in ms.
        until_ms: Those that were opened before; None for no such limit.
        persona: Those of this agent; "" for all.
        number: Those with this number; "" for all.
        most: How many at most, the newest.
    """

    from_ms: int = 0
    until_ms: int | None = None
    persona: str = ""
    number: str = ""
    most: int = 50


@dataclass(frozen=True, slots=True)
class Told:
    """One call that is kept.

    Args:
        call_sid: Twilio's CallSid.
        opened_ms: When it was opened: Unix time, in ms; None if that is not known any more.
        record: Its record, with its lines.
    """

    call_sid: str
    opened_ms: int | None
    record: CallRecord


async def newest(settings: Settings, wanted: Wanted) -> list[Listed]:
    """The calls that were opened last, the newest first.

    Raises:
        SettingsError: The store cannot be run.
        UsageError: The store does not answer.
    """

    async def ask(store: RedisStore) -> list[Listed]:
        among = None
        if wanted.number:
            party = called_key(token_secret(settings.auth_tokens[0]), wanted.number)
            among = await store.parties.calls_of(party, wanted.number)
        return await store.index.newest(
            from_ms=wanted.from_ms,
            until_ms=wanted.until_ms,
            persona=wanted.persona,
            among=among,
            most=wanted.most,
        )

    return await _asked(settings, ask)


async def one(settings: Settings, call_sid: str) -> Told:
    """One call.

    Raises:
        SettingsError: The store cannot be run.
        UsageError: The store does not answer, or has no such call.
    """

    async def ask(store: RedisStore) -> Told | None:
        record = await store.look_up(call_sid)
        opened_ms = await store.index.opened_ms(call_sid)
        return None if record is None else Told(call_sid, opened_ms, record)

    found = await _asked(settings, ask)
    if found is None:
        raise UsageError(
            f"expected the CallSid of a call that is kept, got {call_sid}; `offhook calls ls` "
            "lists them"
        )
    return found


async def _asked[T](settings: Settings, ask: Callable[[RedisStore], Awaitable[T]]) -> T:
    away: StoreAway | None = None
    try:
        async with kept.opened(settings) as store:
            try:
                return await ask(store)
            except StoreAway as lost:  # not raised inside: our own server's tasks would wrap it
                away = lost
    except StoreAway as lost:
        away = lost
    assert away is not None  # noqa: S101 - else it has returned
    raise UsageError(f"{kept.expected(settings)}, got {away.why}; start it, and run this again")


# As text.


def table(calls: list[Listed]) -> list[str]:
    """The list, for people."""
    lines = [f"{'opened (UTC)':<20}{'call':<36}{'agent':<16}{'state':<20}{'length':>8}{'USD':>10}"]
    for each in calls:
        record = each.record
        state = record.ended_reason or record.status
        length = f"{record.seconds // 60}:{record.seconds % 60:02}"
        usd = "" if record.usd is None else f"{record.usd:.4f}"
        lines.append(
            f"{_day(each.opened_ms):<20}{each.conversation_id:<36}{record.persona:<16}"
            f"{state:<20}{length:>8}{usd:>10}"
        )
    return lines if calls else ["no such call is kept"]


def page(told: Told) -> list[str]:
    """One call, for people."""
    record = told.record
    about = [
        ("call", told.call_sid),
        ("opened (UTC)", "" if told.opened_ms is None else _day(told.opened_ms)),
        ("agent", record.persona),
        ("direction", record.direction),
        ("caller", record.caller),
        ("state", record.status),
        ("ended", record.ended_reason),
        ("length", f"{record.seconds} s"),
        ("cost", "" if record.usd is None else f"${record.usd:.4f}"),
        ("notes", record.notes.replace("\n", "; ")),
    ]
    return [f"{name:<14}{value}" for name, value in about if value] + ["", *text(told)]


def text(told: Told) -> list[str]:
    """The transcript as it was heard, a line each."""
    return [f"{_clock(line.at_ms)}  {_who(line)}: {line.heard}" for line in told.record.lines]


def vtt(told: Told) -> list[str]:
    """The transcript as it was heard, as subtitles (WebVTT, W3C) for the sound of `wav`."""
    lines = [line for line in told.record.lines if line.heard]
    out = ["WEBVTT", ""]
    for line, later in zip(lines, [*lines[1:], None], strict=True):
        until_ms = line.at_ms + max(SHORTEST_CUE_MS, 1_000 * len(line.heard) // CHARS_PER_S)
        if later is not None and line.at_ms < later.at_ms < until_ms:
            until_ms = later.at_ms
        said = line.heard.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        said = " ".join(said.split())
        times = f"{_cue(line.at_ms)} --> {_cue(until_ms)}"
        out += [str(line.n), times, f"<v {_who(line)}>{said}", ""]
    return out


# As JSON.


def listed(calls: list[Listed]) -> str:
    """The list as JSON: an array with an object for each call."""
    return _json([_about(each.conversation_id, each.opened_ms, each.record) for each in calls])


def whole(told: Told) -> str:
    """One call as JSON, with its lines."""
    record = told.record
    lines = [
        {name: getattr(line, name) for name in ("n", "role", "text", "heard", "at_ms")}
        for line in record.lines
    ]
    more = {"caller": record.caller, "notes": record.notes, "lines": lines}
    return _json(_about(told.call_sid, told.opened_ms, record) | more)


def _about(call_sid: str, opened_ms: int | None, record: CallRecord) -> dict[str, Any]:
    return {
        "call_sid": call_sid,
        "opened": None if opened_ms is None else f"{_day(opened_ms).replace(' ', 'T')}Z",
        "persona": record.persona,
        "direction": record.direction,
        "status": record.status,
        "ended_reason": record.ended_reason,
        "seconds": record.seconds,
        "usd": record.usd,
        "tokens": record.tokens,
        "measured": {str(epoch): dict(figures) for epoch, figures in record.measured.items()},
    }


# From the recording.


def write_page(settings: Settings, call_sid: str, file: Path) -> None:
    """Write the timeline of a call as an HTML file. Its recordings are in this machine's folder.

    Raises:
        RecordingError: They cannot be read.
        UsageError: There are none, or the file cannot be written.
    """
    write_html(recordings_of(settings, call_sid), file, partial=True)


def write_sound(settings: Settings, call_sid: str, file: Path) -> None:
    """Write the sound of a call as a WAV file. Raises as `write_page`."""
    write_wav(recordings_of(settings, call_sid), file, partial=True)


def recordings_of(settings: Settings, call_sid: str) -> list[Path]:
    """The recordings of a call.

    Raises:
        UsageError: There are none.
    """
    found = keeping.recordings_of(settings.recordings_dir, call_sid)
    if not found:
        raise UsageError(
            f"expected a recording of {call_sid} in {settings.recordings_dir}, got none; calls are "
            "recorded with RECORD_DIR, or with [recording] in the agent's file"
        )
    return found


def _who(line: Line) -> str:
    return "Caller" if line.role == "caller" else "Agent"


def _day(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _clock(ms: int) -> str:
    return f"{ms // 60_000}:{ms % 60_000 / 1000:04.1f}"


def _cue(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
