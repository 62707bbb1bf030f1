"""`[menu]` in a persona file: what callers choose by a key, before a model is dialled."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from agent.conversation.hints import CAME_OF_IT
from agent.conversation.persona import words_of
from agent.persona.places import Key

AGENT, HANG_UP, TRANSFER = "agent", "hang_up", "transfer:"
"""What a key may lead to; behind the last one comes a name of `[transfers]`."""

TIMEOUT_S = 5
"""How long a caller may take to press a key after they have heard everything, in seconds."""

UNKNOWN = "Nobody knows whether they have talked."
"""What came of a key, if that was not told."""

_KEY = re.compile(r"[0-9*#]").fullmatch
_CHOICE = re.compile(r"agent|hang_up|transfer:[a-z][a-z0-9_]{0,39}").fullmatch


@dataclass(frozen=True, slots=True)
class Menu:
    """What callers hear first, and what their keys lead to.

    Args:
        says: What Twilio's voice says.
        keys: For each key, `AGENT`, `HANG_UP`, or `TRANSFER` and a name of the agent's transfers.
        timeout_s: How long a caller may take behind it.
    """

    says: str
    keys: Mapping[str, str]
    timeout_s: int = TIMEOUT_S


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError('expected a text that is not empty, got ""; say there what each key does')
    return text


def _key(text: str) -> str:
    if not _KEY(text):
        raise ValueError(
            f'expected one key of a telephone: a digit, "*" or "#", got {text!r}; write a line '
            'such as 1 = "agent"'
        )
    return text


def _choice(text: str) -> str:
    if not _CHOICE(text):
        raise ValueError(
            'expected "agent", "hang_up", or "transfer:NAME" with a name of [transfers], got '
            f"{text!r}"
        )
    return text


class MenuTable(BaseModel):
    """`[menu]`: what callers choose by a key. Without this table they reach the agent at once."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    says: Annotated[str, AfterValidator(_said)]
    keys: dict[Annotated[str, AfterValidator(_key)], Annotated[str, AfterValidator(_choice)]] = (
        Field(min_length=1)
    )
    timeout_s: int = Field(default=TIMEOUT_S, ge=1, le=30)


def after_menu_cue(cue: str, to: str, outcome: str) -> str:
    """The text that makes a model greet a caller who wanted somebody else by a key, and did not
    get them.

    Args:
        cue: The text that makes it greet any caller.
        to: The name of whom they wanted.
        outcome: How that ended, as in `NextStep`; "" if nobody knows.
    """
    came = f"They were not put through. {CAME_OF_IT.get(outcome, CAME_OF_IT['failed'])}"
    came = came if outcome else UNKNOWN
    words = words_of(cue)
    greets = "Greet them in one short sentence, say your name, "
    if words is not None:
        greets = f"Greet them with these words: {words} Then "
    return (
        f'[A caller has just been connected and is listening. By a key, they have asked for "{to}" '
        f"first. {came} {greets}tell them so in a few words, and ask how you can help.]"
    )


def menu_of(given: MenuTable | None) -> Menu | None:
    """The menu of a file, if it has one."""
    return None if given is None else Menu(given.says, given.keys, given.timeout_s)


def to_nobody(given: MenuTable | None, transfers: Collection[str]) -> Iterator[tuple[Key, str]]:
    """Keys that lead to nobody whom the file names, each with what is wrong.

    Args:
        given: What the file says.
        transfers: The names of its transfers.
    """
    for key, choice in ({} if given is None else given.keys).items():
        name = choice.removeprefix(TRANSFER)
        if name != choice and name not in transfers:
            there = ", ".join(transfers) or "none"
            what = f"expected a name of [transfers], got {name!r}; there are: {there}"
            yield ("menu", "keys", key), f"{what}; correct it, or add [transfers.{name}]"
