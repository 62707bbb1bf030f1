"""Gemini's socket is lost at random instants of a question and its answer."""

import pytest

from tests.worlds import judge, seams
from tests.worlds.model_lost import MOMENTS, lose
from tests.worlds.unheard import unheard_speech_ms

LONG_WORD_FRAMES = 20

ON_ITS_WAY_MS = 100
"""How long a frame of the caller's takes to the worker, at most."""

every_loss = pytest.mark.parametrize("seed", range(3))
every_moment = pytest.mark.parametrize("moment", MOMENTS)


@every_loss
@every_moment
def test_every_ms_of_the_callers_speech_reaches_a_session(moment: str, seed: int) -> None:
    loss = lose(moment, seed)
    assert unheard_speech_ms(loss.world) == 0
    assert [judge.coverage(loss.world, name) for name in loss.asked] == [1.0, 1.0, 1.0]


@every_loss
@every_moment
def test_the_conversation_goes_on_without_a_second_greeting(moment: str, seed: int) -> None:
    loss = lose(moment, seed)
    assert loss.said_wrong == 0
    assert len(loss.world.links) == 2


@every_loss
@every_moment
def test_no_line_comes_twice(moment: str, seed: int) -> None:
    assert lose(moment, seed).lines_wrong == 0


@every_loss
@every_moment
def test_no_reply_has_a_gap(moment: str, seed: int) -> None:
    assert sum(reply.gaps for reply in judge.replies(lose(moment, seed).world)) == 0


@every_loss
@pytest.mark.parametrize("moment", ["silence", "utterance", "playing"])
def test_a_loss_that_leaves_time_to_resume_is_not_heard(moment: str, seed: int) -> None:
    assert lose(moment, seed).delay_ms <= 250


@every_loss
@pytest.mark.parametrize("moment", ["thinking", "generating"])
def test_an_answer_that_was_lost_is_asked_for_again_at_once(moment: str, seed: int) -> None:
    loss = lose(moment, seed)
    assert loss.delay_ms <= loss.most_late_ms


@pytest.mark.parametrize("seed", range(6))
def test_no_more_of_an_answer_is_heard_twice_than_the_word_that_broke_off(seed: int) -> None:
    said = {said.name: said for said in seams.said(lose("generating", seed).world)}
    assert max(each.twice_frames for each in said.values()) <= LONG_WORD_FRAMES


@every_loss
@every_moment
def test_words_that_were_heard_again_have_the_time_they_were_said(moment: str, seed: int) -> None:
    world = lose(moment, seed).world
    begun_ms = [at_ms for at_ms, _ in world.phone.said]
    noted_ms = [line.at_ms for line in world.store.lines if line.role == "caller"]
    late_ms = [noted - begun for noted, begun in zip(noted_ms, begun_ms, strict=True)]
    assert 0 <= min(late_ms) <= max(late_ms) <= ON_ITS_WAY_MS
