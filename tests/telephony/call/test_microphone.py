"""Caller to model: when chunks go out, and what is kept to be sent again."""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from agent.conversation.commands import EndCallerAudio, MarkSpeech, SendCallerAudio
from agent.conversation.turn_taking import DEFAULT_TURNS, TurnTaking
from telephony.audio import g711
from telephony.audio.level import HANGOVER_MS
from telephony.audio.resample import phone_to_model
from telephony.call.gaps import LOSS_LIMIT_MS
from telephony.call.idling import SILENCE_MS
from telephony.call.microphone import (
    FILL_AFTER_MS,
    FILL_AFTER_SOUND_MS,
    ForModel,
    Microphone,
)
from telephony.call.unanswered import KEPT_LIMIT_SAMPLES, LEAD_IN_MS, QUIET_TAIL_MS

FRAME_MS = 20
SILENCE = b"\xff" * 160
MODEL_BYTES_PER_MS = 32


def babble(ms: int, seed: int = 1) -> bytes:
    """µ-law that rises and falls like speech: syllables of 180 ms with closures between them."""
    rng = np.random.default_rng(seed)
    at_s = np.arange(8 * ms) / 8000
    voice = sum(np.sin(2 * np.pi * f * at_s + rng.uniform(0, 6)) / f for f in (140, 280, 700, 1900))
    syllables = np.clip(np.sin(2 * np.pi * at_s / 0.36) ** 2 - 0.05, 0, 1)
    loud = voice / np.abs(voice).max() * syllables * 9_000 + rng.normal(0, 12, len(at_s))
    return g711.encode(loud.astype("<i2").tobytes())


def idle(ms: int, seed: int = 2) -> bytes:
    """µ-law of a quiet line."""
    noise = np.random.default_rng(seed).normal(0, 12, 8 * ms)
    return g711.encode(noise.astype("<i2").tobytes())


class Caller:
    """Pushes frames in real time."""

    def __init__(self, *, listening: bool = True, turns: TurnTaking = DEFAULT_TURNS) -> None:
        self.microphone = Microphone(turns)
        self.now_ms = 0
        if listening:
            self.microphone.listens(1, 0)

    def sends(self, ulaw: bytes) -> list[bytes]:
        chunks = []
        for i in range(0, len(ulaw), 160):
            self.now_ms += FRAME_MS
            sent = self.microphone.hears(ulaw[i : i + 160], self.now_ms, self.now_ms)
            chunks += pcm(sent, live=True)
        return chunks

    def resumes(self) -> list[ForModel]:
        return self.microphone.listens(2, self.now_ms)

    def held(self) -> bytes:
        return b"".join(pcm(self.resumes(), live=False))

    @property
    def finished(self) -> bool:
        return EndCallerAudio(2) in self.resumes()


def pcm(commands: Sequence[ForModel], *, live: bool) -> list[bytes]:
    """The chunks that are sent, all of them live, or none."""
    sent = [command for command in commands if isinstance(command, SendCallerAudio)]
    assert all(command.live is live for command in sent)
    return [command.pcm for command in sent]


def lengths_ms(chunks: list[bytes]) -> list[int]:
    """To the next frame: the filter's delay is missing from the first chunk."""
    return [round(len(chunk) / MODEL_BYTES_PER_MS / FRAME_MS) * FRAME_MS for chunk in chunks]


def resampled(ulaw: bytes) -> bytes:
    return phone_to_model().push(g711.decode(ulaw))


# Chunks.


def test_sound_goes_out_in_chunks_of_20_ms() -> None:
    caller = Caller()
    caller.sends(idle(1000))
    chunks = caller.sends(babble(2000))
    assert lengths_ms(chunks)[1:] == [20] * (len(chunks) - 1)
    assert len(chunks) >= 95


def test_silence_goes_out_in_chunks_of_100_ms_and_never_stops() -> None:
    assert lengths_ms(Caller().sends(idle(3000))) == [100] * 30


def test_after_sound_it_is_300_ms_until_chunks_are_long_again() -> None:
    caller = Caller()
    caller.sends(babble(1980))
    lengths = lengths_ms(caller.sends(SILENCE * 50))
    short = lengths.index(100)
    assert lengths[:short] == [20] * short
    assert abs(short * FRAME_MS - HANGOVER_MS) <= 2 * FRAME_MS  # the sound ends in a closure
    assert set(lengths[short:]) == {100}


def test_the_first_sound_takes_the_silence_before_it_along_at_once() -> None:
    caller = Caller()
    caller.sends(SILENCE * 50)
    assert caller.sends(SILENCE * 3) == []
    assert lengths_ms(caller.sends(babble(300)[800:960])) == [80]


@pytest.mark.parametrize("seed", range(5))
def test_what_goes_out_is_what_came_in_whatever_its_frames(seed: int) -> None:
    rng = random.Random(seed)
    ulaw = idle(500, seed) + babble(1500, seed) + idle(700, seed)
    microphone, sent, at = Microphone(), b"", 0
    microphone.listens(1, 0)
    while at < len(ulaw):
        size = rng.randrange(1, 700)
        sent += b"".join(pcm(microphone.hears(ulaw[at : at + size], at // 8, at // 8), live=True))
        at += size
    want = resampled(ulaw)
    assert want.startswith(sent)
    assert len(want) - len(sent) < 110 * MODEL_BYTES_PER_MS


def test_without_a_listener_nothing_goes_out() -> None:
    assert Caller(listening=False).sends(babble(1000)) == []


# Held and sent again.


def test_words_said_before_a_session_listens_are_sent_to_it_whole() -> None:
    caller = Caller(listening=False)
    ulaw = babble(3000)
    caller.sends(ulaw)
    assert caller.held() == resampled(ulaw)


def test_live_audio_goes_on_where_the_held_audio_ends() -> None:
    caller = Caller(listening=False)
    ulaw = babble(1000)
    caller.sends(ulaw[:4000])
    sent = caller.held() + b"".join(caller.sends(ulaw[4000:]))
    assert resampled(ulaw).startswith(sent)
    assert len(sent) >= 980 * MODEL_BYTES_PER_MS


def test_held_audio_is_cut_into_chunks() -> None:
    caller = Caller(listening=False)
    caller.sends(babble(3000))
    chunks = pcm(caller.resumes(), live=False)
    assert set(lengths_ms(chunks)) == {100}
    assert len(chunks) == 30


def test_silence_is_not_sent_again() -> None:
    caller = Caller()
    caller.sends(SILENCE * 500)
    assert len(caller.held()) <= (QUIET_TAIL_MS + FRAME_MS) * MODEL_BYTES_PER_MS


def test_a_second_before_the_first_sound_is_sent_again_with_it() -> None:
    caller = Caller()
    ulaw = SILENCE * 500 + babble(1000)
    caller.sends(ulaw)
    held = len(caller.held()) / MODEL_BYTES_PER_MS
    assert abs(held - (LEAD_IN_MS + 1000)) <= 3 * FRAME_MS


def test_what_one_session_heard_and_did_not_answer_is_sent_to_the_next() -> None:
    caller = Caller()
    ulaw = babble(1000)
    caller.sends(ulaw)
    caller.microphone.hold()
    gap = babble(600, seed=3)
    assert caller.sends(gap) == []
    assert caller.held() == resampled(ulaw + gap)
    assert caller.held() == resampled(ulaw + gap), "until it is answered, each session gets it"


def test_what_was_answered_is_not_kept() -> None:
    caller = Caller()
    caller.sends(babble(1000))
    answered_ms = caller.now_ms + 1
    later = babble(400, seed=3)
    caller.sends(later)
    waiting = [caller.microphone.unanswered.sounded]
    caller.microphone.unanswered.answered(answered_ms)
    waiting.append(caller.microphone.unanswered.sounded)
    assert caller.held() == resampled(later)
    caller.microphone.unanswered.answered(caller.now_ms + 1)
    waiting.append(caller.microphone.unanswered.sounded)
    assert caller.held() == b""
    assert waiting == [True, True, False]


@pytest.mark.parametrize("silence_ms", [500, 2_000])
@pytest.mark.parametrize("finished", [False, True])
def test_a_caller_who_has_been_quiet_for_as_long_as_ends_a_turn_has_finished(
    silence_ms: int, finished: bool
) -> None:
    caller = Caller(listening=False, turns=TurnTaking(silence_ms))
    quiet_ms = silence_ms + (200 if finished else -200)
    caller.sends(babble(1000) + SILENCE * (quiet_ms // FRAME_MS))
    assert caller.finished is finished


def test_a_caller_who_said_nothing_has_not_finished() -> None:
    caller = Caller(listening=False)
    caller.sends(SILENCE * 100)
    assert not caller.finished


def test_thirty_seconds_are_kept_and_what_no_session_heard_of_the_rest_is_counted() -> None:
    caller = Caller(listening=False)
    ulaw = babble(31_000)
    caller.sends(ulaw)
    assert caller.held() == resampled(ulaw[-KEPT_LIMIT_SAMPLES:])
    assert caller.microphone.unanswered.lost_samples == len(ulaw) - KEPT_LIMIT_SAMPLES


def test_a_long_speech_that_a_session_heard_is_not_counted_as_lost() -> None:
    caller = Caller()
    caller.sends(babble(31_000))
    assert caller.microphone.unanswered.lost_samples == 0


# Lines that deliver nothing while the caller is silent.


def fills(caller: Caller, until_ms: int) -> list[bytes]:
    """Time passes without media; `fill` is called at each deadline."""
    chunks = []
    while (deadline_ms := caller.microphone.deadline_ms()) is not None and deadline_ms <= until_ms:
        caller.now_ms = deadline_ms
        chunks += pcm(caller.microphone.fill(deadline_ms), live=True)
    return chunks


def test_where_nothing_comes_the_model_hears_silence_for_all_of_the_time() -> None:
    caller = Caller()
    caller.sends(babble(1000))
    silence = b"".join(fills(caller, 3_000))
    assert len(silence) // MODEL_BYTES_PER_MS >= 2_000 - 100
    assert not any(silence[100 * MODEL_BYTES_PER_MS :])


def test_a_gap_as_long_as_twilios_bursts_is_left_alone() -> None:
    caller = Caller()
    caller.sends(babble(200) + idle(200))
    assert caller.microphone.fill(caller.now_ms + 250) == []
    assert caller.microphone.deadline_ms() == caller.now_ms + FILL_AFTER_MS


def test_a_longer_gap_within_a_word_is_left_alone_too() -> None:
    caller = Caller()
    caller.sends(babble(200))
    assert caller.microphone.fill(caller.now_ms + 650) == []
    assert caller.microphone.deadline_ms() == caller.now_ms + FILL_AFTER_SOUND_MS


def words_apart(caller: Caller, count: int, gap_ms: int = 1_000) -> None:
    """So many words, and before each one nothing at all for a while."""
    for _ in range(count):
        caller.now_ms += gap_ms
        caller.sends(babble(200))


@pytest.mark.parametrize("spoken_ms", [0, 200])
def test_on_a_line_that_delivers_nothing_in_silence_it_is_filled(spoken_ms: int) -> None:
    caller = Caller()
    caller.sends(babble(200)[: 8 * spoken_ms])
    words_apart(caller, 2 if spoken_ms else 1)
    assert caller.microphone.deadline_ms() == caller.now_ms + FILL_AFTER_MS


@pytest.mark.parametrize("lost_ms", [LOSS_LIMIT_MS + 20, 5_000])
def test_one_loss_does_not_tell_what_a_line_delivers_in_silence(lost_ms: int) -> None:
    caller = Caller()
    caller.sends(babble(200))
    words_apart(caller, 1, lost_ms)
    assert caller.microphone.deadline_ms() == caller.now_ms + FILL_AFTER_SOUND_MS


def test_however_often_it_loses_media_a_line_that_delivers_silence_does_so() -> None:
    caller = Caller()
    for _ in range(5):
        words_apart(caller, 1)
        caller.sends(idle(SILENCE_MS))
    words_apart(caller, 1)
    assert caller.microphone.deadline_ms() == caller.now_ms + FILL_AFTER_SOUND_MS


def test_what_a_line_delivers_in_silence_is_known_on_its_next_stream() -> None:
    caller = Caller()
    words_apart(caller, 2)
    caller.microphone.started(caller.now_ms)
    caller.sends(babble(200))
    assert caller.microphone.deadline_ms() == caller.now_ms + FILL_AFTER_MS


def test_filled_silence_is_not_kept_and_needs_a_listener() -> None:
    caller = Caller()
    caller.sends(babble(200))
    kept = len(caller.held())
    fills(caller, 5_000)
    assert len(caller.held()) == kept
    caller.microphone.hold()
    assert caller.microphone.deadline_ms() is None
    assert caller.microphone.fill(10_000) == []


def test_of_a_silence_no_more_is_kept_than_can_be_sent_again() -> None:
    caller = Caller()
    caller.sends(SILENCE * 3_000)
    assert len(caller.microphone.unanswered._pieces) <= LEAD_IN_MS // FRAME_MS + 1


# A model that does not detect speech itself.

OURS = TurnTaking(silence_ms=600, detection="ours")


def heard(commands: Sequence[ForModel]) -> list[str]:
    """What the model is given: marks, and how much audio between them, to the next 100 ms."""
    found: list[str] = []
    ms = 0.0
    for command in [*commands, None]:
        if isinstance(command, SendCallerAudio):
            ms += len(command.pcm) / MODEL_BYTES_PER_MS
            continue
        if ms:
            found.append(f"{round(ms, -2):.0f} ms")
            ms = 0.0
        if isinstance(command, MarkSpeech):
            found.append("begins" if command.begins else "ends")
    return found


def given(caller: Caller, ulaw: bytes) -> list[ForModel]:
    out: list[ForModel] = []
    for i in range(0, len(ulaw), 160):
        caller.now_ms += FRAME_MS
        out += caller.microphone.hears(ulaw[i : i + 160], caller.now_ms, caller.now_ms)
    return out


def test_speech_is_marked_and_nothing_else_is_sent() -> None:
    caller = Caller(turns=OURS)
    assert given(caller, idle(2_000)) == []
    said = given(caller, babble(980) + idle(1_500))
    assert heard(said) == ["begins", "1900 ms", "ends"]  # 300 ms before, 600 ms after it
    assert heard(given(caller, babble(980))) == ["begins", "1300 ms"]


def test_a_click_shorter_than_prefix_ms_is_no_speech() -> None:
    caller = Caller(turns=TurnTaking(prefix_ms=100, detection="ours"))
    click = babble(60)
    assert given(caller, idle(2_000) + click + idle(1_000)) == []
    assert heard(given(caller, babble(500)))[0] == "begins"


def test_speech_that_no_session_heard_is_framed_for_the_next_one() -> None:
    caller = Caller(listening=False, turns=OURS)
    given(caller, idle(2_000) + babble(980))
    assert heard(caller.resumes()) == ["begins", "2000 ms"]
    assert heard(given(caller, idle(1_000))) == ["600 ms", "ends"]
    assert heard(caller.resumes()) == ["begins", "3000 ms", "ends"]
    caller.microphone.unanswered.answered(caller.now_ms)
    assert caller.resumes() == []


def test_what_one_session_was_sent_again_is_not_sent_before_the_next_words_too() -> None:
    caller = Caller(listening=False, turns=OURS)
    given(caller, idle(2_000) + babble(980))
    caller.resumes()
    given(caller, idle(620))
    assert heard(given(caller, babble(980))) == ["begins", "1000 ms"]


def test_the_end_is_marked_where_the_line_delivers_nothing_more() -> None:
    caller = Caller(turns=OURS)
    out = given(caller, babble(980))
    while (deadline_ms := caller.microphone.deadline_ms()) is not None and deadline_ms <= 3_000:
        out += caller.microphone.fill(deadline_ms)
    assert heard(out)[-1] == "ends"
