"""What is an e-mail address, and how far it is looked for."""

import pytest

from agent.privacy import emails as module
from agent.privacy.emails import FARTHEST
from agent.privacy.items import masked


@pytest.mark.parametrize(
    "text",
    [
        "You can shop at Tesco.com.",
        "Have a look at example dot com.",
        "You find it at www.pizza.com.",
        "I told Kim at www dot pizza dot com.",
        "I work at example.com, and order at example dot com.",
        "Sign up at example.com.",
        "We are at home.",
    ],
)
def test_the_address_of_a_site_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    "item",
    [
        "kim at example dot com",
        "info at example.com",
        "look dot shop at example dot com",
        "shop at example dot com",
        "k i m at mail dot example dot co dot uk",
        "a@b.co",
        "kim@www.example.com",
        "x" * 64 + "@" + "y" * 180 + ".com",
    ],
)
def test_an_address_is_masked(item: str) -> None:
    assert masked(f"My email is {item}, and") == "My email is [e-mail address], and"


def test_of_two_addresses_beside_each_other_both_are_masked() -> None:
    assert (
        masked("a@b.co,c@d.org kim%40e.com") == "[e-mail address],[e-mail address] [e-mail address]"
    )


@pytest.mark.parametrize(
    "text",
    [
        "x" * 16_000 + "@",
        "@" + "x" * 16_000,
        ("x" * 300 + "@") * 50,
        "at a" + "-" * 8_000,
        "at " + "a-" * 4_000,
        "at " + "a " * 4_000,
        "at a dot" * 1_000,
    ],
)
def test_only_what_is_near_an_at_is_looked_at(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    near = module._near

    def count(text: str, start: int, end: int) -> str:
        seen.append(len(found := near(text, start, end)))
        return found

    monkeypatch.setattr(module, "_near", count)
    masked(text, ["email"])
    assert 0 < sum(seen) <= 3 * FARTHEST * (text.count("@") + text.count("at"))
