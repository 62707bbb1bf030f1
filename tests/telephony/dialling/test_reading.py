"""What `POST /calls` asks for, and the list of numbers that are never called."""

import json

import pytest

from telephony.dialling import do_not_call
from telephony.dialling.request import RequestError, Wish, read


def test_a_request_is_read() -> None:
    full = {"to": "+14155550123", "persona": "Zoë", "consent": "web form"}
    assert read(json.dumps(full).encode()) == Wish("+14155550123", "Zoë", "web form")
    assert read(b'{"to": ""}') == Wish("", "", "")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "expected JSON"),
        (b"\xff", "expected JSON"),
        (b"[" * 5000, "expected JSON"),
        (b"[]", "expected JSON"),
        (b"{}", "to: missing"),
        (b'{"to": 14155550123}', "to: expected a text"),
        (b'{"to": null}', "to: expected a text"),
        (b'{"to": "+14155550123", "instructions": "x"}', "no other names"),
        (b'{"to": "+14155550123", "consent": "a\\nb"}', "consent: expected characters"),
        (b'{"to": "%s"}' % (b"1" * 501), "to: expected at most 500"),
    ],
)
def test_what_cannot_be_read_is_said_and_not_repeated(body: bytes, expected: str) -> None:
    with pytest.raises(RequestError, match=expected) as caught:
        read(body)
    assert "0123" not in str(caught.value).replace("+14155550123", "")


def test_a_wish_shows_nobody_in_logs() -> None:
    assert repr(Wish("+14155550123", "Ada", "web form of Jo")) == "Wish(persona='Ada')"


def test_a_list_has_numbers_beginnings_and_comments() -> None:
    listed = do_not_call.read(
        "\ufeff# never\n\n+14155550123\n  +14155550124  asked on 30 November\n+1900*\n"
        "+14155550125 # moved\n"
    )
    assert len(listed) == 4
    for number in ("+14155550123", "+14155550124", "+14155550125", "+19005550100"):
        assert number in listed
    for number in ("+14155550126", "+1415555012", "+141555501234", "+18005550100"):
        assert number not in listed
    assert "+14155550123" not in do_not_call.NOBODY


@pytest.mark.parametrize("line", ["4155550123", "+1 415 555 0123", "+", "*", "+1415", "+1415x"])
def test_a_line_that_cannot_be_read_is_named_by_its_number_alone(line: str) -> None:
    with pytest.raises(ValueError, match="line 2: expected a telephone number") as caught:
        do_not_call.read(f"+14155550123\n{line}\n")
    assert line not in str(caught.value).replace("+1415555", "").replace("+14155550123", "") or (
        len(line) == 1
    )
