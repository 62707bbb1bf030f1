"""Answers `generateContent`, Gemini's request for text, as JSON by the schema that it asks for.

Without a script, the JSON is made of the request: texts are the end of what was sent, numbers are
0, and of several choices it takes the first.

Source: google-genai 3.4.0 and the Gemini API's reference, November 2026.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TARGET = re.compile(r"/+(?:v1|v1beta|v1alpha)/models/([^/:]+):generateContent").fullmatch
"""The path of the request, with the model's name in it."""

CHARS_PER_TOKEN = 4
QUOTED_CHARS = 200

STATUSES = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Args:
        model: The model's name.
        instruction: The system instruction.
        said: The texts of the contents, one after another.
        schema: The JSON schema of the answer; empty if none was asked for.
    """

    model: str
    instruction: str
    said: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, and how late it comes."""

    status: int
    body: Mapping[str, object]
    delay_ms: int = 0


def asked(model: str, body: object) -> Asked | None:
    """Read a request; None if it is not one."""
    match body:
        case {"contents": [*contents], **rest}:
            config = rest.get("generationConfig")
            schema = config.get("responseJsonSchema") if isinstance(config, dict) else None
            instruction = _texts([rest.get("systemInstruction")])
            return Asked(
                model, instruction, _texts(contents), schema if isinstance(schema, dict) else {}
            )
        case _:
            return None


def refused(status: int, message: str, delay_ms: int = 0) -> Answer:
    """An error, in the API's form."""
    error = {"code": status, "message": message, "status": STATUSES.get(status, "UNKNOWN")}
    return Answer(status, {"error": error}, delay_ms)


def generated(request: Asked, text: str, delay_ms: int = 0) -> Answer:
    """A text, in the API's form."""
    read = len(request.instruction + request.said) // CHARS_PER_TOKEN
    wrote = len(text) // CHARS_PER_TOKEN
    return Answer(
        200,
        {
            "candidates": [
                {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}
            ],
            "usageMetadata": {
                "promptTokenCount": read,
                "candidatesTokenCount": wrote,
                "totalTokenCount": read + wrote,
            },
            "modelVersion": request.model,
            "responseId": "simulated",
        },
        delay_ms,
    )


def made_up(request: Asked) -> str:
    """An answer that keeps to the schema."""
    return json.dumps(_value(request.schema, request.said[-QUOTED_CHARS:]))


def _value(schema: object, said: str) -> object:
    match schema:
        case {"enum": [first, *_]}:
            return first
        case {"anyOf": [first, *_]}:
            return _value(first, said)
        case {"type": "object", "properties": {**properties}}:
            return {name: _value(each, said) for name, each in properties.items()}
        case {"type": "array", "items": {**items}}:
            return [_value(items, said)]
        case {"type": "integer" | "number"}:
            return 0
        case {"type": "boolean"}:
            return False
        case _:
            return said


def _texts(contents: list[object]) -> str:
    found = []
    for content in contents:
        match content:
            case {"parts": [*parts]}:
                found += [
                    part["text"] for part in parts if isinstance(part, dict) and "text" in part
                ]
            case _:
                pass
    return "\n".join(map(str, found))
