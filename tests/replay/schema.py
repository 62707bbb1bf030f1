"""Writes fixtures/call-1.schema.json, the recording format as a JSON Schema.

python -m tests.replay.schema

The schema holds the docstrings of events and commands: write it again when one of them changes.
"""

from pathlib import Path

import msgspec

from telephony.replay.schema import schema

SCHEMA = Path(__file__).parents[2] / "fixtures/call-1.schema.json"


def written() -> bytes:
    """The file as it has to be."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=1) + b"\n"


if __name__ == "__main__":
    SCHEMA.write_bytes(written())
