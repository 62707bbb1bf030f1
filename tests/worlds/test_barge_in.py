"""Ten calls, twenty barge-ins each, at random instants of a reply."""

from functools import cache

import pytest

from agent.simulator.behaviour import Behaviour
from telephony.simulator.world import World
from tests.worlds import judge, scenarios
from tests.worlds.stale import stale_bytes

ON_ITS_WAY_MS = 100
"""How long a frame of the caller's takes to the worker, at most."""

every_call = pytest.mark.parametrize("seed", range(5))


@cache
def call(seed: int) -> World:
    return scenarios.world(scenarios.barge_ins(seed), seed, Behaviour())


@every_call
def test_a_barge_in_that_finds_unheard_audio_is_one_clear(seed: int) -> None:
    replies = judge.replies(call(seed))
    assert {reply.clears for reply in replies if reply.cut} == {1}
    # One that has just been heard to its end may be cleared too: its last mark is on its way.
    assert {reply.clears for reply in replies if not reply.cut} <= {0, 1}
    assert sum(reply.cut for reply in replies) >= 15  # the others were over before


@every_call
def test_nothing_of_a_reply_is_written_or_heard_after_its_clear(seed: int) -> None:
    assert stale_bytes(call(seed)) == 0


@every_call
def test_the_heard_text_of_a_cut_line_is_right_within_a_word(seed: int) -> None:
    replies, lines = judge.replies(call(seed)), judge.agent_lines(call(seed))
    off = [
        judge.words_off(line, reply.name, reply.heard_samples)
        for line, reply in zip(lines, replies, strict=True)
        if reply.cut
    ]
    assert max(off) <= 1


@every_call
def test_the_turn_after_a_barge_in_works(seed: int) -> None:
    world = call(seed)
    said = [utterance.name for _, utterance in world.phone.said]
    assert len(said) == 20
    assert [(u.phrase, u.coverage) for u in judge.heard(world)] == [(name, 1.0) for name in said]
    answers = [scenarios.GREETING, *(scenarios.ANSWERS[name] for name in said)]
    assert [(r.name, r.begins) for r in judge.replies(world)] == [(name, 0) for name in answers]
    assert not judge.replies(world)[-1].cut


@every_call
def test_a_reply_is_heard_without_a_gap_up_to_its_cut(seed: int) -> None:
    assert sum(reply.gaps for reply in judge.replies(call(seed))) == 0


@every_call
def test_every_line_is_stored_once_and_in_order(seed: int) -> None:
    world = call(seed)
    assert world.store.complaints == []
    assert [line.role for line in world.store.lines] == ["agent", *(["caller", "agent"] * 20)]
    assert not any(line.complaints for line in world.phone.lines)


@every_call
def test_a_line_of_the_caller_has_the_time_at_which_it_was_begun(seed: int) -> None:
    begun_ms = [at_ms for at_ms, _ in call(seed).phone.said]
    noted_ms = [line.at_ms for line in call(seed).store.lines if line.role == "caller"]
    late_ms = [noted - begun for noted, begun in zip(noted_ms, begun_ms, strict=True)]
    assert 0 <= min(late_ms) <= max(late_ms) <= ON_ITS_WAY_MS
