"""The programs that some tests need and that `make setup` cannot install.

If one is missing, its tests are skipped, and `tests/skips.py` names them at the end of the run. In
CI these tests fail instead.
"""

import os
import shutil
from importlib.util import find_spec
from typing import NoReturn

import pytest

PACKAGES = {
    "baresip": "baresip-core",
    "caddy": "caddy",
    "chromium": "chromium",
    "flite": "flite",
    "node": "nodejs npm",
    "promtool": "prometheus",
}
"""Each program, and the packages of Debian that bring it."""


def program(name: str) -> str:
    """The path of one of `PACKAGES`. Where it is missing, the test ends."""
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not on the PATH; install it (Debian: apt install {PACKAGES[name]})")
    return path


def pesq_is_here() -> None:
    """End the test if the package pesq is missing, which is built from source."""
    if find_spec("pesq") is None:
        compiler = "a C compiler and Python's headers (Debian: apt install gcc python3-dev)"
        missing(f"pesq is not installed; install {compiler}, then run make clean setup")


def missing(reason: str) -> NoReturn:
    """End the test: something is not installed. `reason` says what, and how to get it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)  # the one place that may: each is named at the end of the run
