"""The format that others read is the one that is written."""

from tests.replay.schema import SCHEMA, written


def test_the_schema_in_the_repository_is_that_of_the_code() -> None:
    assert SCHEMA.read_bytes() == written(), "to mend it: .venv/bin/python -m tests.replay.schema"
