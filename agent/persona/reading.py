"""Reads persona files into agents. All mistakes of all files are found at once."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from agent.conversation.built_in_tools import TAKE_MESSAGE
from agent.conversation.meter import NANO, Caps
from agent.conversation.persona import Persona, greeting_cue
from agent.conversation.turn_taking import TurnTaking
from agent.persona import outbound
from agent.persona.agents import Agent, Agents, Closed, Destination, Says
from agent.persona.built_in import targets_of, to_agents
from agent.persona.hours import DAYS, Hours, parse
from agent.persona.menu import Menu, menu_of, to_nobody
from agent.persona.mistakes import Mistake, PersonaError, dotted, of_syntax, of_values
from agent.persona.outbound import Outbound
from agent.persona.outbound_schema import OutboundTable
from agent.persona.places import Key, line_of, places
from agent.persona.schema import HoursTable, PersonaFile, SaysTable
from agent.persona.sms_schema import routes_of, templates_of
from agent.persona.tooling import Secret, ToolMistakes, Tools, tools_of
from agent.privacy.masking import Mask
from agent.privacy.numbers import region_of
from agent.summary.schema import SummaryField

GREETS = (
    "[A caller has just been connected and is listening. Greet them in one short sentence, say "
    "your name, and ask how you can help.]"
)
"""The cue of a persona without a greeting of its own."""


def files_of(path: Path) -> list[Path]:
    """The persona files at a path: the file itself, or every ``*.toml`` in the folder.

    Raises:
        PersonaError: There is no such file, or none in the folder.
    """
    if path.is_dir():
        if found := sorted(path.glob("*.toml")):
            return found
        raise PersonaError([Mistake(str(path), 1, "file", _NO_FILES)])
    if not path.exists():
        what = "expected a persona file or a folder of them, found nothing there"
        raise PersonaError([Mistake(str(path), 1, "file", f"{what}; {_MAKE_ONE}")])
    return [path]


_MAKE_ONE = "`offhook persona new FILE` writes an example"
_NO_FILES = f"expected *.toml files in this folder, found none; {_MAKE_ONE}"


def read(paths: Sequence[Path], secret: Secret = lambda _: None) -> Agents:
    """Read all files.

    Args:
        paths: The files.
        secret: The value of a variable of the environment, or None if it is not set.

    Raises:
        PersonaError: With the mistakes of every file.
    """
    mistakes: list[Mistake] = []
    found: list[tuple[Path, dict[Key, int], Agent]] = []
    for path in paths:
        try:
            found.append((path, *_read_one(path, secret)))
        except PersonaError as error:
            mistakes += error.mistakes
    mistakes += _disagreements(found)
    if mistakes:
        raise PersonaError(mistakes)
    return Agents([agent for _, _, agent in found])


def _read_one(path: Path, secret: Secret) -> tuple[dict[Key, int], Agent]:
    file = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        what = f"expected UTF-8, got the byte 0x{error.object[error.start]:02x}; save it as UTF-8"
        raise PersonaError([Mistake(file, line, "encoding", what)]) from None
    except OSError as error:
        what = f"expected a file that can be read: {error.strerror}"
        raise PersonaError([Mistake(file, 1, "file", what)]) from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PersonaError([of_syntax(file, text, error)]) from None
    lines = places(text)
    try:
        given = PersonaFile.model_validate(values)
    except ValidationError as error:
        raise PersonaError(of_values(file, PersonaFile, error, lines)) from None
    try:
        return lines, _agent(given, tools_of(given, path.parent, secret), path.parent)
    except ToolMistakes as error:
        raise PersonaError(
            Mistake(file, line_of(key, lines), dotted(key), what) for key, what in error.found
        ) from None


def _agent(given: PersonaFile, tools: Tools, folder: Path) -> Agent:
    persona = Persona(
        name=given.name,
        instructions=given.instructions,
        voice=given.voice,
        greeting_cue=GREETS if given.greeting is None else greeting_cue(given.greeting),
        language=given.language,
        turns=TurnTaking(
            given.turns.silence_ms,
            given.turns.prefix_ms,
            given.turns.start_sensitivity,
            given.turns.end_sensitivity,
            given.turns.detection,
        ),
        timezone="UTC" if given.hours is None else given.hours.timezone,
        minutes=given.limits.minutes,
        usd=given.limits.usd,
        silence_s=given.limits.silence_s,
        goodbye=given.says.goodbye,
        still_there=given.says.still_there,
        tools=tools.declared,
        on_keys=given.on_keys,
        barge_in=given.barge_in.manner,
        transfers=targets_of(given),
        sms=templates_of(given.sms),
        message_consent=given.says.message_consent if TAKE_MESSAGE in given.builtin else "",
        recording_days=given.recording.keep_days if given.recording.on else 0,
    )
    return Agent(
        persona,
        numbers=given.numbers,
        default=bool(given.default),
        hours=None if given.hours is None else _hours(given.hours),
        closed=_closed(given.hours),
        blocked=given.blocked,
        says=_says(given.says),
        toolbox=tools.toolbox,
        mcp_tools=tools.of_mcp,
        summary=tuple(
            SummaryField(name, field.type, field.description, field.enum)
            for name, field in given.summary.items()
        ),
        caps=Caps(
            caller=round((given.limits.usd_per_caller_day or 0) * NANO),
            day=round((given.limits.usd_per_day or 0) * NANO),
        ),
        outbound=None if given.outbound is None else _outbound(given.outbound, folder),
        transfers={
            name: Destination(table.to, table.warm, table.notice_machines)
            for name, table in given.transfers.items()
        },
        sms=routes_of(given.sms, given.numbers),
        notice=given.recording.notice if given.recording.on else "",
        menu=_menu(given),
        mask=_mask(given),
    )


def _mask(given: PersonaFile) -> Mask:
    kinds = frozenset(given.privacy.redact)
    if "phone" in kinds and TAKE_MESSAGE in given.builtin:
        what = (
            'expected no "phone" beside builtin = ["take_message"], got both; a message is of no '
            "use without the number to call back, so leave one of them out"
        )
        raise ToolMistakes([(("privacy", "redact"), what)])
    return Mask(kinds, region_of(given.numbers))


def _menu(given: PersonaFile) -> Menu | None:
    if nobody := list(to_nobody(given.menu, given.transfers)):
        raise ToolMistakes(nobody)
    return menu_of(given.menu)


def _says(given: SaysTable) -> Says:
    return Says(
        given.apology,
        given.transfer,
        given.no_answer,
        given.spent,
        given.briefing,
        given.keys,
        given.caller_left,
    )


def _hours(given: HoursTable) -> Hours:
    days = {day: text for day in DAYS if (text := getattr(given, day)) is not None}
    return Hours(
        given.timezone,
        {day: parse(text, past_midnight=True) for day, text in days.items()},
        given.closed,
        frozenset(given.holidays),
    )


def _closed(given: HoursTable | None) -> Closed | None:
    if given is None or given.closed_instructions is None:
        return None
    words = given.closed_greeting
    return Closed(given.closed_instructions, GREETS if words is None else greeting_cue(words))


def _outbound(given: OutboundTable, folder: Path) -> Outbound:
    file, words = given.do_not_call, given.greeting
    return Outbound(
        ours=given.from_,
        regions=frozenset(given.regions),
        hours=parse(given.hours),
        per_number_day=given.per_number_day,
        ring_s=given.ring_s,
        on_machine=given.on_machine,
        voicemail=given.voicemail or "",
        do_not_call=None if file is None else folder / Path(file).expanduser(),
        greeting_cue=outbound.GREETS if words is None else outbound.greeting_cue(words),
    )


def _disagreements(found: Sequence[tuple[Path, dict[Key, int], Agent]]) -> list[Mistake]:
    """What is wrong with files that are right by themselves."""
    mistakes: list[Mistake] = []
    names: dict[str, Path] = {}
    numbers: dict[str, Path] = {}
    defaults: list[tuple[Path, int]] = []
    for path, lines, agent in found:
        name = agent.persona.name
        if (other := names.setdefault(name.casefold(), path)) is not path:
            what = f"expected a name of its own, got {name!r}, which {other} has; change one"
            mistakes.append(Mistake(str(path), line_of(("name",), lines), "name", what))
        for n, number in enumerate(agent.numbers):
            if (other := numbers.setdefault(number, path)) is not path:
                what = f"expected a number of its own, got {number}, which {other} has; remove one"
                line = line_of(("numbers", n), lines)
                mistakes.append(Mistake(str(path), line, f"numbers[{n}]", what))
        if agent.default:
            defaults.append((path, line_of(("default",), lines)))
    for path, lines, agent in found:
        for key, what in to_agents(agent.transfers, numbers):
            mistakes.append(Mistake(str(path), line_of(key, lines), dotted(key), what))
    for path, line in defaults[1:]:
        what = f"expected one default, got a second; {defaults[0][0]} is it already; remove one"
        mistakes.append(Mistake(str(path), line, "default", what))
    if len(found) > 1 and not defaults:
        what = "expected default = true in one of the files, got none; add it to one of them"
        mistakes.append(Mistake(str(found[0][0]), 1, "default", what))
    return mistakes
