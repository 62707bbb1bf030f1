"""What the caller understands of the agent, and whether that follows the script."""

import pytest

from agent.simulator.voice import clip, texts
from telephony.audio.formats import PHONE_RATE_HZ, PHONE_SAMPLES_PER_MS
from telephony.audio.g711 import encode
from telephony.simulator.report import AgentHeard, AgentQuiet, CallerSpoke, CallEvent
from telephony.simulator.script import Script, parse
from telephony.simulator.understanding import Understanding, Words

ASKS = """
[[steps]]
wait = "agent"
say = "q1"

[[steps]]
wait = "agent"
say = "q2"
"""
EXPECTS = ASKS.replace('"q2"', '"q2"\nanswer = "a2"')


def heard(name: str, ms: int | None = None, role: str = "agent") -> bytes:
    """A clip as it comes over the telephone, or the beginning of it."""
    ulaw = encode(clip(f"{role}/{name}", PHONE_RATE_HZ).pcm)
    return ulaw if ms is None else ulaw[: ms * PHONE_SAMPLES_PER_MS]


def turn(at_ms: int, ulaw: bytes) -> list[CallEvent]:
    ends_ms = at_ms + len(ulaw) // PHONE_SAMPLES_PER_MS
    return [AgentHeard(at_ms, None), AgentQuiet(ends_ms, ulaw)]


def said(at_ms: int, name: str) -> CallerSpoke:
    return CallerSpoke(at_ms, name, texts()[f"caller/{name}"], 1_000)


async def concluded(script: Script, *events: CallEvent) -> tuple[str, ...]:
    understanding = Understanding(script)
    for event in events:
        understanding(event)
    return await understanding.conclude()


async def words(ulaw: bytes) -> Words:
    told: list[Words] = []
    understanding = Understanding(parse(ASKS), tell=told.append)
    for event in turn(2_000, ulaw):
        understanding(event)
    await understanding.conclude()
    (one,) = told
    return one


@pytest.mark.parametrize(
    "name", [name.removeprefix("agent/") for name in texts() if name.startswith("agent/")]
)
async def test_every_phrase_of_the_agent_is_known(name: str) -> None:
    assert await words(heard(name)) == Words(2_000, name, texts()[f"agent/{name}"], whole=True)


async def test_a_long_phrase_that_was_talked_over_is_told_as_far_as_it_was_heard() -> None:
    told = await words(heard("times", 2_500))
    assert (told.name, told.whole) == ("times", False)
    assert told.text.startswith("With pleasure. Tomorrow evening we")
    assert len(told.text.split()) < 20


@pytest.mark.parametrize(
    "ulaw", [heard("q5", role="caller"), b"\x00\x80" * 4_000, heard("times", 20)]
)
async def test_other_words_and_noise_are_not_taken_for_a_phrase(ulaw: bytes) -> None:
    assert await words(ulaw) == Words(2_000, None, "", whole=False)


async def test_a_call_that_goes_by_its_script_is_no_problem() -> None:
    events = [
        *turn(0, heard("greeting")),
        said(5_000, "q1"),
        *turn(8_000, heard("a1")),
        said(13_000, "q2"),
        *turn(16_000, heard("a2")),
    ]
    assert await concluded(parse(EXPECTS), *events) == ()


async def test_an_agent_that_has_no_answer_is_named_with_the_step_and_what_was_heard() -> None:
    events = [said(0, "q1"), *turn(3_000, heard("a1")), said(9_000, "q2")]
    (problem,) = await concluded(parse(ASKS), *events, *turn(12_000, heard("sorry")))
    assert problem.startswith("step 2: the caller said “Do you have a garden?”, and the agent did")
    assert problem.endswith("heard: “Sorry, I did not catch that. Could you say it again?”")


async def test_another_answer_than_the_script_wants_is_named() -> None:
    events = [said(0, "q1"), said(9_000, "q2"), *turn(12_000, heard("a3"))]
    (problem,) = await concluded(parse(EXPECTS), *events)
    assert "“Yes, we have a small garden behind the house, with a fountain.” was" in problem
    assert "heard: “Dogs are welcome on the terrace." in problem


async def test_no_answer_where_the_script_wants_one_is_named() -> None:
    (problem,) = await concluded(parse(EXPECTS), said(0, "q1"), said(9_000, "q2"))
    assert problem.endswith("nothing was heard")


async def test_a_turn_that_was_talked_over_does_not_answer_what_was_said_over_it() -> None:
    over, answer = turn(0, heard("sorry")), turn(4_000, heard("a1"))
    script = parse('[[steps]]\nbarge_in_ms = 500\nsay = "q1"')
    assert await concluded(script, over[0], said(500, "q1"), over[1], *answer) == ()
