"""Lines and models that behave otherwise than most, as was reported of the real ones."""

from dataclasses import replace

import pytest

from agent.simulator.behaviour import Behaviour
from agent.simulator.faults import GoAway
from telephony.simulator.faults import LineFaults
from tests.worlds import judge, scenarios
from tests.worlds.stale import stale_bytes

BARGE_INS = 8
"""Two at each of the places in a reply. tests/worlds/test_barge_in.py has more."""


@pytest.mark.parametrize("seed", range(2))
def test_a_caller_whose_line_delivers_nothing_in_silence_is_answered(seed: int) -> None:
    world = scenarios.world(
        scenarios.barge_ins(seed, BARGE_INS),
        seed,
        Behaviour(),
        line_faults=LineFaults(idle_silence=False),
    )
    said = [utterance.name for _, utterance in world.phone.said]
    assert len(said) == BARGE_INS
    assert [u.phrase for u in judge.heard(world)] == said
    assert min(u.coverage for u in judge.heard(world)) > 0.9
    assert stale_bytes(world) == 0


@pytest.mark.parametrize(
    "behaviour",
    [
        replace(Behaviour(), chunk_ms=40),
        replace(Behaviour(), turn_complete_at="last audio"),
        replace(Behaviour(), transcription="words", output_transcription="before"),
        replace(Behaviour(), stale_audio=True),
        replace(Behaviour(), voice_activity=False),
    ],
    ids=["small chunks", "early turns", "as 2.5 did", "stale audio", "no activity"],
)
def test_barge_ins_work_with_every_way_the_model_was_seen_to_talk(
    behaviour: Behaviour,
) -> None:
    world = scenarios.world(scenarios.barge_ins(0, BARGE_INS), 0, behaviour)
    replies = judge.replies(world)
    said = [utterance.name for _, utterance in world.phone.said]
    assert len(said) == BARGE_INS
    assert {reply.clears for reply in replies if reply.cut} == {1}
    assert stale_bytes(world) == 0
    assert sum(reply.gaps for reply in replies) == 0
    assert [u.phrase for u in judge.heard(world)] == said
    assert world.store.complaints == []


def test_a_question_that_is_sent_again_is_stored_once() -> None:
    world = scenarios.world(
        scenarios.questions("q1", "q2", "q3"), 28, Behaviour(), (7_718, GoAway(5_000))
    )
    asked = [line.text for line in world.store.lines if line.role == "caller"]
    words = " ".join(asked).split()
    assert words == " ".join(u.text for _, u in world.phone.said).split()
