"""The caller's side of one session: turns audio into utterances, transcriptions and questions.

Source: gemini-3.8-live traces. voiceActivity START comes about 1 s after the start was committed,
END together with the transcription; `interrupted` comes at once.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import assert_never

import numpy as np
import soxr

from agent.simulator import client_messages as said
from agent.simulator import server_messages as say
from agent.simulator.activity import RATE_HZ, Began, Ended, Hearing
from agent.simulator.agenda import Agenda
from agent.simulator.behaviour import Behaviour
from agent.simulator.reply import Asked
from agent.simulator.server_messages import Message, Send
from agent.simulator.service import Service
from agent.simulator.turns import Turns

LETTERS = 5
"""In each message of a transcription that comes by letters: no word is safe from being cut."""

SWALLOWED_MS = range(5_000, 7_000)
"""How long after generationComplete the utterances begin that are swallowed most often."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One utterance of the caller, as it was heard.

    Args:
        text: The transcription; "" if nothing was understood.
        phrase: The caller clip that was understood, without the role, or None.
        coverage: The share of that phrase that was heard; see `ear`.
        speech_ms: How much speech it held.
        ended_ms: When its end was committed.
        pcm: The utterance and its surroundings: int16 little-endian, mono, 16 kHz.
    """

    text: str
    phrase: str | None
    coverage: float
    speech_ms: int
    ended_ms: int
    pcm: bytes


class Listening:
    """What one open session hears, and how it reacts.

    Attributes:
        heard: Every utterance that has ended.
        received_pcm: All caller audio at `RATE_HZ`, if the service keeps it; otherwise empty.
        ignore_next: Whether the next utterance is neither transcribed nor answered.
    """

    def __init__(
        self, service: Service, setup: said.Setup, turns: Turns, agenda: Agenda, send: Send
    ) -> None:
        self.heard: list[Utterance] = []
        self.received_pcm = bytearray()
        self.ignore_next = False
        self._service = service
        self._behaviour = service.behaviour
        self._setup = setup
        self._turns = turns
        self._agenda = agenda
        self._send = send
        self._hearing = Hearing(setup.detection)
        self._resamplers: dict[int, soxr.ResampleStream] = {}
        self._untold_start_ms: float | None = None
        self._swallowing = False
        self._swallowed: Asked | None = None
        """What an open turn holds."""

    @property
    def received_ms(self) -> float:
        """How much caller audio was received."""
        return self._hearing.received_ms

    def audio(self, audio: said.Audio, now_ms: int) -> None:
        """Take the next piece of caller audio."""
        pcm = self._at_ear_rate(audio)
        if self._service.keep_audio:
            self.received_pcm += pcm
        self._happened(self._hearing.hear(pcm), now_ms)

    def stream_end(self, now_ms: int) -> None:
        """No more audio comes for now."""
        match self._behaviour.swallowed_end:
            case "answers" if self._swallowed is not None:
                self._turns.ask(self._swallowed, now_ms)
                self._swallowed = None
            case "closes":
                self._swallowed = None
            case _:
                pass
        self._happened(self._hearing.stream_end(), now_ms)

    def activity(self, *, begins: bool, now_ms: int) -> None:
        """The client reports activity that it has detected itself.

        Raises:
            Invalid: This session detects activity automatically.
        """
        if self._setup.detection.automatic:
            raise said.Invalid(
                "Explicit activity control is not supported when automatic activity detection "
                "is enabled."
            )
        hearing = self._hearing
        self._happened(hearing.activity_start() if begins else hearing.activity_end(), now_ms)

    def _at_ear_rate(self, audio: said.Audio) -> bytes:
        if audio.rate_hz == RATE_HZ:
            return audio.pcm
        if audio.rate_hz not in self._resamplers:
            stream = soxr.ResampleStream(audio.rate_hz, RATE_HZ, 1, dtype="int16", quality="QQ")
            self._resamplers[audio.rate_hz] = stream
        samples = np.frombuffer(audio.pcm, dtype="<i2")
        return bytes(self._resamplers[audio.rate_hz].resample_chunk(samples).tobytes())

    def _happened(self, happened: list[Began | Ended], now_ms: int) -> None:
        for one in happened:
            match one:
                case Began():
                    self._began(now_ms)
                case Ended():
                    self._ended(one, now_ms)
                case _:
                    assert_never(one)

    def text(self) -> None:
        """The client sends a text: whatever turn was open is over."""
        self._swallowed = None

    def _swallows(self, now_ms: int) -> bool:
        """Whether the utterance that begins is one of those that nobody hears."""
        generated_ms = self._turns.generated_ms
        late = generated_ms is not None and now_ms - generated_ms in SWALLOWED_MS
        share = self._behaviour.swallows if late else self._behaviour.swallows_else
        return share > 0 and self._service.random.random() < share

    def _began(self, now_ms: int) -> None:
        self._swallowing = self._swallowed is not None or self._swallows(now_ms)
        if self.ignore_next or self._swallowing:
            return
        self._turns.listen()
        if self._setup.interrupts:
            self._turns.interrupt(now_ms, after_ms=self._behaviour.interrupt_ms)
        if self._behaviour.voice_activity:
            self._untold_start_ms = started_ms = self.received_ms
            tell_ms = now_ms + self._behaviour.voice_activity_lag_ms
            self._agenda.note(tell_ms, lambda _: self._tell_start(started_ms))

    def _tell_start(self, started_ms: float) -> None:
        if self._untold_start_ms == started_ms:
            self._untold_start_ms = None
            self._send(say.voice_activity("ACTIVITY_START", started_ms))

    def _ended(self, ended: Ended, now_ms: int) -> None:
        heard = self._service.ear.hear(ended.pcm)
        asked = Asked(heard.text or "", heard.name, len(ended.pcm) * 1000 / (2 * RATE_HZ))
        asked = replace(asked, text=self._turns.transcription(asked))
        self.heard.append(
            Utterance(asked.text, heard.name, heard.coverage, ended.speech_ms, now_ms, ended.pcm)
        )
        if self.ignore_next:
            self.ignore_next = False
            return
        if self._swallowing:
            self._swallowed = asked if self._swallowed is None else None
            return
        if self._untold_start_ms is not None:
            self._tell_start(self._untold_start_ms)
        if self._behaviour.voice_activity:
            self._send(say.voice_activity("ACTIVITY_END", self.received_ms))
        if self._setup.input_transcription and asked.text:
            self._plan_words(asked.text, now_ms + self._behaviour.transcription_ms)
        self._turns.ask(asked, now_ms)

    def _plan_words(self, text: str, told_ms: int) -> None:
        for n, piece in enumerate(transcribed(text, self._behaviour)):
            due_ms = told_ms + n * self._behaviour.transcription_gap_ms
            message = say.server_content(inputTranscription={"text": piece})
            self._agenda.note(due_ms, partial(self._send_at, message))

    def _send_at(self, message: Message, _now_ms: int) -> None:
        self._send(message)


def transcribed(text: str, behaviour: Behaviour) -> list[str]:
    """The texts of the messages in which the words of an utterance come."""
    match behaviour.transcription:
        case "nothing":
            return []
        case "utterance":
            pieces = [text]
        case "words":
            pieces = [f" {word}" if n else word for n, word in enumerate(text.split())]
        case "letters":
            pieces = [text[at : at + LETTERS] for at in range(0, len(text), LETTERS)]
    return ["<noise>", *pieces, " <ctrl46>"] if behaviour.markup else pieces
