"""A world in a file, `world.toml`: all that a call of `world.World` is made of.

    seed = 7
    goodbye = "Goodbye."       # the agent's words when a limit ends the call
    fallback = true            # there is a second model, like the first, that no fault touches
    detection = "ours"         # the model does not detect speech itself: `TurnTaking`
    think_ms = 4000            # how long the model is known to think (`agent.gemini.quirks`)
    placed = true              # the agent has placed this call, and [caller] has answered it

    [persona]                  # of the agent: fields of `WorldPersona`
    on_keys = "tell"

    [caller]                   # as in `telephony.simulator.script`
    [[caller.steps]]
    wait = "agent"
    say = "q1"
    [[caller.steps]]
    hang_up = true

    [model]                    # as in `agent.simulator.script`
    [[model.turns]]
    expect = "q1"
    say = "a1"

    [behaviour]                # of the model: fields of `Behaviour`
    like = "exact"             # where they begin: measured (the default), exact, or brisk
    chunk_ms = 40

    [line]                     # fields of `LineFaults`
    late_echo_ms = 300

    [network]                  # fields of `Network`
    gemini_ms = [80, 120]

    [barge_in]                 # of the agent: who decides that the caller talks over it
    manner = "quick"           # server (the default), quick or patient

    [tried]                    # whom a caller wanted by a key of the menu: fields of `WorldTried`
    to = "sales"

    builtin = ["collect_digits"]  # tools of offhook's own that the agent has

    [[tools]]                  # of the agent, which can also end the call: fields of `WorldTool`
    name = "look_up"
    data = '{"status": "shipped"}'
    takes_ms = 800

    [[transfers]]              # whom it may put callers through to: fields of `WorldTransfer`
    name = "sales"
    outcome = "busy"

    [[sms]]                    # text messages that it may send, 3 at most: fields of `WorldSms`
    name = "walk"
    text = "From the station: {way}."
    fields = ["way"]

    [[faults]]                 # `world_faults.FAULTS` has the kinds, whose fields stand beside them
    at_ms = 4000               # from the call's beginning
    kind = "lose-stream"

Only `caller` must be there. The model answers the small talk where no script of it is given.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import msgspec

from agent.conversation.built_in_tools import BUILT_IN_TOOLS
from agent.conversation.turn_taking import Detection
from agent.simulator import script as model_script
from agent.simulator.behaviour import BRISK, EXACT, Behaviour
from telephony.errors import UsageError
from telephony.simulator import script as caller_script
from telephony.simulator.faults import LineFaults
from telephony.simulator.network import GOOD, Network
from telephony.simulator.world import GOOD_LINE
from telephony.simulator.world_agent import (
    WorldBargeIn,
    WorldPersona,
    WorldSms,
    WorldTool,
    WorldTransfer,
    WorldTried,
)
from telephony.simulator.world_faults import EVENTS, FAULTS, DropNext
from telephony.simulator.world_spec import MEASURED, SMALL_TALK, TimedFault, WorldSpec

KEYS = (
    *("seed", "goodbye", "fallback", "detection", "think_ms", "placed", "persona"),
    *("caller", "model", "behaviour", "line", "network", "barge_in", "tried"),
    *("tools", "builtin", "transfers", "sms", "faults"),
)

BEHAVIOURS = {"measured": MEASURED, "exact": EXACT, "brisk": BRISK}


class WorldFileError(UsageError):
    """A world cannot be read. The message says where, what was expected, and what was found."""


def load(path: Path) -> WorldSpec:
    """Read a world from a file.

    Raises:
        WorldFileError: The file cannot be read, or is not a world.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorldFileError(f"{path}: expected a world's TOML file, got: {error}") from error
    return parse(text, path.name, path.parent)


def parse(text: str, source: str = "world.toml", folder: Path = caller_script.SCRIPTS) -> WorldSpec:
    """Read a world from a text.

    Args:
        text: TOML.
        source: Names it in errors.
        folder: Where the caller's WAV files are.

    Raises:
        WorldFileError: It cannot be used.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WorldFileError(f"{source}: expected TOML, got: {error}") from error
    _only(source, table, KEYS)
    if "caller" not in table:
        raise WorldFileError(f"{source}: expected [caller] with [[caller.steps]], got none")
    model = SMALL_TALK
    try:
        does = _table(f"{source}: caller", table["caller"])
        if "faults" in does:
            raise WorldFileError(f"{source}: caller.faults: a world has [line] and [[faults]]")
        caller = caller_script.read(does, folder)
        if "model" in table:
            where = f"{source}: model"
            model = model_script.read(_table(where, table["model"]), where)
    except (caller_script.ScriptError, model_script.ScriptError) as error:
        raise WorldFileError(f"{source}: {error}") from error
    return WorldSpec(
        caller=caller,
        model=model,
        behaviour=_behaviour(f"{source}: behaviour", table.get("behaviour", {})),
        line=_changed(f"{source}: line", GOOD_LINE, table.get("line", {})),
        network=_changed(f"{source}: network", GOOD, table.get("network", {})),
        barge_in=_barge_in(f"{source}: barge_in", table.get("barge_in", {})),
        agent=_made(f"{source}: persona", WorldPersona, _table(source, table.get("persona", {}))),
        tried=_made(f"{source}: tried", WorldTried, _table(source, table.get("tried", {}))),
        tools=_all(f"{source}: tools", WorldTool, table.get("tools", [])),
        builtin=_builtin(f"{source}: builtin", table.get("builtin", [])),
        transfers=_all(f"{source}: transfers", WorldTransfer, table.get("transfers", [])),
        sms=_all(f"{source}: sms", WorldSms, table.get("sms", [])),
        faults=_faults(f"{source}: faults", table.get("faults", [])),
        seed=_read(f"{source}: seed", table.get("seed", 0), int),
        fallback=_read(f"{source}: fallback", table.get("fallback", False), bool),
        think_ms=_read(f"{source}: think_ms", table.get("think_ms", 0), int),
        placed=_read(f"{source}: placed", table.get("placed", False), bool),
        goodbye=_read(f"{source}: goodbye", table.get("goodbye", ""), str),
        detection=msgspec.convert(table.get("detection", "server"), Detection),
    )


def _behaviour(where: str, value: object) -> Behaviour:
    table = dict(_table(where, value))
    like = table.pop("like", "measured")
    if not isinstance(like, str) or like not in BEHAVIOURS:
        raise WorldFileError(f"{where}.like: expected one of {', '.join(BEHAVIOURS)}, got {like!r}")
    return _changed(where, BEHAVIOURS[like], table)


def _changed[T: Behaviour | LineFaults | Network](where: str, base: T, value: object) -> T:
    """`base` with the fields of a table."""
    table = _table(where, value)
    read = _made(where, type(base), table)
    return replace(base, **{name: getattr(read, name) for name in table})


def _barge_in(where: str, value: object) -> WorldBargeIn:
    return _made(where, WorldBargeIn, _table(where, value))


def _builtin(where: str, value: object) -> tuple[str, ...]:
    names = _read(where, value, tuple[str, ...])
    if unknown := set(names) - BUILT_IN_TOOLS.keys():
        known = ", ".join(BUILT_IN_TOOLS)
        raise WorldFileError(f"{where}: expected some of {known}, got {sorted(unknown)}")
    return names


def _all[T](where: str, kind: type[T], value: object) -> tuple[T, ...]:
    """The dataclasses of an array of tables."""
    if not isinstance(value, list):
        raise WorldFileError(f"{where}: expected an array of tables, got {value!r}")
    tables = [(f"{where}[{n}]", each) for n, each in enumerate(value, start=1)]
    return tuple(_made(here, kind, _table(here, each)) for here, each in tables)


def _faults(where: str, value: object) -> tuple[TimedFault, ...]:
    if not isinstance(value, list):
        raise WorldFileError(f"{where}: expected [[faults]], got {value!r}")
    return tuple(_fault(f"{where}[{n}]", each) for n, each in enumerate(value, start=1))


def _fault(where: str, value: object) -> TimedFault:
    table = dict(_table(where, value))
    kind = table.pop("kind", None)
    if not isinstance(kind, str) or kind not in FAULTS:
        raise WorldFileError(f"{where}.kind: expected one of {', '.join(FAULTS)}, got {kind!r}")
    at_ms = _read(f"{where}.at_ms", table.pop("at_ms", None), int)
    if at_ms < 0:
        raise WorldFileError(f"{where}.at_ms: expected 0 or more, got {at_ms}")
    if FAULTS[kind] is not DropNext:
        return TimedFault(at_ms, _made(where, FAULTS[kind], table))
    _only(where, table, ("event",))
    event = table.get("event")
    if not isinstance(event, str) or event not in EVENTS:
        raise WorldFileError(f"{where}.event: expected one of {', '.join(EVENTS)}, got {event!r}")
    return TimedFault(at_ms, DropNext(EVENTS[event]))


def _made[T](where: str, kind: type[T], table: Mapping[str, Any]) -> T:
    """A dataclass from the table of its fields."""
    _only(where, table, [field.name for field in fields(kind)])  # type: ignore[arg-type]  # all are dataclasses
    return _read(where, table, kind)


def _read[T](where: str, value: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise WorldFileError(f"{where}: {error}, got {value!r}") from error


def _table(where: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise WorldFileError(f"{where}: expected a table, got {value!r}")
    return value


def _only(where: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in table:
        if name not in known:
            raise WorldFileError(f"{where}: expected one of {', '.join(known)}, got {name!r}")
