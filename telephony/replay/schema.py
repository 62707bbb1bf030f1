"""The format as a JSON Schema, for other tools: each kind of line has a definition."""

from typing import Any

import msgspec

from telephony.replay import command_lines, event_lines
from telephony.replay.recording import VERSION, Header

_REF = "#/$defs/{name}"


def schema() -> dict[str, Any]:
    """The JSON Schema 2020-12 for a line of either file: header, event or command."""
    kinds = [Header, event_lines.CODEC.union, command_lines.CODEC.union]
    lines, definitions = msgspec.json.schema_components(kinds, ref_template=_REF)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A line of a recorded call, call/{VERSION}",
        "anyOf": lines,
        "$defs": definitions,
    }
