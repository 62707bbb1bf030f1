"""A client of the simulated server in virtual time and in memory, for tests and worlds."""

from base64 import b64decode, b64encode

from agent.simulator.faults import Close, Fault, Reset
from agent.simulator.model import GeminiServer, Refusal
from agent.simulator.server_messages import Message
from agent.simulator.voice import EAR_RATE_HZ, clip

FRAME_MS = 20
_BYTES_PER_MS = EAR_RATE_HZ // 1000 * 2

TALKATIVE: Message = {
    "model": "models/gemini-3.8-live",
    "generationConfig": {"responseModalities": ["AUDIO"]},
    "inputAudioTranscription": {},
    "outputAudioTranscription": {},
}
"""A setup that asks for both transcriptions."""


class VirtualClient:
    """One connection, with its own virtual clock.

    Args:
        server: The server to connect to.
        setup: The setup to send at once; None to send none.
        now_ms: The time now.

    Attributes:
        session: The server's side.
        now_ms: The time now.
        received: Every message, and when it came.
        ended: How the server ended it, or None.
    """

    def __init__(
        self, server: GeminiServer, setup: Message | None = TALKATIVE, *, now_ms: int = 0
    ) -> None:
        session = server.connect(now_ms)
        if isinstance(session, Refusal):
            raise ConnectionRefusedError(session.status, session.reason)
        self.session = session
        self.now_ms = now_ms
        self.received: list[tuple[int, Message]] = []
        self.ended: Close | Reset | None = None
        self._server = server
        if setup is not None:
            self.send({"setup": setup})

    @property
    def handle(self) -> str:
        """The last handle that was received."""
        handles = [str(update["newHandle"]) for update in self.of("sessionResumptionUpdate")]
        return next((handle for handle in reversed(handles) if handle), "")

    @property
    def said(self) -> str:
        """The model's words, from its transcription."""
        return "".join(str(piece["text"]) for piece in self.of("outputTranscription"))

    @property
    def understood(self) -> list[str]:
        """The words that the model understood, from its transcription."""
        return [str(piece["text"]) for piece in self.of("inputTranscription")]

    @property
    def pcm(self) -> bytes:
        """All reply audio."""
        parts = [part for turn in self.of("modelTurn") for part in _list(turn["parts"])]
        return b"".join(b64decode(str(_table(part["inlineData"])["data"])) for part in parts)

    @property
    def outline(self) -> list[str]:
        """The kinds of received messages, in order. Consecutive audio counts once."""
        kinds: list[str] = []
        for _, message in self.received:
            for kind, value in _kinds(message):
                name = kind
                if kind == "sessionResumptionUpdate":
                    name = "handle" if value["resumable"] else "no handle"
                if kind not in ("usageMetadata", "outputTranscription") and kinds[-1:] != [name]:
                    kinds.append(name)
        return kinds

    def of(self, kind: str) -> list[Message]:
        """The received values of a kind: a field of serverContent, or of the message."""
        return [value for _, message in self.received for k, value in _kinds(message) if k == kind]

    def when(self, kind: str) -> list[int]:
        """The times at which messages of a kind came."""
        return [at_ms for at_ms, message in self.received for k, _ in _kinds(message) if k == kind]

    def greet(self) -> None:
        """Wait for the session to open, ask for the greeting, and hear it to its end."""
        self._await_handle_after("")
        self.say("Greet the caller.")
        self._await_handle_after(self.handle)

    def _await_handle_after(self, handle: str) -> None:
        while self.handle == handle:
            if self.ended is not None:
                raise ConnectionError(f"expected a new handle, got {self.ended}")
            self.run(FRAME_MS)

    def send(self, message: object) -> None:
        """Send one message, and receive the messages that come at once."""
        self.session.receive(message, self.now_ms)
        self._take()

    def say(self, text: str) -> None:
        """Send text as realtime input."""
        self.send({"realtimeInput": {"text": text}})

    def audio(self, pcm: bytes, *, speed: float = 1.0) -> None:
        """Send caller audio (PCM16, 16 kHz) in frames of 20 ms, `speed` times as fast as spoken."""
        size = FRAME_MS * _BYTES_PER_MS
        began_ms = self.now_ms
        for n, at in enumerate(range(0, len(pcm), size), 1):
            data = b64encode(pcm[at : at + size]).decode()
            blob = {"data": data, "mimeType": f"audio/pcm;rate={EAR_RATE_HZ}"}
            self.send({"realtimeInput": {"audio": blob}})
            self.run(round(began_ms + n * FRAME_MS / speed) - self.now_ms)

    def speak(self, name: str, *, silence_ms: int = 1_000, speed: float = 1.0) -> None:
        """Say a clip of the caller, and then be silent for a while."""
        spoken = clip(f"caller/{name}", EAR_RATE_HZ).pcm
        self.audio(spoken + bytes(silence_ms * _BYTES_PER_MS), speed=speed)

    def inject(self, fault: Fault) -> None:
        """Inject a fault now."""
        self._server.inject(fault, self.now_ms)
        self._take()

    def run(self, duration_ms: int) -> None:
        """Let time pass."""
        until_ms = self.now_ms + duration_ms
        while (due_ms := self.session.deadline_ms()) is not None and due_ms <= until_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self._take()
        self.now_ms = until_ms

    def leave(self) -> None:
        """Close the connection."""
        self.session.closed(self.now_ms)

    def _take(self) -> None:
        for one in self.session.poll(self.now_ms):
            if isinstance(one, Close | Reset):
                self.ended = one
            else:
                self.received.append((self.now_ms, one))


def _kinds(message: Message) -> list[tuple[str, Message]]:
    """The kinds of content in a message, each with its content; a flag's content is empty."""
    content = message.get("serverContent", {})
    fields = {**message, **_table(content)}
    fields.pop("serverContent", None)
    return [(kind, value if isinstance(value, dict) else {}) for kind, value in fields.items()]


def _table(value: object) -> Message:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Message]:
    return value if isinstance(value, list) else []
