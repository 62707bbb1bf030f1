"""What `make lock` has compiled, held against pyproject.toml, without asking a package index.

Compiling again and comparing would need the index, and would fail on the day that a file is added
to a release, which changes its hashes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PLATFORMS = [
    {"sys_platform": system, "platform_machine": machine}
    for system in ("linux", "darwin", "win32")
    for machine in ("x86_64", "aarch64", "arm64", "riscv64")
]

_PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[\w.!+-]+)(?: ; (?P<marker>.*?))? \\$")


@dataclass(frozen=True, slots=True)
class Pin:
    """A locked package; `declared` if it is there because pyproject.toml names it."""

    version: str
    marker: Marker | None
    declared: bool


def pins(text: str) -> dict[str, Pin]:
    """The packages of a compiled file."""
    found: dict[str, Pin] = {}
    for block in re.split(r"\n(?=\S)", text):
        pin = _PIN.match(block.partition("\n")[0])
        if pin is not None:
            marker = Marker(pin["marker"]) if pin["marker"] else None
            found[pin["name"]] = Pin(pin["version"], marker, "pyproject.toml" in block)
    return found


def mismatches(wanted: Sequence[Requirement], locked: dict[str, Pin]) -> Iterator[str]:
    """What is wrong with a lock: a requirement that it does not meet, a pin nobody asks for."""
    for requirement in (*wanted, *_of_extras(wanted)):
        pin = locked.get(canonicalize_name(requirement.name))
        if pin is None:
            yield f"{requirement} is not locked"
        elif not requirement.specifier.contains(pin.version, prereleases=True):
            yield f"{requirement} is locked at {pin.version}"
        elif not all(
            _applies(pin.marker, platform)
            for platform in PLATFORMS
            if _applies(requirement.marker, platform)
        ):
            yield f"{requirement} is locked for other platforms: {pin.marker}"
    names = {canonicalize_name(requirement.name) for requirement in wanted}
    for name, pin in locked.items():
        if pin.declared and name not in names:
            yield f"{name} is locked, and not in pyproject.toml"


def _of_extras(wanted: Iterable[Requirement]) -> Iterator[Requirement]:
    """What the extras of requirements bring, as the installed packages tell."""
    for requirement in wanted:
        for extra in requirement.extras:
            for text in metadata.requires(requirement.name) or ():
                brought = Requirement(text)
                marker, brought.marker = brought.marker, None
                if marker and "extra" in str(marker) and marker.evaluate({"extra": extra}):
                    yield brought


def _applies(marker: Marker | None, platform: dict[str, str]) -> bool:
    return marker is None or marker.evaluate(platform)
