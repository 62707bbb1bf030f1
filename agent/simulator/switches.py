"""Reads switches, such as those of `behaviour.Behaviour`, from the command line. Pure.

think_ms=600,900          transcription=letters          go_away_time=false
"""

import tomllib
from collections.abc import Sequence
from dataclasses import is_dataclass, replace
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from agent.simulator.behaviour import Behaviour


class SwitchError(ValueError):
    """A switch is wrong. The message says where, what was expected, and what was given."""


def with_behaviour(
    behaviour: Behaviour, switches: Sequence[str], option: str = "--behaviour"
) -> Behaviour:
    """Change the switches that are named.

    Args:
        behaviour: The switches so far.
        switches: Each as ``name=value``.
        option: Names them in errors.

    Raises:
        SwitchError: A switch or value does not exist.
    """
    for switch in switches:
        name, is_set, text = switch.partition("=")
        if not is_set:
            expected = "name=value, such as chunk_ms=40"
            raise SwitchError(f"{option}: expected {expected}, got {switch!r}")
        hints = get_type_hints(Behaviour)
        known = [field for field, kind in hints.items() if not _is_table(kind)]
        if name not in known:
            raise SwitchError(f"{option}: expected one of {', '.join(known)}, got {name!r}")
        several = any(get_origin(one) in {tuple, frozenset} for one in _kinds(hints[name]))
        value = checked(f"{option} {name}", Behaviour, name, read(text, several=several))
        behaviour = replace(behaviour, **{name: value})
    return behaviour


def _kinds(wanted: object) -> tuple[object, ...]:
    """A type, and what it is made of, such as both sides of `int | None`."""
    return wanted, *get_args(wanted)


def _is_table(wanted: object) -> bool:
    """Whether it is one that a single value cannot express."""
    return any(is_dataclass(one) for one in _kinds(wanted))


def checked(where: str, kind: type, field: str, value: object) -> Any:
    """The value of a dataclass's field, as its type wants it.

    Raises:
        SwitchError: It is of another type, or outside what such a field can hold.
    """
    wanted = get_type_hints(kind)[field]
    words = get_args(getattr(wanted, "__value__", wanted))
    if isinstance(value, str) and words and all(isinstance(word, str) for word in words):
        if value not in words:
            raise SwitchError(f"{where}: expected one of {', '.join(words)}, got {value!r}")
        return value
    try:
        found = msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        raise SwitchError(f"{where}: {error}, got {value!r}") from error
    numbers = found if isinstance(found, tuple) else (found,)
    if not field.endswith("_dbfs") and any(
        isinstance(one, int | float) and one < 0 for one in numbers
    ):
        raise SwitchError(f"{where}: expected 0 or more, got {value!r}")
    if field.endswith("_rate") and found > 1:
        raise SwitchError(f"{where}: expected a chance of 0 to 1, got {value!r}")
    if field.endswith("_ms") and isinstance(found, tuple) and found[0] > found[1]:
        raise SwitchError(f"{where}: expected the least first, then the most, got {value!r}")
    return found


def read(text: str, *, several: bool) -> object:
    """Read a value: a number, true or false, several of these, or a word."""
    if several and not text.startswith("["):
        return [_scalar(one) for one in text.split(",") if one]
    return _scalar(text)


def _scalar(text: str) -> object:
    if text.startswith("+"):  # a telephone number
        return text
    if text == "none":
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
