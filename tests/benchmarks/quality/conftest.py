"""Tests here judge speech by PESQ."""

import pytest

from tests.programs import pesq_is_here


@pytest.fixture(autouse=True)
def _pesq_is_here() -> None:
    pesq_is_here()
