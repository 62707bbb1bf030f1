"""Checks the attributes of TwiML elements, one by one, for all readers of TwiML. Pure.

Source: Twilio's documentation (TwiML voice; errors 12200, 13211, 13510 and the like; read in
October 2026). Twilio warns about a wrong attribute and ignores it. Here it is refused, so that our
server does not come to rely on it.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

type Method = Literal["GET", "POST"]

SCHEMA = 12200


class TwimlError(ValueError):
    """Twilio refuses the document, or warns about it. `code` is Twilio's error code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    """A request that a document asks for: a URL and a method."""

    url: str
    method: Method = "POST"


def allow(element: ET.Element, *names: str) -> None:
    """Refuse any other attribute."""
    for name in element.keys():  # noqa: SIM118 - an Element iterates over its children
        if name not in names:
            raise TwimlError(SCHEMA, f"{element.tag} has no attribute {name}")


def childless(element: ET.Element) -> None:
    """Refuse child elements."""
    for child in element:
        raise TwimlError(SCHEMA, f"{element.tag} holds no {child.tag}")


def text(element: ET.Element) -> str:
    """All text in the element, with single spaces."""
    return " ".join("".join(element.itertext()).split())


def request(
    element: ET.Element, key: str, method_key: str, url: str, *, code: int = SCHEMA
) -> Request | None:
    """The request that two attributes describe; None if there is no URL."""
    target = element.get(key)
    asked = method(element, method_key, code=code)
    return None if target is None else Request(urljoin(url, target), asked)


def absolute(element: ET.Element, key: str, method_key: str, url: str) -> Request | None:
    """Like `request`, but the URL must be absolute."""
    found = request(element, key, method_key, url)
    if found is not None and found.url != element.get(key):
        raise TwimlError(SCHEMA, f"{key} is an absolute URL, not {element.get(key)!r}")
    return found


def method(element: ET.Element, key: str, *, code: int = SCHEMA) -> Method:
    """The method of a request; POST by default."""
    match element.get(key, "POST").upper():
        case "GET":
            return "GET"
        case "POST":
            return "POST"
        case other:
            raise TwimlError(code, f"{key} {other!r} is neither GET nor POST")


def whole(
    element: ET.Element, key: str, default: int, *, least: int = 1, most: int, code: int = SCHEMA
) -> int:
    """Read a whole number."""
    value = element.get(key, str(default))
    if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
        raise TwimlError(code, f"{element.tag}: {key} is {least} to {most}, not {value!r}")
    return int(value)


def flag(element: ET.Element, key: str, *, code: int = SCHEMA) -> bool:
    """Read true or false; false by default."""
    return one_of(element, key, "false", "true", code=code) == "true"


def one_of(element: ET.Element, key: str, default: str, *others: str, code: int = SCHEMA) -> str:
    """Read one of some words; the first by default."""
    value = element.get(key, default)
    if value not in {default, *others}:
        known = ", ".join((default, *others))
        raise TwimlError(code, f"{element.tag}: {key} is one of {known}, not {value!r}")
    return value


def words(element: ET.Element, key: str, *known: str, code: int = SCHEMA) -> tuple[str, ...]:
    """Read some words of a list, separated by spaces."""
    found = tuple(element.get(key, "").split())
    for word in found:
        if word not in known:
            raise TwimlError(code, f"{element.tag}: {key} has {', '.join(known)}, not {word!r}")
    return found
