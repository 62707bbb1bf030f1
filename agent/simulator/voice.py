"""The voices of both simulators: clips of synthesized speech, which are part of the package.

A clip's name has its speaker and its content: ``agent/greeting``, ``caller/table``.
`clips/index.toml` holds the texts, and `fixtures/audio/synthesize.py` makes the clips. The agent
can also say any other WAV file.
"""

import tomllib
import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soxr

CLIPS = Path(__file__).parent / "clips"

AGENT_RATE_HZ = 24_000
"""The rate of audio that Gemini Live sends."""
CALLER_RATE_HZ = 8_000
"""The rate of audio on a telephone line."""
EAR_RATE_HZ = 16_000
"""The rate of audio that Gemini Live receives."""

WAV = ".wav"

WORDS = "words:"
"""Begins a `say` that gives the words themselves."""

MS_PER_CHARACTER = 65
"""How long speech takes: about 15 characters a second."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A piece of speech.

    Args:
        name: ``<role>/<name>``.
        text: The words.
        pcm: int16 little-endian, mono.
        rate_hz: Samples per second of `pcm`.
    """

    name: str
    text: str
    pcm: bytes
    rate_hz: int

    @property
    def duration_ms(self) -> float:
        """How long it is."""
        return len(self.pcm) / 2 * 1000 / self.rate_hz


@cache
def texts() -> dict[str, str]:
    """The text of every clip, by name."""
    index = tomllib.loads((CLIPS / "index.toml").read_text(encoding="utf-8"))
    return {
        f"{role}/{name}": text for role in ("agent", "caller") for name, text in index[role].items()
    }


@cache
def clip(name: str, rate_hz: int | None = None) -> Clip:
    """The clip with a name.

    Args:
        name: ``agent/…`` or ``caller/…``, as in `texts`.
        rate_hz: The sample rate; None for the speaker's: `AGENT_RATE_HZ` or `CALLER_RATE_HZ`.

    Raises:
        KeyError: There is no such clip.
    """
    text = texts()[name]
    own_rate_hz = AGENT_RATE_HZ if name.startswith("agent/") else CALLER_RATE_HZ
    wanted_hz = own_rate_hz if rate_hz is None else rate_hz
    with wave.open(str(CLIPS / f"{name}.wav")) as file:
        pcm, file_rate_hz = file.readframes(file.getnframes()), file.getframerate()
    return Clip(name, text, _at_rate(pcm, file_rate_hz, wanted_hz), wanted_hz)


@cache
def agent_clip(say: str) -> Clip:
    """The agent's audio for a script's `say`.

    Args:
        say: A clip's name without the role; several joined by "+", said without a pause; or the
            path of a .wav file at `AGENT_RATE_HZ`, whose transcription is the file's name; or
            `WORDS` and any text.

    Raises:
        KeyError: There is no such clip.
        OSError: The file cannot be read.
        ValueError: It is not mono 16-bit PCM at `AGENT_RATE_HZ`.
    """
    if say.startswith(WORDS):
        return _words(say.removeprefix(WORDS))
    if not say.endswith(WAV):
        clips = [clip(f"agent/{name}") for name in say.split("+")]
        text = " ".join(one.text for one in clips)
        return Clip(say, text, b"".join(one.pcm for one in clips), AGENT_RATE_HZ)
    try:
        with wave.open(say) as file:
            form = (file.getnchannels(), file.getsampwidth() * 8, file.getframerate())
            pcm = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"a file that is no WAV ({error})") from error
    if form != (1, 16, AGENT_RATE_HZ):
        raise ValueError("{} channel(s) of {} bits at {} Hz".format(*form))
    return Clip(say, Path(say).stem, pcm, AGENT_RATE_HZ)


def _words(text: str) -> Clip:
    """Speech for any text. If there is no clip of these words, the sound is that of other words,
    for as long as these would take.
    """
    for name, known in texts().items():
        if name.startswith("agent/") and known == text:
            return clip(name)
    sound = b"".join(clip(name).pcm for name in texts() if name.startswith("agent/"))
    samples = len(text) * MS_PER_CHARACTER * AGENT_RATE_HZ // 1000
    repeated = sound * (1 + 2 * samples // len(sound))
    return Clip(f"{WORDS}{text}", text, repeated[: 2 * samples], AGENT_RATE_HZ)


def _at_rate(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    if from_hz == to_hz:
        return pcm
    samples = soxr.resample(np.frombuffer(pcm, dtype="<i2"), from_hz, to_hz, quality="VHQ")
    return np.asarray(samples, dtype="<i2").tobytes()
