"""Converts one event or command to a JSON object and back. No other module knows the mapping.

The objects are derived from the dataclasses of `telephony.call`, so a new event or command is
recorded without any change here. An object has the name of its class first (`ev` or `cmd`), then
`t`, the call's time in ms, then its fields in their order. A field that equals its default is left
out; of a dataclass inside of it, only one that came later (see `agent.conversation.later`). Audio
is a text in place of its bytes. Reading is strict: no field may be missing, unknown or of another
type.
"""

import dataclasses
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Any, get_args, get_type_hints

import msgspec

from agent.conversation.later import LATER
from telephony.call.commands import Command, MeasureCommand
from telephony.call.events import Event

EVENTS: tuple[type[Event], ...] = get_args(Event)
COMMANDS: tuple[type[Command], ...] = tuple(
    command for command in get_args(Command) if command not in get_args(MeasureCommand)
)
"""Those that are recorded."""

type Field = tuple[str, Any] | tuple[str, Any, Any]
"""A field of an object: its name, its type, its default if it has one."""

type Object = Any
"""One line's object. Its class is made at run time, so no checker can know its fields."""


class Codec[T]:
    """The objects of one closed set of dataclasses.

    Args:
        classes: The set of dataclasses.
        tag: The field that names the class.
        head: The fields at the beginning of all objects.
        tail: The fields at the end of a class's objects, each with a default.
        others: Classes of other objects in the same lines, with the same tag field.
    """

    def __init__(
        self,
        classes: tuple[type[T], ...],
        tag: str,
        head: Sequence[Field],
        tail: Mapping[type, Sequence[Field]],
        *others: type[msgspec.Struct],
    ) -> None:
        self._classes = {cls.__name__: cls for cls in classes}
        self._types = {cls: _types(cls) for cls in classes}
        self._audio = {cls: _audio_of(cls) for cls in classes}
        self._nested = {
            cls: [name for name, kind in types.items() if _has_later(kind)]
            for cls, types in self._types.items()
        }
        self._objects = {
            cls: _object_for(cls, tag, (*head, *_fields(cls, bytes_as=str), *tail.get(cls, ())))
            for cls in classes
        }
        self.union: Any = _union((*self._objects.values(), *others))
        self._decode: Callable[[bytes], Object] = msgspec.json.Decoder(self.union).decode
        self._encode = msgspec.json.Encoder().encode

    def line(self, thing: T, audio: str, **more: Any) -> bytes:
        """One line with its end.

        Args:
            thing: The event or command.
            audio: The text in place of its audio, if it has any.
            more: The fields of `head`, and those of `tail` that differ from their defaults.
        """
        cls = type(thing)
        fields: dict[str, Any] = {name: getattr(thing, name) for name in self._types[cls]}
        for nested in self._nested[cls]:
            fields[nested] = _without_later(fields[nested])
        if (name := self._audio[cls]) is not None:
            fields[name] = audio
        line = self._objects[cls](**more, **fields)
        try:
            return self._encode(line) + b"\n"
        except UnicodeEncodeError:  # half a character, which UTF-8 cannot hold
            return self._encode(_whole(line)) + b"\n"

    def decode(self, line: bytes) -> Object:
        """Read one line.

        Raises:
            msgspec.DecodeError: The line is not JSON, or not one of the objects.
        """
        return self._decode(line)

    def class_of(self, read: Object) -> type[T] | None:
        """The class of a decoded object, or None for one of `others`."""
        return self._classes.get(type(read).__name__)

    def audio_of(self, read: Object) -> str:
        """The text in place of an object's audio; "" if it has none."""
        name = self._audio[self._classes[type(read).__name__]]
        return "" if name is None else str(getattr(read, name))

    def thing(self, read: Object, audio: bytes = b"", **other: Any) -> T:
        """The event or command of a decoded object, with its audio and other given fields."""
        cls = self._classes[type(read).__name__]
        types = self._types[cls]
        fields = {name: _plain(getattr(read, name), kind) for name, kind in types.items()}
        if (name := self._audio[cls]) is not None:
            fields[name] = audio
        return cls(**fields | other)


def _whole(value: Any) -> Any:
    """The same value, with U+FFFD for each half of a character."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {name: _whole(each) for name, each in value.items()}
        case list() | tuple():
            return [_whole(each) for each in value]
        case msgspec.Struct():
            fields = {name: _whole(getattr(value, name)) for name in value.__struct_fields__}
            return msgspec.structs.replace(value, **fields)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            return dataclasses.replace(value, **{name: _whole(fields[name]) for name in fields})
        case _:
            return value


def _has_later(kind: Any) -> bool:
    """Whether a type is, or may be, a dataclass with fields that came later."""
    if dataclasses.is_dataclass(kind):
        return any(field.metadata == LATER for field in dataclasses.fields(kind))
    return any(_has_later(part) for part in get_args(kind))


def _without_later(value: Any) -> Any:
    """A dataclass as an object, and those inside of it, without those fields that came later and
    have their defaults.
    """
    if isinstance(value, tuple):
        return [_without_later(each) for each in value]
    if not dataclasses.is_dataclass(value):
        return value
    return {
        field.name: _without_later(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if field.metadata != LATER or getattr(value, field.name) != field.default
    }


def _object_for(cls: type, tag: str, fields: Sequence[Field]) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        cls.__name__,
        fields,
        tag=cls.__name__,
        tag_field=tag,
        forbid_unknown_fields=True,
        omit_defaults=True,
    )


def _fields(cls: type, bytes_as: type) -> list[Field]:
    fields: list[Field] = []
    for field in dataclasses.fields(cls):
        hint = _types(cls)[field.name]
        kind = bytes_as if hint is bytes else _strict(hint)
        if field.default is dataclasses.MISSING:
            fields.append((field.name, kind))
        else:
            fields.append((field.name, kind, field.default))
    return fields


def _strict(kind: Any) -> Any:
    """A type like this one, whose dataclasses refuse unknown fields."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _strict_class(kind)
    if isinstance(kind, UnionType):
        return _union(tuple(_strict(part) for part in get_args(kind)))
    if parts := get_args(kind):
        return kind.__origin__[tuple(_strict(part) for part in parts)]
    return kind


@cache
def _strict_class(cls: Hashable) -> type[msgspec.Struct]:
    assert isinstance(cls, type)  # noqa: S101 - classes are hashable, but `cache` does not know that
    fields = _fields(cls, bytes_as=bytes)
    return msgspec.defstruct(cls.__name__, fields, forbid_unknown_fields=True, omit_defaults=True)


def _union(kinds: Sequence[Any]) -> Any:
    return reduce(or_, kinds)


def _plain(value: Any, kind: Any) -> Any:
    """The decoded value as the original dataclasses."""
    if isinstance(value, str | int | None):
        return value
    return msgspec.convert(value, kind, from_attributes=True)


def _types(cls: type) -> dict[str, Any]:
    """The fields of a dataclass, in order, and their types."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _audio_of(cls: type) -> str | None:
    """The field that holds audio, if any; a class has at most one."""
    return next((name for name, kind in _types(cls).items() if kind is bytes), None)
