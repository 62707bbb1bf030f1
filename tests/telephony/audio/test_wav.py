import wave
from pathlib import Path

import numpy as np
import pytest

from telephony.audio.wav import AudioFileError, read_mono, write_mono, write_stereo

PCM = np.arange(-500, 500, dtype="<i2").tobytes()


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    write_mono(tmp_path / "a.wav", PCM, 16_000)
    assert read_mono(tmp_path / "a.wav") == (PCM, 16_000)


def test_each_line_of_a_call_is_on_its_own_ear(tmp_path: Path) -> None:
    write_stereo(tmp_path / "call.wav", PCM, PCM[:600], 8_000)
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 8_000, 1_000)
        ears = np.frombuffer(file.readframes(1_000), "<i2").reshape(-1, 2)
    assert ears[:, 0].tobytes() == PCM
    assert ears[:, 1].tobytes() == PCM[:600] + bytes(1_400)


def test_a_call_without_sound_is_still_a_file(tmp_path: Path) -> None:
    write_stereo(tmp_path / "call.wav", b"", b"", 8_000)
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert (file.getnchannels(), file.getnframes()) == (2, 0)


def test_a_stereo_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    write_stereo(tmp_path / "call.wav", PCM, PCM, 8_000)
    with pytest.raises(AudioFileError, match=r"expected a mono 16-bit.*got 2 channel.*fix: sox"):
        read_mono(tmp_path / "call.wav")


@pytest.mark.parametrize("content", [b"", b"RIFF", b"OggS" + bytes(60)])
def test_what_is_no_wav_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(AudioFileError, match="expected a mono 16-bit"):
        read_mono(tmp_path / "x.wav")


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    write_mono(tmp_path / "a.wav", PCM, 8_000)
    (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:-100])
    with pytest.raises(AudioFileError, match="1900 of the 2000 bytes"):
        read_mono(tmp_path / "a.wav")


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_mono(tmp_path / "none.wav")
