"""Every recorded call that one server can live goes over real sockets once, ten at a time."""

from pathlib import Path

import pytest

from telephony.replay.suite import find
from telephony.replay.verdict import Options, Verdict
from telephony.wire_replay.compare import CUT_MS
from telephony.wire_replay.judge import AT_ONCE, judge_all

CALLS = Path(__file__).parents[2] / "fixtures/calls"

LOST = "a worker that was lost in the middle of the call"
LATER = "CallOpened of a call that another worker began"
TOOL = "ActsStored"
"""Its tools are not in a recording."""

REFUSED = {
    "budget-spent.call": "BudgetSpent",
    "closed-message-left.call": TOOL,
    "digits-said.call": TOOL,
    "digits-typed.call": TOOL,
    "elsewhere.2.call": LATER,
    "elsewhere.call": "OwnershipLost",
    "end-requested.call": "EndRequested",
    "hand-over.2.call": LATER,
    "keys-sent.2.call": LATER,
    "keys-sent.call": TOOL,
    "message-taken.call": TOOL,
    "message-worker-killed.2.call": LATER,
    "message-worker-killed.call": TOOL,
    "old-stream.call": "Mark of another stream",
    "screened-machine.call": "EndRequested",
    "secure-entry-given-up.call": TOOL,
    "secure-entry.call": TOOL,
    "sms-sent.call": TOOL,
    "sms-worker-killed.2.call": LATER,
    "sms-worker-killed.call": TOOL,
    "store-away.call": "StoreAway",
    "tool-called-twice.call": TOOL,
    "tool-crossed.call": TOOL,
    "tool-empty.call": TOOL,
    "tool-failed.call": TOOL,
    "tool-hangs.call": TOOL,
    "tool-huge.call": TOOL,
    "tool-looked-up.call": TOOL,
    "tool-session-lost.call": TOOL,
    "tool-slow.call": TOOL,
    "tool-taken-back.call": TOOL,
    "tool-talked-over.call": TOOL,
    "tool-worker-killed.2.call": LATER,
    "tool-worker-killed.call": TOOL,
    "transfer-busy.2.call": LATER,
    "transfer-busy.call": TOOL,
    "transfer-no-answer.2.call": LATER,
    "transfer-no-answer.call": TOOL,
    "transfer-worker-killed.2.call": LATER,
    "transfer-worker-killed.call": TOOL,
    "transferred.call": TOOL,
    "warm-accepted.call": TOOL,
    "warm-caller-left.call": TOOL,
    "warm-declined.2.call": LATER,
    "warm-declined.call": TOOL,
    "worker-killed-in-answer.2.call": LATER,
    "worker-killed-in-answer.call": LOST,
    "worker-killed.2.call": LATER,
    "worker-killed.call": LOST,
}
"""What of each one server and two real ends cannot cause."""

STALLED_MS = CUT_MS // 2
"""Of a process that was held up for longer, a call tells nothing: what it did late adds to what may
differ anyway."""

ATTEMPTS = 3


def on_the_wire(folders: list[Path]) -> list[Verdict]:
    """The verdicts. What was held up by the machine, as measured, is replayed again, right or
    wrong."""
    verdicts: dict[Path, Verdict] = {}
    for _ in range(ATTEMPTS):
        again = [f for f in folders if f not in verdicts or verdicts[f].stall_ms > STALLED_MS]
        verdicts |= dict(zip(again, judge_all(again, Options(), AT_ONCE), strict=True))
    return list(verdicts.values())


@pytest.mark.timeout(600)
def test_every_recorded_call_that_one_server_can_live_passes_on_the_wire() -> None:
    folders = find([CALLS])
    verdicts = on_the_wire(folders)
    refused = {Path(v.path).name: v.error for v in verdicts if v.error}
    assert refused.keys() == REFUSED.keys()
    for name, why in refused.items():
        assert f"one server can cause, got {REFUSED[name]}; fix: replay it without --wire" in why
    different = {v.path: (v.broken, v.stall_ms) for v in verdicts if not (v.passed or v.error)}
    assert different == {}
