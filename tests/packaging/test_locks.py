"""The compiled requirements are those of pyproject.toml; if they are not, run `make lock`."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.packaging.locks import mismatches, pins

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = {
    "runtime": [],
    "mcp": [],
    "dev": ["dev"],
    "build": ["build"],
    "compiled": ["compiled"],
    "pipecat": ["pipecat"],
    "uv": ["uv"],
}
"""Each compiled file, and the groups in it, as the Makefile compiles them."""


def in_group(name: str) -> list[str]:
    entries: list[Any] = PROJECT["dependency-groups"][name]
    found: list[str] = []
    for entry in entries:
        found += [entry] if isinstance(entry, str) else in_group(entry["include-group"])
    return found


def test_every_file_is_known_here() -> None:
    assert {path.stem for path in (ROOT / "requirements").glob("*.txt")} == LOCKS.keys()


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_what_pyproject_asks_for(name: str) -> None:
    wanted = PROJECT["project"]["dependencies"] if name in {"runtime", "mcp", "dev"} else []
    wanted = [*wanted, *PROJECT["project"]["optional-dependencies"].get(name, [])]
    wanted = [*wanted, *(text for group in LOCKS[name] for text in in_group(group))]
    locked = pins((ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8"))
    found = list(mismatches([Requirement(text) for text in wanted], locked))
    assert found == [], "run make lock"


def test_the_build_requires_what_is_locked() -> None:
    assert sorted(PROJECT["build-system"]["requires"]) == sorted(in_group("build"))


LOCKED = r"""# made by a test
httpx==1.2 \
    --hash=sha256:00
    # via
    #   offhook (pyproject.toml)
    #   starlette
idna==3.4 \
    --hash=sha256:00
    # via httpx
uvloop==0.23.0 ; sys_platform == 'linux' \
    --hash=sha256:00
    # via offhook (pyproject.toml:dev)
"""


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["httpx>=1", "uvloop; sys_platform == 'linux' and platform_machine == 'x86_64'"], []),
        (["httpx>=1", "uvloop; sys_platform == 'linux'", "idna"], []),
        (["uvloop; sys_platform == 'linux'"], ["httpx is locked, and not in pyproject.toml"]),
        (
            ["httpx>=2", "uvloop", "Rich"],
            [
                "httpx>=2 is locked at 1.2",
                'uvloop is locked for other platforms: sys_platform == "linux"',
                "Rich is not locked",
            ],
        ),
    ],
)
def test_a_mismatch_is_named(wanted: list[str], found: list[str]) -> None:
    assert list(mismatches([Requirement(text) for text in wanted], pins(LOCKED))) == found


def test_an_extra_that_is_not_locked_is_named() -> None:
    locked = pins(LOCKED.replace("httpx==1.2", "redis==99"))
    (found,) = mismatches(
        [Requirement("redis[hiredis]"), Requirement("uvloop; sys_platform == 'linux'")], locked
    )
    assert found.startswith("hiredis")
