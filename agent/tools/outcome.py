"""What came of a run of a tool: how it went, and its data as JSON of a bounded length."""

import json
from dataclasses import dataclass

from agent.conversation.declaration import MAX_RESULT_CHARS, Status

CUT = f"The data was longer than {MAX_RESULT_CHARS} characters, and is cut there."

BROKEN = "It failed. Tell the caller that it can not be done right now."


PERHAPS_DONE = (
    "Nobody knows whether this was done, because its answer is lost. Do not call it again. "
    "Tell the caller that you cannot be sure."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    Args:
        status: How it went.
        data: What came of it, as JSON.
        retryable: Whether it may go better another time.
        hint: What the model should know about it, or "".
        problem: What to log: the kind of an error and its place, and nobody's words.
    """

    status: Status
    data: str = "null"
    retryable: bool = False
    hint: str = ""
    problem: str = ""


def outcome_of(value: object) -> Outcome:
    """The outcome of a run that returned this. What is no JSON is written as a text."""
    text = _encoded(value)
    if len(text) <= MAX_RESULT_CHARS:
        return Outcome(Status.OK, text, hint="It is done." if text in _EMPTY else "")
    kept = value if isinstance(value, str) else text
    return Outcome(Status.OK, json.dumps(kept[:MAX_RESULT_CHARS], ensure_ascii=False), hint=CUT)


_EMPTY = frozenset({"null", '""', "[]", "{}"})


def _encoded(value: object) -> str:
    """The JSON of a value, or its beginning, if it is longer than a result may be."""
    if isinstance(value, str):
        value = value[: MAX_RESULT_CHARS + 1]
    text = ""
    # Not in one go, which would keep every thread from running for as long as it takes.
    for chunk in json.JSONEncoder(ensure_ascii=False, default=str).iterencode(value):
        text += chunk
        if len(text) > MAX_RESULT_CHARS:
            break
    return text
