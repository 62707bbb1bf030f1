"""What is handed to others names no machine of ours, and is locked by hashes."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))

# Written so that this file does not match itself.
ELSEWHERE = re.compile(
    r"pyp[i]\.org|pythonh[o]sted|registry\.n[p]mjs|deb\.d[e]bian"
    r"|(?<![\w.])/(?:w[o]rk|f[a]rm|r[o]ot|h[o]me/\w+|U[s]ers/\w+)/"
)
PIN = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", re.MULTILINE)


def tracked() -> list[Path]:
    """What git has, or would have with the next commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git is on the PATH wherever there is a clone
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name]


def pinned(lock: str) -> dict[str, str]:
    """Name and version of every package in a lock."""
    return dict(PIN.findall(lock))


@pytest.mark.real
def test_no_file_names_a_registry_or_a_path_of_a_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if path.is_file()
        for match in ELSEWHERE.finditer(path.read_bytes().decode("utf-8", errors="replace"))
    ]
    assert found == []


@pytest.mark.parametrize("text", ["https://pypi" + ".org/simple", "/ro" + "ot/x", "/ho" + "me/me/"])
def test_a_registry_and_a_path_are_seen(text: str) -> None:
    assert ELSEWHERE.search(text)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.name))
def test_every_locked_package_has_a_hash(lock: Path) -> None:
    blocks = re.split(r"^(?=[\w])", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert blocks
    assert [
        block for block in blocks if not PIN.match(block) or "--hash=sha256:" not in block
    ] == []


def test_what_is_tested_is_what_is_deployed() -> None:
    """The same version of every package, in the lock of the tests and in that of the image."""
    pins = {lock.stem: pinned(lock.read_text(encoding="utf-8")) for lock in LOCKS}
    assert pins["runtime"].items() <= pins["dev"].items()
    assert pins["build"].items() <= pins["dev"].items()
