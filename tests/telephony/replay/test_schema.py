"""The format that others read is the one that is written."""

from pathlib import Path

import msgspec

from telephony.replay.schema import schema

SCHEMA = Path(__file__).parents[3] / "fixtures" / "call-1.schema.json"


def test_the_schema_in_the_repository_is_that_of_the_code() -> None:
    written = msgspec.json.format(msgspec.json.encode(schema()), indent=1) + b"\n"
    assert SCHEMA.read_bytes() == written
