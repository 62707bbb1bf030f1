"""Caller → model: µ-law 8 kHz to PCM 16 kHz, in chunks; and what the model may have missed.

While it hears sound, and for 300 ms after, chunks of 20 ms go out; otherwise 100 ms, for cost.
It never stops sending: some lines deliver nothing while the caller is silent.

Everything the caller said since the last answered turn is kept, up to 30 s, whether or not a
session listened: after a resume it is sent again, faster than real time.
"""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from telephony.audio import g711
from telephony.audio.formats import MODEL_IN_RATE_HZ, PHONE_SAMPLES_PER_MS, ULAW_SILENCE
from telephony.audio.level import LevelGate
from telephony.audio.resample import phone_to_model
from telephony.call.gaps import Gaps

SOUND_CHUNK_MS = 20
QUIET_CHUNK_MS = 100

FILL_AFTER_MS = 400
"""Media comes in bursts after gaps of up to 233 ms; a longer gap is filled with silence."""

KEPT_LIMIT_SAMPLES = 30_000 * PHONE_SAMPLES_PER_MS

LEAD_IN_MS = 1_000
"""How much of what came before the first sound is sent again: speech may begin below the gate."""

QUIET_TAIL_MS = 200
"""How much is sent again where no sound was heard at all."""

FINISHED_AFTER_MS = 500
"""Quiet for so long, the caller has finished: the server's own limit (`silence_duration_ms`)."""

WORD_FRAMES = 10
"""Frames of Twilio's, 20 ms each, that stand out; a "yes" has 15."""

MODEL_IN_BYTES_PER_MS = 2 * MODEL_IN_RATE_HZ // 1000

_BYTES_PER_MS = 2 * PHONE_SAMPLES_PER_MS


class _Kept(NamedTuple):
    at_ms: int
    ulaw: bytes
    sound: bool


@dataclass(frozen=True, slots=True)
class Held:
    """What a new session is to hear first: PCM chunks, and whether the caller had finished."""

    chunks: list[bytes]
    finished: bool


class Uplink:
    """One caller's way to the model.

    Attributes:
        sound_at_ms: When the caller was last heard, speaking or not.
        lost_samples: How much was forgotten that no session heard.
    """

    def __init__(self) -> None:
        self._gate = LevelGate()
        self._resampler = phone_to_model()
        self._chunk = bytearray()
        self._gaps = Gaps()
        self._listening = False
        self._kept: deque[_Kept] = deque()
        self._kept_samples = 0
        self._kept_sounds = 0
        self.sound_at_ms = 0
        self._covered_ms = 0
        self._filling = False
        self.lost_samples = 0

    @property
    def waiting(self) -> bool:
        """Whether the caller was heard since the last answered turn."""
        return self._kept_sounds > 0

    @property
    def spoken(self) -> bool:
        """Whether that may have been a word: not a click, nor a breath."""
        return self._kept_sounds >= WORD_FRAMES

    def push(self, ulaw: bytes, timestamp_ms: int, now_ms: int) -> list[bytes]:
        """Caller audio came: µ-law, any length. Returns the PCM chunks that are due (16 kHz)."""
        self._cover(now_ms)
        missing = self._gaps.before(timestamp_ms, len(ulaw))
        if missing is None:
            return []
        ulaw = ULAW_SILENCE * missing + ulaw
        pcm = g711.decode(ulaw)
        sound = self._gate.hears(pcm)
        if sound:
            self.sound_at_ms = now_ms
        self._keep(_Kept(now_ms, ulaw, sound))
        return self._take(pcm) if self._listening else []

    def started(self, now_ms: int) -> None:
        """A stream begins; its audio is due from now on."""
        self._cover(now_ms)
        self._gaps = Gaps()

    def fill(self, now_ms: int) -> list[bytes]:
        """If nothing has come for long, the model hears silence: it would wait for the rest of a
        sentence for ever. Returns the PCM chunks that are due.
        """
        deadline_ms = self.deadline_ms()
        if deadline_ms is None or now_ms < deadline_ms:
            return []
        silence = bytes(2 * (now_ms - self._covered_ms) * PHONE_SAMPLES_PER_MS)
        self._gaps.filled(len(silence) // 2)
        self._covered_ms = now_ms
        self._filling = True
        self._gate.hears(silence)
        return self._take(silence)

    def deadline_ms(self) -> int | None:
        """When `fill` is due, if nothing comes before; None while no session listens."""
        if not self._listening:
            return None
        return self._covered_ms + (QUIET_CHUNK_MS if self._filling else FILL_AFTER_MS)

    def resume(self, now_ms: int) -> Held:
        """A session listens from now on; this is what it has to hear first."""
        self._listening = True
        self._cover(now_ms)
        self._resampler.reset()
        self._chunk.clear()
        ulaw = b"".join(kept.ulaw for kept in self._kept if kept.at_ms >= self._since_ms())
        pcm = self._resampler.push(g711.decode(ulaw))
        size = QUIET_CHUNK_MS * MODEL_IN_BYTES_PER_MS
        chunks = [pcm[i : i + size] for i in range(0, len(pcm), size)]
        finished = self.waiting and now_ms - self.sound_at_ms >= FINISHED_AFTER_MS
        return Held(chunks, finished)

    def hold(self) -> None:
        """No session listens."""
        self._listening = False

    def release(self, before_ms: int) -> None:
        """What came before `before_ms` has been answered."""
        while self._kept and self._kept[0].at_ms < before_ms:
            self._forget_first()

    def _cover(self, now_ms: int) -> None:
        self._covered_ms = now_ms
        self._filling = False

    def _take(self, pcm: bytes) -> list[bytes]:
        """Gather what the phone sent until a chunk is due; resampled whole, it costs a third."""
        self._chunk += pcm
        chunk_ms = SOUND_CHUNK_MS if self._gate.active else QUIET_CHUNK_MS
        if len(self._chunk) < chunk_ms * _BYTES_PER_MS:
            return []
        chunk = self._resampler.push(bytes(self._chunk))
        self._chunk.clear()
        return [chunk]

    def _since_ms(self) -> int:
        if not self._kept:
            return 0
        first = next((kept.at_ms for kept in self._kept if kept.sound), None)
        if first is None:
            return self._kept[-1].at_ms - QUIET_TAIL_MS
        return first - LEAD_IN_MS

    def _keep(self, kept: _Kept) -> None:
        self._kept.append(kept)
        self._kept_samples += len(kept.ulaw)
        self._kept_sounds += kept.sound
        while self._kept_samples > KEPT_LIMIT_SAMPLES:
            self.lost_samples += len(self._kept[0].ulaw) if not self._listening else 0
            self._forget_first()

    def _forget_first(self) -> None:
        kept = self._kept.popleft()
        self._kept_samples -= len(kept.ulaw)
        self._kept_sounds -= kept.sound
