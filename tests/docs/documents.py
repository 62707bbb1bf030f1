"""What stands in our documents: links, headings, and commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    + [ROOT / folder / "README.md" for folder in ("infra", "fixtures", "requirements")]
)
"""Every page that a person reads."""

_FENCE = re.compile(r"^ *```[a-z]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PROGRAM = re.compile(r"^(?:\.venv/bin/)?(offhook|make)( |$)")


@dataclass(frozen=True, slots=True)
class Command:
    """A command as a document has it, without the path of its program.

    Args:
        page: Where it stands.
        words: The program's name, and what follows.
        whole: Whether it is a line of a code block, to be typed as it stands; else only named.
    """

    page: Path
    words: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {shlex.join(self.words)}"


def blocks(text: str) -> list[str]:
    """The text of each code block."""
    return _FENCE.findall(text) + _INDENTED.findall(_FENCE.sub("", text))


def commands(page: Path) -> Iterator[Command]:
    """Each offhook or make command of a page: whole lines of code blocks, and inline code."""
    text = page.read_text(encoding="utf-8")
    typed = [line for block in blocks(text) for line in block.replace("\\\n", " ").splitlines()]
    named = _INLINE.findall(_FENCE.sub("", text))
    for line, whole in [*((line, True) for line in typed), *((line, False) for line in named)]:
        if _PROGRAM.match(line.strip()):
            words = shlex.split(line.strip(), comments=True)
            yield Command(page, (words[0].removeprefix(".venv/bin/"), *words[1:]), whole)


def links(page: Path) -> list[str]:
    """Where the links of a page lead."""
    return _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as a browser jumps to them."""
    found = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in found}
