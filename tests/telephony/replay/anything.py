"""Any event and any command, for hypothesis: derived from the classes, so that none is left out."""

import dataclasses
from enum import Enum
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from agent.conversation.transcript import Role
from telephony.call.commands import Command
from telephony.call.events import Event
from telephony.replay.codec import COMMANDS, EVENTS

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    if kind is Role:
        return st.sampled_from(get_args(Role.__value__))
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return st.builds(kind, **{name: of_type(hint) for name, hint in hints.items()})
    if isinstance(kind, UnionType):
        return st.one_of([of_type(part) for part in get_args(kind)])
    if get_args(kind):
        return st.lists(of_type(get_args(kind)[0]), max_size=3).map(tuple)
    plain = {
        int: INTEGERS,
        float: st.floats(allow_nan=False, allow_infinity=False),
        str: TEXTS,
        bytes: st.binary(max_size=200),
        bool: st.booleans(),
        type(None): st.none(),
    }
    return plain[kind]


def event(cls: type[Event]) -> st.SearchStrategy[Event]:
    return of_type(cls)


events: st.SearchStrategy[Event] = st.one_of([event(cls) for cls in EVENTS])
commands: st.SearchStrategy[Command] = st.one_of([of_type(cls) for cls in COMMANDS])
