"""The ways in which a warm transfer ends, and what comes of each: `python -m` prints the table.

Each ends once as Twilio has it, once with every webhook twice and late, and once for each operation
of the first worker, before which that worker dies.
"""

import asyncio
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import structlog

from tests.telephony.server.warm_twilio import Paper, Person


class Ending(NamedTuple):
    """One way in which a transfer ends.

    Args:
        given: The arguments of `Paper`.
        caller: Where the caller is in the end.
        outcome: How the step has ended.
    """

    given: Mapping[str, Any]
    caller: str
    outcome: str


ACCEPTS = Person(key="1", talks_ms=30_000)
STAYS = replace(ACCEPTS, talks_ms=0)
NO_ANSWER = Person(20_000, never="no-answer")
OVER = ("over", "completed")
ENDINGS = {
    "accepted; the target hangs up": Ending({"person": ACCEPTS}, *OVER),
    "accepted; the caller hangs up": Ending({"person": STAYS, "leaves_ms": 60_000}, *OVER),
    "declined": Ending({"person": Person(key="2")}, "agent", "declined"),
    "accepted; the answer is lost": Ending(
        {"person": Person(key="1", lost_ms=16_000)}, "agent", "failed"
    ),
    "no key": Ending({"person": Person()}, "agent", "not-taken"),
    "target hangs up in the briefing": Ending(
        {"person": Person(hangs_up_ms=2_000)}, "agent", "not-taken"
    ),
    "busy": Ending({"person": Person(1_000, never="busy")}, "agent", "busy"),
    "no answer": Ending({"person": NO_ANSWER}, "agent", "no-answer"),
    "failed": Ending({"person": Person(1_000, never="failed")}, "agent", "failed"),
    "refused by the REST API": Ending({"person": Person(), "refuses": True}, "agent", "failed"),
    "voicemail": Ending({"person": Person(answered_by="machine_start")}, "agent", "voicemail"),
    "caller hangs up while it rings": Ending(
        {"person": ACCEPTS, "leaves_ms": 2_000}, "over", "caller-left"
    ),
    "caller hangs up in the briefing": Ending(
        {"person": ACCEPTS, "leaves_ms": 6_000}, "over", "caller-left"
    ),
    "worker killed while it rings": Ending({"person": ACCEPTS, "dies_ms": 2_000}, *OVER),
    "worker killed in the briefing": Ending({"person": ACCEPTS, "dies_ms": 6_000}, *OVER),
}


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one ending.

    Args:
        plain: How it went as Twilio has it.
        dirty: How it went with every webhook twice, and the leg's reports late.
        killed: How it went for each operation before which the first worker died.
    """

    plain: Paper
    dirty: Paper
    killed: tuple[Paper, ...]

    @property
    def all(self) -> tuple[Paper, ...]:
        """All of them."""
        return (self.plain, self.dirty, *self.killed)


def legs_up(paper: Paper) -> int:
    """How many legs ring or talk when everything is over."""
    return int(paper.leg not in {"", "over"})


def outlived_ms(paper: Paper) -> int:
    """How much longer than the caller the leg rang or talked."""
    if paper.left_ms is None or paper.leg_ended_ms is None:
        return 0
    return max(0, paper.leg_ended_ms - paper.left_ms)


async def row(name: str) -> Row:
    """Let one ending happen in all these ways."""
    given = ENDINGS[name].given
    plain, dirty = Paper(**given), Paper(**given, twice=True, late=True)
    await plain.run()
    await dirty.run()
    killed = tuple(
        Paper(**given, kill_at=at, twice=bool(at % 2)) for at in range(1, plain.operations + 1)
    )
    for paper in killed:
        await paper.run()
    return Row(plain, dirty, killed)


def line(name: str, found: Row) -> str:
    """The row as a line of a table in Markdown."""
    paper, killed = found.plain, found.killed
    acts = [str(paper.acts.count(act)) for act in ("place", "redirect", "hang up")]
    waits = sum(each.caller == "hold" for each in killed)
    up = sum(map(legs_up, killed))
    twice = sum(each.acts.count(act) > 1 for each in killed for act in ("place", "redirect"))
    cells = [
        name,
        {"agent": "with the agent", "over": "hung up"}[paper.caller],
        paper.step.outcome,
        str(legs_up(paper)),
        *acts,
        f"{len(killed)}: {waits}, {up}, {twice}",
    ]
    return f"| {' | '.join(cells)} |"


HEAD = """\
| how it ends | caller in the end | outcome | legs left up | calls placed | caller brought back | \
leg ended by us | worker killed at each of n operations: callers left waiting, legs left up, acts \
done twice |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


async def table() -> str:
    """The whole table."""
    return "\n".join([HEAD, *[line(name, await row(name)) for name in ENDINGS]])


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sys.stdout.write(asyncio.run(table()) + "\n")
