"""Rows 45 and 46: the caller talks over replies, at random instants."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

from agent.conversation.events import CallerActivityStarted, CallerSaid, Interrupted
from agent.simulator.behaviour import Behaviour
from agent.simulator.voice import clip
from telephony.call.commands import SendClear
from telephony.simulator.script import HangUp, Step
from telephony.simulator.world import World
from tests.faults.table import Figure, Row, at_least, at_most, exactly, scaled
from tests.worlds import judge, scenarios
from tests.worlds.stale import stale_bytes

BARGE_INS = 500
A_CALL = 50
QUEUED_CALLS = 200

CUT_SHARE = 0.75
"""A quarter of the instants are so near to a reply's end that it may be over before."""

QUEUED_FROM_MS, QUEUED_UNTIL_MS = 3_500, 5_500
"""Of `times`, 11.5 s long: sent after 2.7 s, and most of it still to be heard."""


def anywhere(share: float) -> Sequence[Figure]:
    """Row 45: 50 barge-ins a call, the first in the greeting."""
    barge_ins = scaled(BARGE_INS, share, least=8)
    count = min(A_CALL, barge_ins)
    calls = range(-(-barge_ins // count))
    worlds = (scenarios.world(scenarios.barge_ins(n, count), n, Behaviour()) for n in calls)
    return _figures(worlds, len(calls), count, cut_share=CUT_SHARE)


def queued(share: float) -> Sequence[Figure]:
    """Row 46: over a reply of which the model has sent all, with 6 to 8 s of it queued."""
    calls = range(scaled(QUEUED_CALLS, share))
    return _figures((_over_the_queued(seed) for seed in calls), len(calls), 1, cut_share=1)


def _over_the_queued(seed: int) -> World:
    rng = Random(seed)
    at_ms = rng.randint(QUEUED_FROM_MS, QUEUED_UNTIL_MS)
    assert clip(f"agent/{scenarios.ANSWERS['repeat']}").duration_ms > QUEUED_UNTIL_MS
    steps = [
        Step(wait_for_agent=True, after_ms=300, deed=scenarios.say("repeat")),
        Step(barge_in_ms=at_ms, deed=scenarios.say(rng.choice(scenarios.QUESTIONS))),
        Step(wait_for_agent=True, after_ms=300, deed=HangUp()),
    ]
    return scenarios.world(steps, seed, replace(Behaviour(), stale_audio=seed % 2 == 0))


def _figures(
    worlds: Iterable[World], calls: int, count: int, *, cut_share: float
) -> Sequence[Figure]:
    barge_ins, clears, cuts, late_ms, stale, off, failed, gaps = 0, 0, 0, 0, 0, 0, 0, 0
    for world in worlds:
        replies, lines = judge.replies(world), judge.agent_lines(world)
        cuts += sum(reply.cut for reply in replies)
        clears += sum(len(line.clears) for line in world.phone.lines)
        barge_ins += _talked_over(world, replies)
        late_ms = max([late_ms, *_clears_late_ms(world)])
        stale += stale_bytes(world)
        for line, reply in zip(lines, replies, strict=True):
            if reply.cut:
                off = max(off, judge.words_off(line, reply.name, reply.heard_samples))
        said = [utterance.name for _, utterance in world.phone.said]
        answers = [scenarios.GREETING, *(scenarios.ANSWERS[name] for name in said)]
        failed += [reply.name for reply in replies] != answers or replies[-1].cut
        gaps += sum(reply.gaps for reply in replies)
    return [
        Figure("calls", calls, None),
        Figure(
            "barge-ins while the agent was heard", barge_ins, at_least(calls * count * cut_share)
        ),
        Figure("replies cut", cuts, at_least(calls * count * cut_share)),
        Figure("clears", clears, at_least(cuts)),
        Figure("clear after the signal, most", late_ms, at_most(20), "ms"),
        Figure("bytes of a stopped reply after its clear", stale, exactly(0)),
        Figure("heard text off by, most", off, at_most(1), "words"),
        Figure(f"calls of {count} in which a turn failed", failed, exactly(0)),
        Figure("gaps in replies", gaps, exactly(0)),
    ]


def _talked_over(world: World, replies: Sequence[judge.Reply]) -> int:
    """How often the caller began to speak while a reply was heard."""
    heard = [
        (reply.spans[0].at_ms, reply.spans[-1].at_ms + len(reply.spans[-1].ulaw) // 8)
        for reply in replies
    ]
    return sum(any(a <= ms <= b for a, b in heard) for ms, _ in world.phone.said)


def _clears_late_ms(world: World) -> list[int]:
    """From the last thing that the model told of the caller to each clear."""
    told_ms, late_ms = 0, []
    for step in world.steps:
        if isinstance(step.event, Interrupted | CallerActivityStarted | CallerSaid):
            told_ms = step.at_ms
        if any(isinstance(command, SendClear) for command in step.commands):
            late_ms.append(step.at_ms - told_ms)
    return late_ms


ROWS = (
    Row(45, "barge-ins at random instants, 50 a call", anywhere, virtual=True, cost_s=60),
    Row(46, "barge-in with the whole reply queued", queued, virtual=True, cost_s=50),
)
