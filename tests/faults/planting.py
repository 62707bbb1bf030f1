"""Personal items to be planted, and the search for them in what a call leaves behind.

They are drawn by Faker and by chance; nothing here comes from the code that masks them.
"""

import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random

from faker import Faker

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
AREAS = ("212", "312", "415", "512", "617", "702", "808", "917")


def drawn(seed: int) -> Iterator[str]:
    """Items of all kinds in turn, for ever, as people write and say them."""
    fake = Faker("en_US")
    fake.seed_instance(seed)
    draw = Random(seed)
    kinds: list[Callable[[], str]] = [
        lambda: fake.credit_card_number(draw.choice(["visa16", "mastercard", "amex", "discover"])),
        lambda: _grouped(fake.credit_card_number("visa16"), (4, 4, 4, 4), draw.choice(" -")),
        lambda: _said(fake.credit_card_number("mastercard")),
        fake.ssn,
        lambda: fake.ssn().replace("-", " "),
        fake.iban,
        lambda: _grouped(fake.iban(), (4,) * 9, " "),
        lambda: f"{_name(draw)}@{fake.domain_name()}",
        lambda: f"{_name(draw)}.{_name(draw)}+{_name(draw)}@{fake.domain_name()}",
        lambda: f"{_name(draw)} dot {_name(draw)} at {_name(draw)} dot com",
        lambda: phone(draw),
        lambda: _grouped(phone(draw)[2:], (3, 3, 4), draw.choice("-. ")),
        lambda: "({}) {}-{}".format(*_grouped(phone(draw)[2:], (3, 3, 4), "|").split("|")),
    ]
    while True:
        for kind in kinds:
            yield kind()


def phone(draw: Random) -> str:
    """A telephone number in the USA, in E.164."""
    return f"+1{draw.choice(AREAS)}{draw.randint(200, 999)}{draw.randint(0, 9999):04}"


def found(text: str, planted: Iterable[str]) -> list[str]:
    """The items that are in a text, as they were planted or in other groups."""
    folded = text.casefold()
    close = re.sub(r"[\s.()-]", "", folded)
    return [item for item in planted if item.casefold() in folded or _close(item) in close]


def sentence(items: Sequence[str]) -> str:
    """Something that somebody may say, with these items in it."""
    return " ".join(f"It is {item}, I think." for item in items)


def _close(item: str) -> str:
    return re.sub(r"[\s.()-]", "", item.casefold())


def _grouped(text: str, sizes: Sequence[int], gap: str) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return gap.join(part for part in parts if part)


def _said(digits: str) -> str:
    return " ".join(WORDS[int(digit)] for digit in digits)


def _name(draw: Random) -> str:
    return "".join(draw.choices(string.ascii_lowercase, k=7))
