"""Reads and writes WAV files of 16-bit PCM: recordings to listen to, fixtures to replay.

Source: RIFF/WAVE, format tag 1. Files are read whole, into memory; nothing here is for live calls.
"""

import struct
import wave
from pathlib import Path

import numpy as np


class AudioFileError(ValueError):
    """The file is not a WAV file of the right kind. The message says expected, got and the fix."""


def write_stereo(path: Path | str, left: bytes, right: bytes, rate_hz: int) -> None:
    """Write the two sides of a call as a stereo file.

    Args:
        path: The file, which is replaced if it exists.
        left: PCM16 little-endian, mono.
        right: The same. Silence fills up the shorter of the two.
        rate_hz: The sample rate of both.
    """
    samples = np.zeros((max(len(left), len(right)) // 2, 2), "<i2")
    for ear, pcm in enumerate((left, right)):
        samples[: len(pcm) // 2, ear] = np.frombuffer(pcm, "<i2")
    _write(path, samples.tobytes(), rate_hz, channels=2)


def write_mono(path: Path | str, pcm: bytes, rate_hz: int) -> None:
    """Write a mono file from PCM16 little-endian. An existing file is replaced."""
    _write(path, pcm, rate_hz, channels=1)


def mono(pcm: bytes, rate_hz: int) -> bytes:
    """The bytes of a mono file of this PCM16, little-endian."""
    kind = struct.pack("<HHIIHH", 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    head = struct.pack("<4sI4s4sI", b"RIFF", 36 + len(pcm), b"WAVE", b"fmt ", len(kind))
    return head + kind + struct.pack("<4sI", b"data", len(pcm)) + pcm


def read_mono(path: Path | str) -> tuple[bytes, int]:
    """Read a mono 16-bit file of any rate.

    Returns:
        PCM16 little-endian, and the rate in Hz.

    Raises:
        AudioFileError: Not a WAV file, cut off, or not mono 16-bit PCM.
        FileNotFoundError: The file does not exist.
    """
    try:
        with wave.open(str(path), "rb") as file:
            channels, bits, rate_hz, samples = (
                file.getnchannels(),
                file.getsampwidth() * 8,
                file.getframerate(),
                file.getnframes(),
            )
            pcm = file.readframes(samples)
    except (wave.Error, EOFError) as error:
        raise _unlike(path, f"an unreadable file ({str(error) or 'it ends too early'})") from error
    if (channels, bits) != (1, 16):
        raise _unlike(path, f"{channels} channel(s) of {bits} bits")
    if len(pcm) != 2 * samples:
        raise _unlike(path, f"{len(pcm)} of the {2 * samples} bytes that its header states")
    return pcm, rate_hz


def _write(path: Path | str, pcm: bytes, rate_hz: int, channels: int) -> None:
    with Path(path).open("wb") as out, wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm)


def _unlike(path: Path | str, got: str) -> AudioFileError:
    fix = f"sox {path} -b 16 -c 1 -e signed-integer OUT.wav"
    return AudioFileError(f"{path}: expected a mono 16-bit PCM WAV, got {got}; fix: {fix}")
