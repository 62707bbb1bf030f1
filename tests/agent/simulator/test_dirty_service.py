"""What the simulated Gemini does where its switches ask for it, beside what was measured."""

from dataclasses import replace
from itertools import pairwise

import pytest

from agent.simulator.behaviour import EXACT, Behaviour
from agent.simulator.client import VirtualClient
from agent.simulator.model import GeminiServer
from agent.simulator.script import shipped
from agent.simulator.voice import texts

ASKED, ANSWERED = texts()["caller/morgan"], texts()["agent/confirm"]


def asked(behaviour: Behaviour) -> VirtualClient:
    """A call in which one question was answered."""
    made = VirtualClient(GeminiServer(shipped("booking"), behaviour))
    made.greet()
    made.received.clear()
    made.speak("morgan")
    made.run(12_000)
    return made


def test_words_may_come_a_few_letters_at_a_time() -> None:
    made = asked(replace(EXACT, transcription="letters", transcription_gap_ms=100))
    assert "".join(made.understood) == ASKED
    assert max(len(piece) for piece in made.understood) == 5
    times = made.when("inputTranscription")
    assert [later - first for first, later in pairwise(times)] == ([100] * (len(times) - 1))


def test_words_may_carry_a_transcribers_marks() -> None:
    assert asked(replace(EXACT, markup=True)).understood == ["<noise>", ASKED, " <ctrl46>"]


def test_words_may_not_come_at_all() -> None:
    made = asked(replace(EXACT, transcription="nothing", output_transcription="nothing"))
    assert (made.understood, made.said) == ([], "")
    assert made.session.memory is not None
    assert made.session.memory.entries[-1].text == ANSWERED, "the model knows what it said"


def test_all_of_the_agents_words_may_come_with_its_first_audio() -> None:
    made = asked(replace(EXACT, output_transcription="first"))
    assert made.said == ANSWERED
    assert made.when("outputTranscription") == made.when("modelTurn")[:1]


def test_other_messages_may_come_in_between_and_change_nothing() -> None:
    made, plain = asked(replace(EXACT, other_messages=True)), asked(EXACT)
    assert made.when("usageMetadata") != plain.when("usageMetadata")
    assert [m for _, m in made.received if "unknownToThisSdk" in m]
    assert (made.pcm, made.understood) == (plain.pcm, plain.understood)
    assert made.when("modelTurn") == plain.when("modelTurn")


@pytest.mark.parametrize(("told", "message"), [(True, {"timeLeft": "4s"}), (False, {})])
def test_a_go_away_says_how_much_time_is_left_or_does_not(
    told: bool, message: dict[str, str]
) -> None:
    behaviour = replace(EXACT, lifetime_ms=5_000, go_away_ms=4_000, go_away_time=told)
    made = VirtualClient(GeminiServer(shipped("booking"), behaviour))
    made.run(2_000)
    assert made.of("goAway") == [message]


def test_the_level_of_speech_may_be_set() -> None:
    assert asked(replace(EXACT, speech_dbfs=-5.0)).session.heard == []
