"""Rows 15 to 17: what the session after the next knows, says again, and costs."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from agent.conversation.commands import AppendLine, OpenModel
from agent.conversation.events import SessionLost, SessionRefused
from agent.simulator.faults import Close, DropHandles, Reset
from telephony.call.commands import EndCall
from telephony.simulator.script import Script
from telephony.simulator.world import World
from tests.faults.table import Figure, Row, at_least, at_most, exactly, scaled
from tests.worlds import judge, scenarios, seams
from tests.worlds.model_lost import WORD_FRAMES, window_ms
from tests.worlds.sdk import WireSdk

CALLS = 200
REFUSALS = (1007, 1008, 1011)

TURNS = 10_000
TURNS_A_CALL = 50
LOST_SHARE = 0.01


def refused(share: float) -> Sequence[Figure]:
    """Row 15: the session is lost after a reply was talked over, and its handle is refused."""
    calls = scaled(CALLS, share)
    extra: dict[int, int] = dict.fromkeys(REFUSALS, 0)
    unknown, greetings, refusals = 0, 0, 0
    for seed in range(calls):
        for code in REFUSALS:
            world = _refused(seed, code)
            dials = _dials(world)
            extra[code] = max(extra[code], len(dials) - 2)
            told_ms, fresh = next((ms, dial) for ms, dial in dials[1:] if not dial.handle)
            refusals += sum(
                isinstance(step.event, SessionRefused) and step.event.code == code
                for step in world.steps
            )
            unknown += not _knows_all(world, told_ms, fresh)
            names = [reply.name for reply in judge.replies(world)]
            greetings += names.count(scenarios.GREETING) - 1
    return [
        Figure("calls", calls * len(REFUSALS), None),
        Figure("handles refused", refusals, exactly(calls * len(REFUSALS))),
        *(Figure(f"extra connects, {code}", extra[code], at_most(1)) for code in REFUSALS),
        Figure("fresh sessions not told all that was heard", unknown, exactly(0)),
        Figure("second greetings", greetings, exactly(0)),
    ]


def _knows_all(world: World, told_ms: int, fresh: OpenModel) -> bool:
    """Whether a session that was dialled then was told all that either side had heard.

    A reply that is still heard then is told as far as it has come. If the caller cuts it later, it
    was told a word or two that nobody has heard: what comes after the dial, nobody can know. A
    question that is open is sent again as audio.
    """
    lines = [line for line in world.store.lines if line.at_ms < told_ms]
    while lines and lines[-1].role == "caller":
        lines.pop()
    final_ms = {
        command.line.n: step.at_ms
        for step in world.steps
        for command in step.commands
        if isinstance(command, AppendLine)
    }
    if [line.role for line in lines] != [told.role for told in fresh.history]:
        return False
    return all(
        told.heard == line.heard
        or (
            final_ms[line.n] > told_ms
            and told.heard.startswith(line.heard)
            and line.text.startswith(told.heard)
        )
        for told, line in zip(fresh.history, lines, strict=True)
    )


def _refused(seed: int, code: int) -> World:
    behaviour = replace(scenarios.ROW, unknown_handle=Close(code, "refused"))
    steps = scenarios.barge_ins(seed, 3)
    uncut = scenarios.world(steps, seed, behaviour)
    at_ms = Random(seed).randint(*_silence(uncut))
    # In this order, else a handle that is made at that very instant is good.
    faults = ((at_ms, Reset()), (at_ms, DropHandles()))
    return scenarios.world(steps, seed, behaviour, *faults)


def _silence(world: World) -> tuple[int, int]:
    """When the second question is said."""
    said_ms, question = world.phone.said[1]
    return said_ms, said_ms + question.duration_ms


def _dials(world: World) -> list[tuple[int, OpenModel]]:
    return [
        (step.at_ms, command)
        for step in world.steps
        for command in step.commands
        if isinstance(command, OpenModel)
    ]


def said_again(share: float) -> Sequence[Figure]:
    """Row 16: the resumed session sends its last turn once more, with or without its audio."""
    calls = scaled(CALLS, share, least=2)
    words, replies = 0, 0
    for seed in range(calls):
        asked = tuple(Random(seed).sample(scenarios.QUESTIONS, 3))
        steps = scenarios.questions(*asked)
        uncut = scenarios.world(steps, seed, scenarios.ROW)
        moment = ("silence", "utterance", "playing")[seed % 3]
        at_ms = Random(seed).randint(*window_ms(moment, uncut, scenarios.ANSWERS[asked[0]]))
        behaviour = replace(scenarios.ROW, replays="all" if seed % 2 else "words")
        world = scenarios.world(steps, seed, behaviour, (at_ms, Reset()))
        words += abs(_words(world) - _words(uncut))
        names = [reply.name for reply in judge.replies(world)]
        replies += abs(len(names) - len(asked) - 1)
    return [
        Figure("calls", calls, None),
        Figure("words doubled or lost in the transcript", words, exactly(0)),
        Figure("replies heard twice", replies, exactly(0)),
    ]


def _words(world: World) -> int:
    return sum(len(line.text.split()) for line in world.store.lines)


def turns_lost(share: float) -> Sequence[Figure]:
    """Row 17: one turn in a hundred ends with 1011."""
    turns = scaled(TURNS, share, least=10)
    asked = meant = lost = dropped = missing = 0
    most_dials = 0.0
    for seed in range(-(-turns // TURNS_A_CALL)):
        rng = Random(seed)
        count = min(TURNS_A_CALL, turns - asked)
        names = [rng.choice(scenarios.QUESTIONS) for _ in range(count)]
        world = World(
            Script(tuple(scenarios.questions(*names)), quiet_ms=QUIET_MS),
            scenarios.model(seed, scenarios.ROW),
            WireSdk(),
            seed=seed,
        )
        for turn in range(count):
            if rng.random() < LOST_SHARE or (seed == 0 and turn == count // 2):
                meant += 1
                world.at(int((turn + rng.random()) * TURN_MS), Close())
        world.run(count * 3 * TURN_MS)
        losses = sum(isinstance(step.event, SessionLost) for step in world.steps)
        asked, lost = asked + count, lost + losses
        ends = [c.reason for step in world.steps for c in step.commands if isinstance(c, EndCall)]
        dropped += ends != ["caller_hangup"]
        whole = [said.name for said in seams.said(world) if said.lost_frames < WORD_FRAMES]
        missing += whole[1:] != [scenarios.ANSWERS[name] for name in names]
        most_dials = max(most_dials, (len(_dials(world)) - 1) / max(1, losses))
    return [
        Figure("turns", asked, None),
        Figure("turns meant to end with 1011", meant, at_least(max(1, turns * LOST_SHARE / 2))),
        Figure("turns that did", lost, exactly(meant)),
        Figure("calls dropped", dropped, exactly(0)),
        Figure("calls in which an answer is missing", missing, exactly(0)),
        Figure("connects for each loss, most", most_dials, at_most(1)),
    ]


QUIET_MS = 2_000
"""A caller more patient than a lost session takes to answer: one who is not asks the next question
into the answer that comes again, and rightly does not hear its end."""

TURN_MS = 7_100
"""About what a question and its answer take."""


ROWS = (
    Row(15, "a handle is refused", refused, virtual=True, cost_s=230),
    Row(16, "a resumed session says its last turn again", said_again, virtual=True, cost_s=80),
    Row(17, "1 % of turns end with 1011", turns_lost, virtual=True, cost_s=500),
)
