"""The history of a session, and the handles from which another session can continue."""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal, Self
from uuid import UUID

from agent.simulator.reply import Piece

TOKENS_PER_S = 25
"""The tokens of one second of audio, in both directions (Gemini API pricing, October 2026)."""
CHARS_PER_TOKEN = 4

type Role = Literal["user", "model"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One turn of the history."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Memory:
    """A session's context, as it stands after a turn.

    Args:
        conversation: The conversation's number; a resumed session keeps it.
        system_instruction: That of the first setup; a resumed session keeps it.
        entries: The history. A model's entry holds the part that was sent.
        tokens: The cost of all of this as the next prompt, in tokens.
        audio_tokens: How many of these are audio.
        last: The part of the last reply that was sent.
    """

    conversation: int
    system_instruction: str = ""
    entries: tuple[Entry, ...] = ()
    tokens: int = 0
    audio_tokens: int = 0
    last: tuple[Piece, ...] = ()

    def with_entry(self, role: Role, text: str, duration_ms: float | None = None) -> Self:
        """The memory with one more entry, spoken in `duration_ms`, or None for text."""
        spoken = 0 if duration_ms is None else round(duration_ms * TOKENS_PER_S / 1000)
        written = len(text) // CHARS_PER_TOKEN if duration_ms is None else 0
        return replace(
            self,
            entries=(*self.entries, Entry(role, text)),
            tokens=self.tokens + spoken + written,
            audio_tokens=self.audio_tokens + spoken,
        )


@dataclass(slots=True)
class _Issued:
    memory: Memory
    expires_ms: int


@dataclass(slots=True)
class Handles:
    """All valid handles: the latest one of each conversation.

    A handle is a UUID drawn from the server's random numbers.
    """

    random: Random
    ttl_ms: int
    _latest: dict[int, str] = field(default_factory=dict)
    _issued: dict[str, _Issued] = field(default_factory=dict)

    def issue(self, memory: Memory, now_ms: int) -> str:
        """Make a handle for this point of the conversation; the one before becomes invalid."""
        self._forget_expired(now_ms)
        handle = str(UUID(int=self.random.getrandbits(128), version=4))
        self._issued.pop(self._latest.get(memory.conversation, ""), None)
        self._latest[memory.conversation] = handle
        self._issued[handle] = _Issued(memory, now_ms + self.ttl_ms)
        return handle

    def find(self, handle: str, now_ms: int) -> Memory | None:
        """The memory that a handle stands for; None if it is unknown, replaced or expired."""
        issued = self._issued.get(handle)
        return issued.memory if issued is not None and now_ms < issued.expires_ms else None

    def _forget_expired(self, now_ms: int) -> None:
        while self._issued:  # the oldest is first, and all live equally long
            handle, issued = next(iter(self._issued.items()))
            if now_ms < issued.expires_ms:
                return
            del self._issued[handle]
            self._latest.pop(issued.memory.conversation, None)

    def drop_all(self) -> None:
        """Make all handles that were given so far invalid."""
        self._issued.clear()
