"""What the ear makes of a caller who may be talking over the agent."""

from itertools import cycle

import numpy as np
import pytest

from agent.conversation.persona import Manner
from agent.conversation.speech import CallerSpeech, Utterance
from telephony.call.echo import Echo
from telephony.call.talk_over import (
    COUNTED_MS,
    FOOLED,
    GONE_MS,
    KEY_MS,
    ONSETS,
    OVER_MS,
    SPEECH_RMS,
    STRICTER,
    SURE_MS,
    SURELY_OVER_MS,
    SYLLABLE_MS,
    VOICED_BY_MS,
    TalkOver,
)

FRAME_MS = 20
BEGAN = CallerSpeech(Utterance.BEGAN, sure=False)
CONFIRMED = CallerSpeech(Utterance.CONFIRMED, sure=True)
ENDED = CallerSpeech(Utterance.ENDED, sure=True)
WAS_NONE = CallerSpeech(Utterance.ENDED, sure=False)

SILENCE = bytes(320)
AGENT_RMS = 3_000


def times(frame: bytes, factor: float) -> bytes:
    """The same, louder or softer."""
    return (np.frombuffer(frame, "<i2") * factor).astype("<i2").tobytes()


_AT = np.arange(160)
HUM = (4_000 * np.sin(2 * np.pi * _AT / 40)).astype("<i2").tobytes()
"""200 Hz: a voice, of any length."""

HUM_RMS = 4_000 / np.sqrt(2)

NOISES = np.random.default_rng(0).standard_normal((400, 160)) * 3_000


class Line:
    """Frames in real time."""

    def __init__(self, manner: Manner = "quick", agent_rms: int = 0) -> None:
        self.ear = TalkOver(manner)
        self.now_ms, self.agent_rms = 1_000, agent_rms
        self._noise = cycle(NOISES)

    def hears(self, pcm: bytes, ms: int, *, lost_ms: int = 0) -> list[tuple[int, CallerSpeech]]:
        """So much of it; what was told, and after how much."""
        told = []
        for length_ms in range(FRAME_MS, ms + 1, FRAME_MS):
            self.now_ms += FRAME_MS
            frame = pcm or next(self._noise).astype("<i2").tobytes()
            rms = int(np.sqrt(np.mean(np.frombuffer(frame, "<i2").astype(float) ** 2)))
            self.ear.hears(
                bytes(16 * lost_ms) + frame,
                self.now_ms,
                rms=rms,
                least_rms=100,
                agent_rms=self.agent_rms,
                agent_heard=self.agent_rms > 0,
                lost_ms=lost_ms,
            )
            if (news := self.ear.news(self.now_ms)) is not None:
                told.append((length_ms, news))
        return told


NOISE = b""


def test_two_frames_are_an_onset_and_what_lasts_with_a_voice_is_speech() -> None:
    line = Line()
    assert line.hears(HUM, 1_000) == [(40, BEGAN), (SURE_MS, CONFIRMED)]
    assert line.hears(SILENCE, 1_000) == [(SURELY_OVER_MS + FRAME_MS, ENDED)]


def test_a_click_is_nothing() -> None:
    line = Line()
    assert line.hears(HUM, FRAME_MS) + line.hears(SILENCE, 1_000) == []


def test_an_mhm_is_over_soon_and_was_no_speech_for_sure() -> None:
    line = Line()
    assert line.hears(HUM, 400) == [(40, BEGAN)]
    assert line.hears(SILENCE, 1_000) == [(OVER_MS + FRAME_MS, WAS_NONE)]


def test_a_noise_is_given_up_while_it_goes_on_and_holds_nothing_again() -> None:
    line = Line()
    assert line.hears(NOISE, 3_000) == [(40, BEGAN), (VOICED_BY_MS, WAS_NONE)]


def test_who_speaks_in_a_noise_is_heard() -> None:
    line = Line()
    line.hears(NOISE, 1_000)
    assert [news for _, news in line.hears(HUM, 1_000)] == [BEGAN, CONFIRMED]


def test_words_with_pauses_between_them_are_one_utterance() -> None:
    line = Line()
    told = []
    for _ in range(5):
        told += line.hears(HUM, 200) + line.hears(SILENCE, OVER_MS)
    assert [news for _, news in told] == [BEGAN, CONFIRMED]


@pytest.mark.parametrize("sound", [HUM, NOISE])
def test_a_patient_ear_lets_a_short_sound_pass(sound: bytes) -> None:
    line = Line("patient")
    assert line.hears(sound, 400) + line.hears(SILENCE, 1_000) == []


def test_a_patient_ear_tells_of_what_lasts() -> None:
    line = Line("patient")
    assert line.hears(HUM, 1_000) == [
        (-(-ONSETS["patient"].lasts_ms // FRAME_MS) * FRAME_MS, BEGAN),
        (SURE_MS, CONFIRMED),
    ]


def test_a_patient_ear_tells_of_a_syllable_that_begins_when_an_mhm_is_over() -> None:
    line = Line("patient")
    assert line.hears(HUM, 200) + line.hears(SILENCE, 100) == []
    assert line.hears(HUM, 200) == [(SYLLABLE_MS, BEGAN)]


def test_a_patient_ear_counts_how_softly_words_begin_and_end() -> None:
    line = Line("patient")
    line.hears(SILENCE, 100)
    begins, ends = times(HUM, 0.8 * SPEECH_RMS / HUM_RMS), times(HUM, 0.6 * SPEECH_RMS / HUM_RMS)
    assert line.hears(begins, 60) + line.hears(HUM, 300) == []
    assert [news for _, news in line.hears(ends, 100)] == [BEGAN]


def test_a_patient_ear_waits_for_the_next_word() -> None:
    line = Line("patient")
    assert [news for _, news in line.hears(HUM, 460)] == [BEGAN]
    assert line.hears(SILENCE, ONSETS["patient"].bridged_ms) == []
    assert line.hears(SILENCE, FRAME_MS) == [(FRAME_MS, WAS_NONE)]


def test_who_held_twice_in_vain_holds_for_a_voice_only() -> None:
    line = Line(agent_rms=AGENT_RMS)
    for _ in range(FOOLED):
        line.ear.held_in_vain(line.now_ms)
    assert line.hears(NOISE, 200) + line.hears(SILENCE, 1_000) == []
    assert line.hears(HUM, 200) == [(STRICTER.lasts_ms, BEGAN)]


def test_who_held_in_vain_a_minute_ago_is_as_before() -> None:
    line = Line(agent_rms=AGENT_RMS)
    line.ear.held_in_vain(line.now_ms)
    line.hears(SILENCE, 61_000)
    line.ear.held_in_vain(line.now_ms)
    assert line.hears(HUM, 200) == [(40, BEGAN)]


def test_short_answers_make_nobody_stricter() -> None:
    line = Line(agent_rms=AGENT_RMS)
    for _ in range(FOOLED):
        line.hears(HUM, 200)
        line.hears(SILENCE, 1_000)
    assert line.hears(HUM, 200) == [(40, BEGAN)]


def test_who_speaks_already_when_the_agent_begins_talks_over_it() -> None:
    line = Line()
    assert len(line.hears(HUM, 800)) == 2
    line.agent_rms = AGENT_RMS
    assert line.hears(HUM, 200) == [(20, BEGAN), (40, CONFIRMED)]


def test_what_went_on_all_the_same_is_not_held_again_by_the_same_voice() -> None:
    line = Line()
    line.hears(HUM, 800)
    line.ear.held_in_vain(line.now_ms)
    line.agent_rms = AGENT_RMS
    assert line.hears(HUM, 2_000) == []


def test_the_tone_of_a_key_is_no_voice() -> None:
    line = Line()
    assert line.hears(HUM, 60) == [(40, BEGAN)]
    line.ear.key_pressed(line.now_ms)
    assert line.ear.news(line.now_ms) == WAS_NONE
    assert line.hears(HUM, KEY_MS - FRAME_MS) == []
    assert line.hears(HUM, 80) == [(40, BEGAN)]


def test_stray_voiced_frames_of_a_long_noise_do_not_add_up() -> None:
    line = Line()
    line.hears(NOISE, 400)
    told = []
    for _ in range(20):
        told += line.hears(NOISE, 900) + line.hears(HUM, 20)
    assert told == []


def test_a_hold_for_what_never_turns_out_to_be_speech_is_given_up() -> None:
    line = Line()
    line.hears(HUM, 100)
    assert [news for _, news in line.hears(NOISE, COUNTED_MS)] == [WAS_NONE]


def test_what_is_lost_is_quiet_of_its_length() -> None:
    line = Line()
    assert line.hears(HUM, 100) == [(40, BEGAN)]
    assert line.hears(HUM, 20, lost_ms=OVER_MS + FRAME_MS) == [(20, WAS_NONE)]


def test_a_line_that_delivers_nothing_more_ends_an_utterance() -> None:
    line = Line()
    line.hears(HUM, SURE_MS)
    assert line.ear.news(line.now_ms + GONE_MS) is None
    assert line.ear.news(line.now_ms + GONE_MS + 1) == ENDED


def test_media_in_bursts_is_as_long_as_it_was_spoken() -> None:
    line = Line()
    line.hears(HUM, 60)
    line.now_ms += 700
    assert line.hears(HUM, 60) == []


def test_an_echo_is_no_speech_and_a_voice_above_it_is() -> None:
    line = Line(agent_rms=AGENT_RMS)
    assert line.hears(times(HUM, 0.1), 5_000) == []  # 20 dB below the agent
    assert line.hears(HUM, 40) == [(40, BEGAN)]


def test_of_a_line_without_an_echo_a_soft_voice_is_heard_before_long() -> None:
    line = Line(agent_rms=AGENT_RMS)
    soft = times(HUM, 0.08)
    line.hears(SILENCE, Echo.SPANS * Echo.SPAN_MS + 100)
    assert line.hears(soft, 40) == [(40, BEGAN)]


def test_a_caller_who_begins_softly_hides_nothing_of_what_follows() -> None:
    line = Line(agent_rms=AGENT_RMS)
    line.hears(SILENCE, Echo.SPANS * Echo.SPAN_MS)
    assert line.hears(times(HUM, 0.06), Echo.SPAN_MS // 2) == []
    assert [news for _, news in line.hears(times(HUM, 0.1), 1_000)] == [BEGAN, CONFIRMED]


def test_a_shout_teaches_no_echo() -> None:
    echo = Echo()
    for at_ms in range(0, 5_000, FRAME_MS):
        echo.hears(20_000, AGENT_RMS, at_ms)
    assert echo.least_rms(AGENT_RMS) == Echo.MOST * Echo.MARGIN * AGENT_RMS
