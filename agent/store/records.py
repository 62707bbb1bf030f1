"""Reads what the scripts return: the record of a call, its lines and its checkpoint."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import structlog

from agent.conversation.checkpoint import Checkpoint, CheckpointError
from agent.conversation.meter import NANO
from agent.conversation.next_step import By, Kind, Leg, NextStep, Stage
from agent.conversation.transcript import Line, Role
from agent.store.base import CallRecord, Direction, Fenced, HoursAre, Status
from agent.store.scripts import COST_PREFIX

MEASURED = "measured_"

log = structlog.get_logger(__name__)


def record_of(
    conversation_id: str, flat: list[str], checkpoint: str | None, entries: list[Any]
) -> CallRecord:
    """The record of a call.

    Args:
        conversation_id: The call, for the log.
        flat: The fields of its hash; names and values alternate.
        checkpoint: Its checkpoint, as stored.
        entries: The entries of its stream of lines.
    """
    fields = fields_of(flat)
    step = step_in(fields)
    besides = sum(int(n) for name, n in fields.items() if name.startswith(COST_PREFIX)) / NANO
    return CallRecord(
        status=cast("Status", fields["status"]),  # only our scripts write it
        ended_reason=fields["ended_reason"],
        epoch=int(fields["epoch"]),
        owner=fields["owner"],
        checkpoint=_checkpoint(conversation_id, checkpoint, step),
        lines=_lines(entries),
        persona=fields.get("persona", ""),
        usd=_usd(fields.get("usd", "unknown"), besides),
        besides_usd=besides,
        tokens=int(fields.get("tokens", 0)),
        seconds=int(fields.get("seconds", 0)),
        notes=fields.get("notes", ""),
        account=fields.get("account", ""),
        caller=fields.get("caller", ""),
        next_step=step,
        direction=cast("Direction", fields.get("direction", "inbound")),  # as the status
        consent=fields.get("consent", ""),
        hours=cast("HoursAre", fields.get("hours", "open")),  # as the status
        measured=_measured(fields),
        verdict=fields.get("verdict", ""),
    )


def step_in(fields: Mapping[str, str]) -> NextStep | None:
    """What is to happen with the line next, among a call's fields; None if nothing is."""
    if "next_step" not in fields:
        return None
    return NextStep(
        n=int(fields["next_step_n"]),
        kind=cast("Kind", fields["next_step"]),  # only our scripts write these
        to=fields["next_step_to"],
        by=cast("By", fields["next_step_by"]),
        stage=Stage(fields["next_step_stage"]),
        claim=fields["next_step_claim"],
        outcome=fields["next_step_outcome"],
        leg=Leg(fields.get("next_step_leg", "")),
        leg_id=fields.get("next_step_leg_id", ""),
        summary=fields.get("next_step_summary", ""),
        ours=fields.get("next_step_ours", ""),
        kept=fields.get("next_step_kept", ""),
        answered=fields.get("next_step_answered", "") == "1",
    )


def _measured(fields: Mapping[str, str]) -> dict[int, dict[str, int]]:
    epochs = sorted(
        int(name.removeprefix(MEASURED)) for name in fields if name.startswith(MEASURED)
    )
    return {epoch: json.loads(fields[f"{MEASURED}{epoch}"]) for epoch in epochs}


def _usd(text: str, besides: float) -> float | None:
    return None if text == "unknown" else round(float(text) + besides, 9)


def fields_of(flat: list[str]) -> dict[str, str]:
    """Read a script's reply, in which names and values alternate."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _lines(entries: list[Any]) -> tuple[Line, ...]:
    return tuple(
        Line(
            n=int(fields["n"]),
            role=cast("Role", fields["role"]),  # only our scripts write it
            text=fields["text"],
            heard=fields["heard"],
            at_ms=int(fields["at_ms"]),
            epoch=int(fields["epoch"]),
        )
        for fields in (fields_of(flat) for _, flat in entries)
    )


def _checkpoint(conversation_id: str, text: str | None, step: NextStep | None) -> Checkpoint | None:
    """The checkpoint, with the next step as it stands now. None if it cannot be read: that loses
    the session handle, not the call.
    """
    if text is None:
        return None
    try:
        kept = Checkpoint.from_json(text)
        return replace(kept, next_step="" if step is None else step.to_json())
    except CheckpointError as error:
        log.warning("checkpoint unreadable", conversation_id=conversation_id, error=str(error))
        return None


def accepted(answer: list[Any]) -> int:
    """The number that a script of ours returns.

    Raises:
        Fenced: Another worker has taken the call.
    """
    match answer:
        case ["fenced", epoch]:
            raise Fenced(epoch)
        case ["ok", value]:
            return int(value)
        case _:
            raise AssertionError(f"expected ok or fenced from our own script, got {answer!r}")
