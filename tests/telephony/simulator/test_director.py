import pytest

from agent.simulator.voice import agent_clip
from telephony.audio.g711 import encode
from telephony.audio.resample import model_to_phone
from telephony.simulator.director import Action, Director, Press
from telephony.simulator.ear import last_sound_ms
from telephony.simulator.script import Cut, HangUp, Utterance, parse

LOUD = encode(b"\x00\x10" * 160)
QUIET = b"\xff" * 160


def play(
    text: str, agent: list[tuple[int, int]], until_ms: int
) -> tuple[Director, list[tuple[int, Action]]]:
    """The caller's actions with their times, when the agent is heard in the given stretches."""
    director, actions = Director(parse(text)), []
    for now_ms in range(0, until_ms, 20):
        loud = any(first <= now_ms < last for first, last in agent)
        director.hear(LOUD if loud else QUIET, now_ms)
        actions += [(now_ms, action) for action in director.step(now_ms)]
    return director, actions


def names(actions: list[tuple[int, Action]]) -> list[tuple[int, str]]:
    return [(at, each.name if isinstance(each, Utterance) else repr(each)) for at, each in actions]


def test_the_caller_waits_until_the_agent_has_been_quiet_for_long_enough() -> None:
    _, actions = play(
        'steps = [{wait = "agent", say = "table"}]', [(1000, 2000), (2600, 3000)], 6000
    )
    # The pause of 600 ms is a part of the turn; 700 ms after its end, the caller speaks.
    assert names(actions) == [(3700, "table")]


def test_after_ms_counts_from_what_was_waited_for() -> None:
    _, actions = play('steps = [{wait = "agent", after_ms = 200, press = "1"}]', [(0, 1000)], 3000)
    assert actions == [(1900, Press("1"))]


def test_a_barge_in_comes_so_long_after_the_agent_is_first_heard() -> None:
    _, actions = play(
        'steps = [{say = "morgan"}, {barge_in_ms = 500, say = "half-past"}]', [(3000, 9000)], 6000
    )
    assert names(actions) == [(0, "morgan"), (3500, "half-past")]


def said(name: str) -> bytes:
    """A clip of the agent's as a caller hears it: µ-law in whole frames."""
    resampler = model_to_phone()
    ulaw = encode(resampler.push(agent_clip(name).pcm) + resampler.flush())
    return ulaw + QUIET[: -len(ulaw) % len(QUIET)]


def hear(director: Director, ulaw: bytes, from_ms: int) -> tuple[int, list[tuple[int, Action]]]:
    """The time after a stretch of sound, and what the caller did meanwhile."""
    actions: list[tuple[int, Action]] = []
    for at in range(0, len(ulaw), len(QUIET)):
        now_ms = from_ms + at // 8
        director.hear(ulaw[at : at + len(QUIET)], now_ms)
        actions += [(now_ms, action) for action in director.step(now_ms)]
    return from_ms + len(ulaw) // 8, actions


@pytest.mark.parametrize("shift", [0, 1, 159])
def test_a_caller_waits_for_the_last_words_of_a_clip_over_any_silence(shift: int) -> None:
    """The agent falls silent for 3 s in the middle, and goes on in another place of a frame."""
    director = Director(parse('quiet_ms = 400\nsteps = [{until_said = "goodbye", press = "1"}]'))
    clip = said("goodbye")
    half = len(clip) // 320 * 160
    now_ms, early = hear(director, clip[:half] + QUIET * 150, 0)
    rest = QUIET[:shift] + clip[half:]
    _, actions = hear(director, rest + QUIET[: -len(rest) % len(QUIET)] + QUIET * 10, now_ms)
    assert early == []
    [(pressed_ms, action)] = actions
    assert action == Press("1")
    ended_ms = now_ms + last_sound_ms(clip) - half // 8
    assert ended_ms - 20 <= pressed_ms <= ended_ms + 40


def test_other_words_are_not_those_a_caller_waits_for() -> None:
    director = Director(parse('steps = [{until_said = "goodbye", press = "1"}]'))
    assert hear(director, said("sorry") + said("still-here") + QUIET * 100, 0)[1] == []


def test_words_from_before_the_callers_own_do_not_count() -> None:
    again = '{until_said = "goodbye", press = "1"}'
    director = Director(parse(f'steps = [{{until_said = "goodbye", say = "morgan"}}, {again}]'))
    now_ms, actions = hear(director, said("goodbye") + QUIET * 300, 0)
    assert [name for _, name in names(actions)] == ["morgan"]
    _, actions = hear(director, said("goodbye"), now_ms)
    assert [action for _, action in actions] == [Press("1")]


def test_a_reply_talked_over_is_not_taken_for_the_next_one() -> None:
    text = 'steps = [{barge_in_ms = 500, say = "morgan"}, {wait = "agent", say = "goodbye"}]'
    _, actions = play(text, [(0, 900), (4000, 5000)], 8000)
    assert names(actions) == [(500, "morgan"), (5700, "goodbye")]


def test_a_turn_tells_how_long_the_agent_took_to_answer() -> None:
    director, _ = play(
        'steps = [{wait = "agent", say = "morgan"}]', [(0, 1000), (4000, 5000)], 7000
    )
    greeting, answer = director.ear.turns
    assert (greeting.started_ms, greeting.ended_ms, greeting.response_ms) == (0, 1000, None)
    said = parse('steps = [{say = "morgan"}]').steps[0].deed
    assert isinstance(said, Utterance)
    silent_tail_ms = answer.started_ms - 1700 - said.duration_ms
    assert answer.response_ms is not None
    assert silent_tail_ms <= answer.response_ms <= silent_tail_ms + 100


def test_a_caller_waits_until_there_is_a_line_again() -> None:
    director = Director(parse('steps = [{cut = "reset"}, {wait = "line", press = "1"}]'))
    director.hear(QUIET, 0)
    assert director.step(20) == [Cut.RESET]
    assert [director.step(now_ms) for now_ms in range(40, 4000, 20)] == [[]] * 198
    assert hear(director, QUIET, 4000)[1] == [(4000, Press("1"))]


def test_a_frame_of_the_line_that_is_lost_is_no_line_again() -> None:
    """The frame that is heard in the very moment of the loss is still the old line's."""
    director = Director(parse('steps = [{cut = "reset"}, {wait = "line", press = "1"}]'))
    director.hear(QUIET, 20)
    assert director.step(20) == [Cut.RESET]
    assert director.step(40) == []


def test_keys_are_pressed_one_by_one() -> None:
    _, actions = play('steps = [{press = "12#"}, {cut = "reset"}]', [], 1000)
    assert actions == [(0, Press("1")), (120, Press("2")), (240, Press("#")), (360, Cut.RESET)]


def test_a_caller_whose_patience_ends_says_so_and_hangs_up() -> None:
    director, actions = play(
        'patience_ms = 3000\nsteps = [{wait = "agent", say = "table"}]', [], 5000
    )
    assert actions == [(3000, HangUp())]
    assert director.problem == "step 1: waited 3000 ms for the agent"


def test_patience_does_not_end_while_the_agent_is_talking() -> None:
    director, actions = play(
        'patience_ms = 3000\nsteps = [{wait = "agent", say = "table"}]', [(1000, 9000)], 11_000
    )
    assert names(actions) == [(9700, "table")]
    assert director.problem is None


def test_a_caller_who_is_told_to_leave_hangs_up_wherever_the_script_stands() -> None:
    director = Director(parse('steps = [{after_ms = 5000, press = "1"}]'))
    assert director.step(0) == []
    director.leave()
    assert director.step(20) == [HangUp()]
    assert director.finished


def test_nothing_is_done_after_hanging_up() -> None:
    _, actions = play('steps = [{hang_up = true}, {press = "1"}]', [], 1000)
    assert actions == [(0, HangUp())]
