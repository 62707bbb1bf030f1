"""Programs that some tests need, and that make setup cannot bring."""

import os
import shutil
from typing import NoReturn

import pytest


def program(name: str, package: str) -> str:
    """The path of a program. Where it is missing, the test is skipped; in CI it fails.

    Args:
        name: As on the PATH.
        package: Debian's, which brings it.
    """
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not on the PATH; install it (Debian: apt install {package})")
    return path


def missing(reason: str) -> NoReturn:
    """End the test: something is not installed. `reason` says what, and how to get it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
