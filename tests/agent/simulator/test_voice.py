import re
import wave

import numpy as np
import pytest

from agent.simulator.voice import CLIPS, agent_clip, clip, texts


def test_every_line_of_the_index_has_a_clip_and_every_clip_a_line() -> None:
    files = {str(path.relative_to(CLIPS).with_suffix("")) for path in CLIPS.rglob("*.wav")}
    assert files == set(texts())


def test_the_clips_are_small_enough_to_commit() -> None:
    assert sum(path.stat().st_size for path in CLIPS.rglob("*.wav")) < 1_900_000


@pytest.mark.parametrize("name", texts())
def test_a_clip_is_speech_at_telephone_level_with_little_silence_around(name: str) -> None:
    spoken = clip(name)
    samples = np.frombuffer(spoken.pcm, dtype="<i2") / 32768
    frames = samples[: len(samples) // 100 * 100].reshape(-1, 100)
    loud = np.sqrt(np.mean(frames**2, axis=1)) > 0.0015
    level_dbfs = 10 * np.log10(np.mean(samples**2))
    ms_per_frame = 100_000 / spoken.rate_hz

    assert -22 < level_dbfs < -19
    assert np.abs(samples).max() < 0.95
    assert int(np.argmax(loud)) * ms_per_frame < 60
    assert int(np.argmax(loud[::-1])) * ms_per_frame < 60


@pytest.mark.parametrize(
    ("name", "rate_hz"),
    [("agent/greeting", 24_000), ("caller/table", 8_000)],
)
def test_a_clip_comes_at_its_speakers_rate(name: str, rate_hz: int) -> None:
    spoken = clip(name)
    with wave.open(str(CLIPS / f"{name}.wav")) as file:
        duration_ms = file.getnframes() * 1000 / file.getframerate()

    assert spoken.rate_hz == rate_hz
    assert spoken.duration_ms == pytest.approx(duration_ms, abs=1)


def test_a_clip_at_another_rate_is_as_long() -> None:
    assert clip("caller/table", 16_000).duration_ms == clip("caller/table").duration_ms


def test_several_clips_are_said_in_one_breath() -> None:
    said = agent_clip("a1+a2")
    assert said.pcm == clip("agent/a1").pcm + clip("agent/a2").pcm
    assert said.text == f"{texts()['agent/a1']} {texts()['agent/a2']}"


def test_no_two_lines_of_a_speaker_say_the_same() -> None:
    spoken = [re.sub(r"\W", "", text.casefold()) for text in texts().values()]
    assert len(spoken) == len(set(spoken))


def test_an_unknown_clip_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="agent/nonsense"):
        clip("agent/nonsense")
