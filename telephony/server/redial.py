"""Lets a caller who was cut off and dials again continue the conversation, in a new call.

The new call begins with the lines of the old one, stored under ownership 0. The worker that takes
the new call finds them as it would find another worker's lines. A call that the caller or the agent
ended is not continued, and neither is one that a worker, or somebody else, still has.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.transcript import Line
from agent.store.base import CallRecord, Fenced, StoreAway
from agent.store.promises import Store
from telephony.call.ending import EndedReason
from telephony.server.admission import wall_time_ms
from telephony.server.patience import patiently
from telephony.server.worker import Worker

LONGEST_CALL_S = 24 * 3600
"""Twilio ends every call by then. A caller is remembered for so long, plus the redial window."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Left:
    """The data with which a new call begins."""

    checkpoint: Checkpoint | None = None
    lines: tuple[Line, ...] = ()


NOTHING = Left()


async def left_behind(worker: Worker, form: Mapping[str, str], record: CallRecord | None) -> Left:
    """The data that a new call gets from an earlier call of the same caller.

    Args:
        worker: The worker, for its settings and store.
        form: The new call's first webhook, checked. Twilio may repeat it to any worker.
        record: The stored record of the new call; None while the store is away.
    """
    window_s = worker.settings.redial_window_s
    caller = worker.admission.caller(form)
    if not window_s or caller is None or record is None:
        return NOTHING
    try:
        return await patiently(_left(worker.store, form["CallSid"], caller, window_s, record))
    except (StoreAway, Fenced):  # Fenced: the new call has begun on another worker meanwhile
        return NOTHING


async def _left(
    store: Store, call_sid: str, caller: str, window_s: int, record: CallRecord
) -> Left:
    if record.checkpoint is not None:  # a repeated webhook
        again = await store.look_up(call_sid)
        return NOTHING if again is None else Left(again.checkpoint, again.lines)
    before_sid = await store.note_caller(caller, call_sid, LONGEST_CALL_S + window_s)
    if before_sid in {None, call_sid}:
        return NOTHING
    before = await store.look_up(before_sid)
    if before is None or before.checkpoint is None or not before.lines:
        return NOTHING
    if wall_time_ms() - before.checkpoint.wall_time_ms > window_s * 1000:
        return NOTHING
    if not await _was_cut_off(store, before_sid, before):
        return NOTHING
    # A fresh session, which is told to speak again; the old one may still be open.
    checkpoint = replace(
        before.checkpoint,
        epoch=0,
        greeted=False,
        handle="",
        handle_lines=0,
        # What the old call has cost stands in its own record, and is booked.
        spent=0,
        tokens=0,
        began_ms=before.checkpoint.elapsed_at(wall_time_ms()),
        next_step="",
    )
    lines = tuple(replace(line, epoch=0) for line in before.lines)
    await store.append(call_sid, lines, 0)
    await store.save_checkpoint(call_sid, checkpoint, 0)
    log.info("call goes on after a redial", call_sid=call_sid, before=before_sid)
    return Left(checkpoint, lines)


async def _was_cut_off(store: Store, call_sid: str, record: CallRecord) -> bool:
    if record.status == "completed":
        return record.ended_reason == EndedReason.CUT_OFF
    if record.is_away:
        return False
    if await store.listeners(call_sid):
        return False
    # Its worker is dead, and the new call continues it
    await store.mark_completed(call_sid, EndedReason.CUT_OFF)
    return True
