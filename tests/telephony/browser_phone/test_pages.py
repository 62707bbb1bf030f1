"""The page's files: nothing from elsewhere, nothing inline, small, and all of them named."""

import gzip
import re
from html.parser import HTMLParser

import pytest

import telephony.browser_phone
from telephony.browser_phone.pages import HEADERS, KINDS, PAGE, contents

MOST_BYTES = 200_000
"""Of everything that the first page loads, compressed."""

FILES = {name: body.decode("utf-8") for name, body in contents().items()}

NAMESPACE = "http://www.w3.org/2000/svg"


class Elements(HTMLParser):
    """Each element of a page, with its attributes, and the text in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside in {"script", "style"} and data.strip():
            self.inline.append(data)


@pytest.fixture(scope="module")
def elements() -> Elements:
    return Elements(FILES[PAGE])


def test_the_first_page_is_small() -> None:
    assert sum(len(gzip.compress(body)) for body in contents().values()) < MOST_BYTES


def test_no_file_names_another_address() -> None:
    found = {
        name: re.findall(r"""(?:https?:|wss:|["'(]//)[^"'` )]*""", text.replace(NAMESPACE, ""))
        for name, text in FILES.items()
    }
    assert {name: urls for name, urls in found.items() if urls} == {}


def test_the_page_has_no_inline_script_or_style(elements: Elements) -> None:
    assert elements.inline == []
    attributes = {name for _, attrs in elements.found for name in attrs}
    assert not [name for name in attributes if name.startswith("on") or name == "style"]


def test_the_policy_allows_neither_inline_code_nor_other_hosts() -> None:
    rules = dict(rule.split(" ", 1) for rule in HEADERS["Content-Security-Policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert set(rules.values()) == {"'none'", "'self'"}
    assert rules["frame-ancestors"] == "'none'"


def test_every_module_is_there_that_another_one_imports() -> None:
    for name, text in FILES.items():
        for imported in re.findall(r'^import .* from "(.+)";$', text, re.MULTILINE):
            assert imported.removeprefix("./") in FILES, (name, imported)


def test_every_id_that_a_module_looks_for_is_on_the_page(elements: Elements) -> None:
    ids = {attrs["id"] for _, attrs in elements.found if "id" in attrs}
    sought = set(re.findall(r'\$\("([a-z-]+)"\)', FILES["page.js"]))
    assert sought
    assert sought <= ids


def test_everything_that_can_be_used_has_a_name(elements: Elements) -> None:
    labels = {attrs.get("for") for tag, attrs in elements.found if tag == "label"}
    for tag, attrs in elements.found:
        if tag in {"input", "meter"}:
            assert attrs["id"] in labels


def test_every_file_has_a_kind_and_stands_on_the_door_sign() -> None:
    sign = telephony.browser_phone.__doc__ or ""
    assert {name.rpartition(".")[2] for name in FILES} <= KINDS.keys()
    modules = {name for name in FILES if name.endswith(".js")}
    assert {name for name in modules if not re.search(rf"\b{re.escape(name)}\b", sign)} == set()
