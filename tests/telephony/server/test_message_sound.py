"""The sound of a message is what the caller was heard to say between its beginning and its end."""

import base64
import io
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from agent.conversation.message import Message
from agent.simulator.voice import clip
from telephony.replay.reader import read
from telephony.replay.recording import EVENTS_FILE
from telephony.replay.sealing import is_sealed, sealed
from telephony.server.message_sound import LONGEST_MS, sounds_of
from telephony.server.worker import parts
from telephony.settings import load

CALLS = Path(__file__).parents[3] / "fixtures" / "calls"
CALL = "CA" + "0" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the recording of a call in which a message was taken."""
    shutil.copytree(CALLS / "message-taken.call", tmp_path / f"{CALL}.1795000000000.call")
    shutil.copytree(CALLS / "audio", tmp_path / "audio")
    return tmp_path


def heard(sound: str | None) -> tuple[np.ndarray[tuple[int], np.dtype[np.int16]], int]:
    assert sound is not None
    with wave.open(io.BytesIO(base64.b64decode(sound))) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2"), file.getframerate()


def test_a_message_sounds_as_its_caller_did(folder: Path) -> None:
    # As its ledger has it: begun at 5,077 ms, ended at 19,194
    [sound] = sounds_of(folder, CALL, [Message(2, 5_077, 19_194)], 0)
    samples, rate_hz = heard(sound)
    assert rate_hz == 8_000
    assert abs(len(samples) - (19_194 - 5_077) * 8) < 8
    said = np.frombuffer(clip("caller/message", 8_000).pcm, "<i2").astype(float)
    size = len(samples) + len(said)
    alike = np.fft.rfft(samples.astype(float), size) * np.conj(np.fft.rfft(said, size))
    at = int(np.argmax(np.fft.irfft(alike, size)))
    there = samples[at : at + len(said)].astype(float)
    assert np.corrcoef(there, said)[0, 1] > 0.95, "the whole message is in it"
    assert abs(5_077 + at / 8 - 13_705) < 400, "where its line began"


def test_a_call_that_was_not_recorded_has_no_sound(folder: Path, tmp_path: Path) -> None:
    assert sounds_of(folder, "CA1", [Message(2, 0, 9_000)], 0) == [None]
    assert sounds_of(tmp_path / "nowhere", CALL, [Message(2, 0, 9_000)], 0) == [None]


def test_what_a_caller_does_not_want_recorded_is_not_sent(folder: Path) -> None:
    (folder / f"{CALL}.refused").touch()
    assert sounds_of(folder, CALL, [Message(2, 5_077, 19_194)], 0) == [None]


def test_a_damaged_recording_costs_the_sound_alone(folder: Path) -> None:
    [found] = folder.glob("*.call")
    (found / "call.jsonl").write_text("{}\n")
    assert sounds_of(folder, CALL, [Message(2, 0, 9_000)], 0) == [None]


def test_a_message_without_an_end_is_bounded_and_one_that_has_no_sound_has_none(
    folder: Path,
) -> None:
    whole, none = sounds_of(folder, CALL, [Message(2, 5_077), Message(3, 60_000, 61_000)], 0)
    samples, _ = heard(whole)
    assert len(samples) <= LONGEST_MS * 8
    assert none is None


def test_a_message_sounds_the_same_from_an_encrypted_recording(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    message = Message(2, 5_077, 19_194)
    plain = sounds_of(folder, CALL, [message], 0)
    (recording,) = folder.glob("*.call")
    for file in recording.glob("*.jsonl"):
        file.write_bytes(sealed(bytes(32), file.name, file.read_bytes()))
    monkeypatch.setenv("RECORDING_KEY", base64.b64encode(bytes(32)).decode())
    assert sounds_of(folder, CALL, [message], 0) == plain != [None]
    monkeypatch.delenv("RECORDING_KEY")
    assert sounds_of(folder, CALL, [message], 0) == [None]


@pytest.mark.parametrize("key", ["", base64.b64encode(bytes(32)).decode()])
def test_a_server_with_a_key_encrypts_what_it_records(tmp_path: Path, key: str) -> None:
    settings = load(
        gemini_api_key="key",
        twilio_auth_token="token",
        public_url="https://voice.example.com",
        record_dir=str(tmp_path),
        recording_key=key,
    )
    with parts(settings).recorder as recorder:
        for event, now_ms in read(CALLS / "message-taken.call").events[:20]:
            recorder(CALL, event, now_ms, ())
    (events,) = tmp_path.glob(f"*.call/{EVENTS_FILE}")
    assert is_sealed(events.read_bytes()) == bool(key)
