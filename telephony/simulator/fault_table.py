"""Reads the switches of `faults` from a script's table or from the command line. Pure.

    [faults]                                --fault after_loss=ends
    after_loss = "ends"                     --fault connect_ms=0,10
    connect_ms = [0, 10]                    --fault line.stall_rate=0.05
    line = { stall_rate = 0.05 }

Every switch can be set: the fields of `CallFaults`, and those of `LineFaults` behind `line`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from agent.simulator.switches import SwitchError, checked, read
from telephony.errors import UsageError
from telephony.simulator.faults import CallFaults, LineFaults

_LINE = "line."


class FaultError(UsageError):
    """A switch is wrong. The message says where, what was expected, and what was given."""


def read_faults(where: str, table: object) -> CallFaults:
    """Read switches from a table. All others keep their defaults.

    Raises:
        FaultError: It is not a table, or a switch or value does not exist.
    """
    if not isinstance(table, Mapping):
        raise FaultError(f"{where}: expected a table of switches, got {table!r}")
    line = table.get("line", {})
    if not isinstance(line, Mapping):
        raise FaultError(f"{where}.line: expected a table of switches, got {line!r}")
    flat = {name: value for name, value in table.items() if name != "line"}
    flat |= {_LINE + name: value for name, value in line.items()}
    faults = CallFaults()
    for name, value in flat.items():
        faults = _set(f"{where}.{name}", faults, name, value)
    return faults


def with_switches(faults: CallFaults, switches: Sequence[str]) -> CallFaults:
    """Add the switches of the command line.

    Args:
        faults: The switches so far, such as a script's.
        switches: Each as ``name=value``.

    Raises:
        FaultError: A switch or value does not exist.
    """
    for switch in switches:
        name, is_set, text = switch.partition("=")
        if not is_set:
            raise FaultError(f"--fault: expected name=value, such as ping_ms=500, got {switch!r}")
        value = read(text, several=isinstance(_DEFAULTS.get(name), tuple))
        faults = _set(f"--fault {name}", faults, name, value)
    return faults


def switches() -> dict[str, object]:
    """All switches, with their defaults."""
    good = CallFaults()
    call = {field.name: getattr(good, field.name) for field in fields(good)}
    line = {_LINE + field.name: getattr(good.line, field.name) for field in fields(good.line)}
    del call["line"]
    return call | line


def _set(where: str, faults: CallFaults, name: str, value: object) -> CallFaults:
    if name not in switches():
        raise FaultError(f"{where}: expected one of {', '.join(switches())}, got {name!r}")
    if name.startswith(_LINE):
        field = name.removeprefix(_LINE)
        read = _read(where, LineFaults, field, value)
        return replace(faults, line=replace(faults.line, **{field: read}))
    return replace(faults, **{name: _read(where, CallFaults, name, value)})


def _read(where: str, kind: type, field: str, value: object) -> Any:
    try:
        return checked(where, kind, field, value)
    except SwitchError as error:
        raise FaultError(str(error)) from error


_DEFAULTS = switches()
