"""Caller → model: PCM 8 kHz, gathered into chunks and resampled to 16 kHz.

While there is sound on the line, chunks of 20 ms go out; otherwise 100 ms, for cost.
"""

from telephony.audio.formats import MODEL_IN_RATE_HZ, PHONE_SAMPLES_PER_MS
from telephony.audio.resample import phone_to_model

SOUND_CHUNK_MS = 20
QUIET_CHUNK_MS = 100

MODEL_IN_BYTES_PER_MS = 2 * MODEL_IN_RATE_HZ // 1000

_QUIET_CHUNK_BYTES = QUIET_CHUNK_MS * MODEL_IN_BYTES_PER_MS
_BYTES_PER_MS = 2 * PHONE_SAMPLES_PER_MS


class Uplink:
    """The chunks of one caller, from one session's beginning to the next."""

    def __init__(self) -> None:
        self._resampler = phone_to_model()
        self._chunk = bytearray()

    def begin(self, pcm: bytes) -> list[bytes]:
        """A session listens from now on, and is to hear this first: PCM16, 8 kHz."""
        self._resampler.reset()
        self._chunk.clear()
        pcm = self._resampler.push(pcm)
        return [pcm[i : i + _QUIET_CHUNK_BYTES] for i in range(0, len(pcm), _QUIET_CHUNK_BYTES)]

    def take(self, pcm: bytes, *, active: bool) -> bytes | None:
        """Gather what came, PCM16, 8 kHz, until a chunk is due, and return that, at 16 kHz.

        Resampled whole, a chunk costs a third of its frames.
        """
        self._chunk += pcm
        chunk_ms = SOUND_CHUNK_MS if active else QUIET_CHUNK_MS
        if len(self._chunk) < chunk_ms * _BYTES_PER_MS:
            return None
        chunk = self._resampler.push(bytes(self._chunk))
        self._chunk.clear()
        return chunk
