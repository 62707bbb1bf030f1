"""What outlives a worker is read back as it was written, or not at all."""

import json
from dataclasses import asdict, fields, replace
from typing import Any

import pytest

from agent.conversation.checkpoint import (
    CHECKPOINT_VERSION,
    NOTHING_KNOWN,
    Checkpoint,
    CheckpointError,
)

CHECKPOINT = Checkpoint(
    epoch=3,
    elapsed_ms=61_000,
    wall_time_ms=1_700_000_061_000,
    greeted=True,
    handle="h-7 “quoted” \\",
    handle_lines=4,
)


def damaged(**changes: Any) -> str:
    return json.dumps({**asdict(CHECKPOINT), **changes})


@pytest.mark.parametrize("greeted", [True, False])
def test_a_checkpoint_comes_back_as_it_was(greeted: bool) -> None:
    checkpoint = replace(CHECKPOINT, greeted=greeted)
    text = checkpoint.to_json()
    assert "\n" not in text
    assert Checkpoint.from_json(text) == checkpoint
    assert Checkpoint.from_json(text.encode()) == checkpoint


def test_a_checkpoint_of_a_release_that_knew_one_model_is_of_the_first() -> None:
    older = {k: v for k, v in asdict(CHECKPOINT).items() if k != "fallback"}
    assert Checkpoint.from_json(json.dumps(older)) == CHECKPOINT


@pytest.mark.parametrize("text", ["", "{", "\x00", "nothing", b"\xff\xfe\xff"])
def test_what_is_not_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(CheckpointError, match="JSON"):
        Checkpoint.from_json(text)


@pytest.mark.parametrize("text", ["null", "[]", "3"])
def test_what_is_no_object_is_refused_and_says_what_follows(text: str) -> None:
    with pytest.raises(CheckpointError, match="goes on from its transcript"):
        Checkpoint.from_json(text)


def test_a_checkpoint_of_the_next_release_keeps_what_is_known_of_it() -> None:
    newer = damaged(version=CHECKPOINT_VERSION + 1, held_reply={"text": "Yes", "at": [1, 2]})
    assert Checkpoint.from_json(newer) == CHECKPOINT


@pytest.mark.parametrize("missing", [field.name for field in fields(Checkpoint)])
def test_a_field_that_another_release_does_not_write_has_its_default(missing: str) -> None:
    older = {name: value for name, value in asdict(CHECKPOINT).items() if name != missing}
    default = getattr(NOTHING_KNOWN, missing)
    assert Checkpoint.from_json(json.dumps(older)) == replace(CHECKPOINT, **{missing: default})


@pytest.mark.parametrize(
    ("field", "value"),
    [("epoch", "3"), ("greeted", 1), ("handle", None), ("handle_lines", 4.0), ("epoch", True)],
)
def test_a_field_of_the_wrong_type_is_named(field: str, value: Any) -> None:
    with pytest.raises(CheckpointError, match=f"wrong type: {field}"):
        Checkpoint.from_json(damaged(**{field: value}))
