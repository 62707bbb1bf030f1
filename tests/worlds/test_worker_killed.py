"""A worker is killed at a random instant; another one goes on from what is stored."""

from dataclasses import replace

import pytest

from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.simulator.world_faults import KillWorker
from tests.worlds import judge, scenarios
from tests.worlds.killed import kill

LAG_MS = 80
"""What the caller has heard is known this much later, stored, and counted in frames."""

every_kill = pytest.mark.parametrize("seed", range(8))


@every_kill
def test_the_lines_go_on_without_a_gap_or_a_duplicate(seed: int) -> None:
    world = kill(seed).world
    assert world.store.complaints == []
    assert [line.n for line in world.store.lines] == list(range(1, len(world.store.lines) + 1))
    asked = [line.text for line in world.store.lines if line.role == "caller"]
    assert len(set(asked)) == len(asked)
    assert {line.epoch for line in world.store.lines} <= {1, 2}


@every_kill
def test_what_is_asked_on_the_next_worker_is_answered(seed: int) -> None:
    world = kill(seed).world
    assert len(world.workers) == len(world.phone.lines) == 2
    again_ms = world.phone.lines[1].media_start_ms
    asked = [utterance.name for at_ms, utterance in world.phone.said if at_ms >= again_ms]
    answers = [reply.name for reply in judge.replies(world) if reply.stream == 1]
    assert asked
    assert answers[-len(asked) :] == [scenarios.ANSWERS[name] for name in asked]


@every_kill
def test_the_model_still_knows_what_was_said_before(seed: int) -> None:
    world = kill(seed).world
    session = world.links[-1].session
    assert session is not None
    assert session.memory is not None
    known = [entry.text for entry in session.memory.entries]
    for line in world.store.lines:
        assert any(text.startswith(line.heard) for text in known), line


@pytest.mark.parametrize("seed", range(4))
def test_a_greeting_heard_for_300_ms_is_not_given_again(seed: int) -> None:
    replies = judge.replies(kill(seed, 2_000, 4_000).world)
    heard_ms = replies[0].heard_samples // PHONE_SAMPLES_PER_MS
    assert replies[0].name == scenarios.GREETING
    assert heard_ms >= 300 + LAG_MS
    assert scenarios.GREETING not in [reply.name for reply in replies[1:]]


def test_a_greeting_that_was_hardly_heard_is_given_again() -> None:
    replies = judge.replies(kill(0, 1_000, 1_000).world)
    assert [reply.name for reply in replies].count(scenarios.GREETING) == 1
    assert replies[0].stream == 1


@pytest.mark.parametrize("seed", range(3))
def test_after_a_greeting_whose_words_never_came_the_next_worker_answers_nobody(seed: int) -> None:
    behaviour = replace(scenarios.ROW, output_transcription="nothing")
    steps = scenarios.questions("q1", after_ms=6_000)
    world = scenarios.world(steps, seed, behaviour, (6_000 + 500 * seed, KillWorker()))
    replies = judge.replies(world)
    assert [(reply.stream, reply.name) for reply in replies] == [(0, "greeting"), (1, "a1")]
    assert not replies[0].cut
