"""A line is never silent: what sounds on it is not what the caller asked."""

from collections.abc import Iterator

import numpy as np
import pytest

from agent.conversation.commands import AppendLine, CloseModel, OpenModel, SayToModel
from agent.conversation.events import CallerSaid, TurnComplete
from telephony.audio import g711
from telephony.audio.earcon import EARCON
from telephony.call.commands import Command, EndCall, SendMedia
from telephony.call.ending import EndedReason
from telephony.call.events import DrainRequested
from telephony.call.hand_over import HAND_OVER_MS
from telephony.twilio.messages import Media
from tests.telephony.call.conftest import SILENCE, VOICE, Phone, of

FRAME_MS = 20


def noise(dbfs: float, ms: int, seed: int = 1) -> bytes:
    """µ-law of an even noise."""
    return murmur(dbfs, ms, seed, pauses=False)


def murmur(dbfs: float, ms: int, seed: int = 1, *, pauses: bool = True) -> bytes:
    """µ-law of a noise that comes and goes, as voices do in another room."""
    rng = np.random.default_rng(seed)
    swell = np.clip(np.sin(np.arange(8 * ms) / 8_000 * 2 * np.pi * 1.3) * 4, 0, 1) ** pauses
    samples = rng.normal(0, 32_768 * 10 ** (dbfs / 20), 8 * ms) * swell
    return g711.encode(np.clip(samples, -32_000, 32_000).astype("<i2").tobytes())


def frames(ulaw: bytes) -> Iterator[bytes]:
    yield from (ulaw[at : at + 160] for at in range(0, len(ulaw), 160))


def comes(phone: Phone, ulaw: bytes) -> list[Command]:
    """The line sounds like this, in real time; Twilio plays what it holds meanwhile."""
    done: list[Command] = []
    for frame in frames(ulaw):
        done += phone.plays(FRAME_MS)
        done += phone.step(Media(phone.stream, frame, phone.now_ms))
        if of(OpenModel, done[-3:]):
            done += phone.ready()
    return done


def notes(commands: list[Command]) -> int:
    return sum(media.ulaw == EARCON for media in of(SendMedia, commands))


def asked(commands: list[Command]) -> list[Command]:
    """What the model was asked for, or left for."""
    return [c for c in commands if isinstance(c, SayToModel | CloseModel)]


def test_a_television_behind_the_caller_does_not_put_off_what_is_owed(greeted: Phone) -> None:
    greeted.says(VOICE, 2_000)
    greeted.tells(lambda session: CallerSaid(session, "What time is it?"))
    done = comes(greeted, murmur(-51, 10_000))
    assert notes(done) >= 1
    assert asked(done) != []


def test_even_a_loud_television_does_not_put_it_off_without_end(greeted: Phone) -> None:
    greeted.says(VOICE, 2_000)
    greeted.tells(lambda session: CallerSaid(session, "What time is it?"))
    assert asked(comes(greeted, murmur(-30, 20_000))) != []


def test_a_question_that_the_model_did_not_hear_is_noticed_in_front_of_a_television(
    greeted: Phone,
) -> None:
    comes(greeted, noise(-16, 2_000))
    done = comes(greeted, murmur(-42, 7_000))
    assert notes(done) >= 1
    assert [type(one) for one in asked(done)] == [SayToModel]


def test_the_agents_own_echo_asks_nothing(greeted: Phone) -> None:
    greeted.replies("A long answer.", 4_000)
    greeted.tells(TurnComplete)
    comes(greeted, SILENCE * 9)
    echo = murmur(-40, 4_000)
    done = comes(greeted, echo + SILENCE * 1_500)
    assert notes(done) == 0
    assert asked(done) == []


@pytest.mark.parametrize(
    "sound",
    [noise(-51, 30_000), SILENCE * 400 + noise(-50, 400) + SILENCE * 1_000],
    ids=["steady", "a door"],
)
def test_what_is_far_below_a_voice_asks_nothing(phone: Phone, sound: bytes) -> None:
    phone.greets()
    done = comes(phone, sound)
    assert notes(done) == 0
    assert asked(done) == []


@pytest.mark.parametrize("ms", [20, 200, 300, 500], ids=["click", "cough", "hm", "mhm"])
def test_a_short_sound_that_nobody_owes_anything_for_is_waited_over_by_nobody(
    greeted: Phone, ms: int
) -> None:
    done = comes(greeted, noise(-22, ms) + SILENCE * 1_000)
    assert notes(done) == 0
    assert of(SayToModel, done) == []


def test_a_cough_keeps_no_worker_from_handing_the_call_over_and_is_no_line(greeted: Phone) -> None:
    comes(greeted, noise(-22, 300) + SILENCE * 25)
    [ended] = of(EndCall, greeted.step(DrainRequested(HAND_OVER_MS)))
    assert ended.reason is EndedReason.HANDED_OVER
    assert [line.role for line in (c.line for c in of(AppendLine, greeted.commands))] == ["agent"]


def test_a_caller_who_talks_over_the_agent_is_owed_an_answer(greeted: Phone) -> None:
    greeted.tells(lambda session: CallerSaid(session, "Hello?"))
    greeted.replies("A long answer.", 6_000)
    greeted.tells(TurnComplete)
    comes(greeted, SILENCE * 50 + VOICE * 50)
    greeted.tells(lambda session: CallerSaid(session, "Stop, please."))
    done = comes(greeted, SILENCE * 500)
    assert asked(done) != []


def test_speech_is_speech(greeted: Phone) -> None:
    done = comes(greeted, noise(-30, 1_000) + SILENCE * 500)
    assert notes(done) >= 1
