"""What is a personal item, and what only looks like one."""

from collections.abc import Callable
from itertools import cycle, pairwise
from random import Random

import phonenumbers
import pytest
from faker import Faker
from phonenumbers import PhoneNumberType

from agent.privacy import rows as module
from agent.privacy.digits import Token
from agent.privacy.items import KINDS, NAMES, Kind, items, masked
from agent.privacy.numbers import LONGEST, is_card, region_of

WELL_KNOWN: list[tuple[Kind, str]] = [
    ("card", "4111 1111 1111 1111"),
    ("card", "4111111111111111"),
    ("card", "378282246310005"),
    ("card", "four one one one, one one one one, one one one one, one one one one"),
    ("card", "four triple one double one one one double one one one double one one one"),
    ("card", "4111... 1111... 1111... 1111"),
    ("card", "4111\u2026 1111\u2026 1111\u2026 1111"),
    ("card", "four one one one, uh, one one one one, um, one one one one and one one one one"),
    ("card", "4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1"),
    ("ssn", "123-45-6789"),
    ("ssn", "123 45 6789"),
    ("ssn", "one two three, four five, six seven eight nine"),
    ("iban", "GB82 WEST 1234 5698 7654 32"),
    ("iban", "DE89370400440532013000"),
    ("iban", "g b eight two w e s t 1 2 3 4 5 6 9 8 7 6 5 4 3 2"),
    ("email", "kim.lee+x@mail.example.com"),
    ("email", "kim.lee%40example.com"),
    ("email", "kim dot lee at example dot com"),
    ("email", "k i m at example.com"),
    ("phone", "+14155550123"),
    ("phone", "+49 (30) 1234-567"),
    ("phone", "(415) 555-0123"),
    ("phone", "415-555-0123x12"),
    ("phone", "4 1 5, 5 5 5, 0 1 2 3"),
    ("phone", "00493012345678"),
    ("phone", "%2B14155550123"),
]

NOTHING = [
    "",
    "Where is my order 12345678?",
    "My card is 4111 1111 1111 1112.",
    "It was on 2026-11-30 14:15:11, or 30.11.2026.",
    "http://192.168.100.200:8080",
    "The total is 1,234,567.89 dollars, or 1.234.567.",
    "CA0123456789abcdef0123456789abcdef",
    "It took 1234.567890 ms, or 123.456789 s.",
    "/recordings/CA01.1796053077800.call",
    "I am at home, and it is 20 30 40 50.",
    "Look at the picture dot by dot.",
    "GB82 WEST 1234 5698 7654 33",
    "The year is 415 and it is 5550123 miles.",
    "000-12-3456 and 666-12-3456",
    "94103-1234",
    "The order is 123456789, or 1 2 3 4 5 6 7 8 9, or 1234-56789.",
    "So four and five and six. 7... 8.",
    "[card number] and [e-mail address]",
]


LONGER = {"ID": ["1", "12"], "DE": ["1", "2"]}
"""Countries whose numbers have several lengths: 13 digits with their code, too."""

TIMES = """
We are open 9 - 12, 14 - 18, or 08.30 - 12.30, 14 - 18. There are rooms 101, 102, 103, and 201.
Is it order 100 200 300? It was on 30. 11. 2026, on 30.11. 14.30, on 2026 11 30 or 30 11 2026.
It is from 08.30 12.30.
"""


@pytest.mark.parametrize(("kind", "item"), WELL_KNOWN)
def test_an_item_is_masked_however_it_is_written_or_said(kind: Kind, item: str) -> None:
    text = f"Well, it is {item}; do you have that?"
    found = masked(text)
    assert found == f"Well, it is [{NAMES[kind]}]; do you have that?"
    assert masked(found) == found
    assert masked(text, set(KINDS) - {kind}).endswith("do you have that?")


@pytest.mark.parametrize("text", NOTHING)
def test_what_only_looks_like_an_item_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("region", ["US", "DE", "GB", "FR", "CH", "IT", "NO"])
def test_a_time_a_date_or_a_list_is_no_telephone_number(region: str) -> None:
    assert masked(TIMES, region=region) == TIMES


@pytest.mark.parametrize("code", ["639", "628", "573", "601", "584"])
def test_a_telephone_number_with_its_countrys_code_is_no_card(code: str) -> None:
    draw = Random(code)
    for _ in range(100):
        digits = f"{code}{draw.randrange(10**8):08}{'' if code == '601' else draw.randrange(10)}"
        spaced = f"+{digits[:2]} {digits[2:5]} {digits[5:8]} {digits[8:]}"
        for text in (f"+{digits}", f"00{digits}", spaced, f"0 0 {' '.join(digits)}"):
            assert masked(text, ["card", "ssn"]) == text
            assert masked(text) == "[phone number]"
    assert masked(f"+{digits} 4111 1111 1111 1111", ["card"]) == f"+{digits} [card number]"


@pytest.mark.parametrize(
    "region", ["ID", "DE", "PH", "CO", "MY", "VE", "CN", "AT", "MX", "IN", "GB", "BR"]
)
def test_of_a_thousand_telephone_numbers_without_a_plus_none_is_a_card(region: str) -> None:
    draw, drawn = Random(region), set[str]()
    example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    assert example is not None
    code, national = str(example.country_code), str(example.national_number)
    for longer in cycle([""] if region not in LONGER else ["", *LONGER[region]]):
        digits = national[:3] + longer + "".join(draw.choices("0123456789", k=len(national) - 3))
        parsed = phonenumbers.parse(f"+{code}{digits}")
        if phonenumbers.is_valid_number(parsed):
            drawn.add(f"{code}{digits}")
        if len(drawn) == 1_000:
            break
    assert [each for each in drawn if masked(each, ["card"]) != each] == []


def test_the_number_of_a_card_has_13_digits_at_least_and_is_not_one_that_is_in_use() -> None:
    assert masked("It is 4222222222222.", ["card"]) == "It is [card number]."
    assert masked("It is 501800000009.", ["card"]) == "It is 501800000009."
    dialled = [f"491512{n:07}" for n in range(1_000)]
    assert sum(map(is_card, dialled)) == 100
    assert [each for each in dialled if masked(each, ["card"]) != each] == []


@pytest.mark.parametrize(
    "text",
    [
        "My social security number is {}.",
        "SSN {}",
        "The last of my social, that is {}",
        "his taxpayer ID: {}",
    ],
)
@pytest.mark.parametrize("number", ["123456789", "one two three four five six seven eight nine"])
def test_nine_digits_are_a_social_security_number_behind_words_that_say_so(
    text: str, number: str
) -> None:
    assert masked(text.format(number), ["ssn"]) == text.format("[social security number]")


def test_of_digits_said_one_by_one_only_the_whole_is_judged() -> None:
    draw = Random(16)
    drawn = [f"{draw.randrange(10**16):016}" for _ in range(2_000)]
    taken = [each for each in drawn if masked(" ".join(each), ["card"]) != " ".join(each)]
    assert 0 < len(taken) == len([each for each in drawn if is_card(each)]) < 200
    card = " ".join("4111111111111111")
    assert masked(f"{card} 1 2 2 6", ["card"]) == "[card number] 1 2 2 6"
    assert masked(f"{card}, 1 2 3", ["card"]) == "[card number], 1 2 3"


def test_only_the_kinds_that_are_asked_for_are_masked() -> None:
    text = "4111 1111 1111 1111, kim@example.com"
    assert masked(text, ["card"]) == "[card number], kim@example.com"
    assert masked(text, ["email"]) == "4111 1111 1111 1111, [e-mail address]"
    assert masked(text, []) == text


def test_items_do_not_overlap_and_are_in_order() -> None:
    text = "Kim at example dot com, +14155550123, 4111-1111-1111-1111, 123-45-6789, " * 3
    found = items(text)
    assert [item.kind for item in found] == ["email", "phone", "card", "ssn"] * 3
    assert all(before.end <= behind.start for before, behind in pairwise(found))


@pytest.mark.parametrize(
    ("region", "number", "hidden"),
    [
        ("DE", "030 1234567", True),
        ("DE", "030 / 123 45 67", True),
        ("FR", "06.12.34.56.78", True),
        ("US", "415 555 0123", True),
        ("US", "12 34 56 7", False),
    ],
)
def test_a_number_without_a_plus_goes_by_the_country(
    region: str, number: str, hidden: bool
) -> None:
    assert (masked(number, ["phone"], region) != number) == hidden


@pytest.mark.parametrize("prefix", ["+", "+ ", "00 ", "00-"])
def test_a_telephone_number_with_the_digits_of_a_card_is_none(prefix: str) -> None:
    assert masked(f"{prefix}6252929782085") == "[phone number]"
    assert masked("6252929782085") == "[card number]"


def test_of_two_numbers_behind_each_other_both_are_masked() -> None:
    assert masked("917-246-4784 (512) 226-7444") == "[phone number] [phone number]"
    assert masked("+19173723802 808-555-1234") == "[phone number] [phone number]"
    assert masked("1 917 246 4784 512 226 7444") == "[phone number] [phone number]"


@pytest.mark.parametrize("kind", ["card", "ssn", "phone"])
@pytest.mark.parametrize("text", ["seven " * 600, "2026-11-30, " * 100])
def test_of_a_long_run_each_digit_is_looked_at_a_few_times(
    kind: Kind, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined: list[int] = []

    def join(row: list[Token]) -> str:
        joined.append(len(row))
        return "".join(token.text for token in row)

    monkeypatch.setattr(module, "_joined", join)
    items(text, [kind])
    assert sum(joined) <= 600 * LONGEST * LONGEST
    assert max(joined) <= LONGEST


def test_the_country_is_that_of_the_agents_first_number() -> None:
    assert region_of(["+493012345678", "+14155550100"]) == "DE"
    assert region_of([]) == region_of(["+0"]) == "US"


def test_of_items_that_somebody_else_draws_none_survives() -> None:
    fake = Faker(["en_US", "en_GB", "de_DE", "fr_FR"])
    fake.seed_instance(51)
    drawn: dict[Kind, Callable[[], str]] = {
        "card": lambda: fake.credit_card_number("visa"),
        "ssn": fake["en_US"].ssn,
        "iban": fake.iban,
        "email": fake.email,
        "phone": lambda: f"+49{fake.random_int(1_500_000_000, 1_799_999_999)}",
    }
    left = [
        (kind, item)
        for kind, draw in drawn.items()
        for item in (draw() for _ in range(100))
        if item in masked(f"so it is {item}. Is that all right?")
    ]
    assert left == []
