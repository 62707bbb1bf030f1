"""Stores audio as references, such as `silence+320 caller@0+9120`, into files beside the recording.

A reference is a list of parts with a space between. The audio is these parts, one after the other.
All figures are in bytes.

    silence+N            N bytes of silence: 0xFF in µ-law, 0 in PCM
    caller@OFFSET+N      of the recording's own audio: `caller` is µ-law, `model` is PCM
    <16 hex>@OFFSET+N    of the file whose name is the beginning of its SHA-256
    tone:HZ@OFFSET+N     of an endless tone (`tone`), PCM only
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Protocol

from telephony.audio.formats import MODEL_OUT_RATE_HZ, ULAW_SILENCE
from telephony.replay.tone import tone

LONGEST = 16 << 20
"""The longest reference in bytes; far more than Gemini or Twilio may send at once."""

_PART = re.compile(
    r"(?P<name>silence|caller|model|[0-9a-f]{16}|tone:[1-9][0-9]{0,4})"
    r"(?:@(?P<offset>[0-9]{1,12}))?\+(?P<length>[1-9][0-9]{0,8})"
)


@dataclass(frozen=True, slots=True)
class Medium:
    """A kind of audio: the name of a call's own audio, the ending of its files, and its silence."""

    label: str
    suffix: str
    silence: bytes


CALLER = Medium("caller", ".ulaw", ULAW_SILENCE)
"""µ-law, 8 kHz, mono."""

MODEL = Medium("model", ".pcm24", b"\x00")
"""PCM, int16 little-endian, mono, 24 kHz."""


class Part(NamedTuple):
    """`length` bytes of the audio `name`, from `offset` on."""

    name: str
    offset: int
    length: int

    def __str__(self) -> str:
        at = "" if self.name == "silence" else f"@{self.offset}"
        return f"{self.name}{at}+{self.length}"


class Known(Protocol):
    """Existing audio, which a recording can refer to instead of keeping it again."""

    @property
    def name(self) -> str:
        """The name of this audio in a part."""
        ...

    def cut(self, offset: int, length: int) -> bytes:
        """A piece of the audio; shorter if the audio ends earlier."""
        ...

    def find(self, data: bytes) -> int:
        """The position of `data` in the audio, or -1."""
        ...


class Shared:
    """Audio that several recordings share, kept under its own hash."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.name = content_name(data)

    def cut(self, offset: int, length: int) -> bytes:
        """As `Known`."""
        return self.data[offset : offset + length]

    def find(self, data: bytes) -> int:
        """As `Known`."""
        return self.data.find(data)


class Tone:
    """The endless tone of one pitch, in Hz."""

    def __init__(self, hz: int) -> None:
        self.name = f"tone:{hz}"
        self._hz = hz

    def cut(self, offset: int, length: int) -> bytes:
        """As `Known`."""
        return tone(self._hz, offset, length)

    def find(self, data: bytes) -> int:
        """As `Known`; searches the first second, after which the tone repeats."""
        return tone(self._hz, 0, 2 * MODEL_OUT_RATE_HZ + len(data)).find(data)


class Track:
    """The audio of one medium in a recording that is being written. It keeps only new audio.

    Args:
        medium: The medium.
        known: Existing audio to refer to.
    """

    def __init__(self, medium: Medium, known: Sequence[Known] = ()) -> None:
        self.medium = medium
        self._known = known
        self._last: tuple[Known, int] | None = None
        self._new = bytearray()
        self._kept = 0
        self._hash = sha256()

    @property
    def kept(self) -> int:
        """How many bytes of this medium the recording itself keeps."""
        return self._kept

    @property
    def content_name(self) -> str:
        """The name of the file that holds this audio, without its ending."""
        return self._hash.hexdigest()[:16]

    def refer(self, data: bytes) -> Part:
        """A reference to `data`, which must not be empty. New audio is kept."""
        if data == self.medium.silence * len(data):
            return Part("silence", 0, len(data))
        if (known := self._look_up(data)) is not None:
            return known
        part = Part(self.medium.label, self._kept, len(data))
        self._kept += len(data)
        self._new += data
        self._hash.update(data)
        return part

    def take(self) -> bytes:
        """The new audio since the last call of `take`."""
        new = bytes(self._new)
        self._new.clear()
        return new

    def _look_up(self, data: bytes) -> Part | None:
        if self._last is not None:
            known, offset = self._last
            if known.cut(offset, len(data)) == data:
                return self._found(known, offset, len(data))
        for known in self._known:
            if (offset := known.find(data)) >= 0:
                return self._found(known, offset, len(data))
        return None

    def _found(self, known: Known, offset: int, length: int) -> Part:
        self._last = (known, offset + length)
        return Part(known.name, offset, length)


def content_name(data: bytes) -> str:
    """The name of a file with these bytes, without its ending."""
    return sha256(data).hexdigest()[:16]


def join(parts: Sequence[Part]) -> str:
    """The reference to several parts. Parts that follow one another are joined."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if last and last.name == part.name and follows(last, part):
            joined[-1] = last._replace(length=last.length + part.length)
        else:
            joined.append(part)
    return " ".join(map(str, joined))


def follows(one: Part, other: Part) -> bool:
    """Whether `other` begins where `one`, of the same name, ends."""
    return one.name == "silence" or one.offset + one.length == other.offset


def resolve(reference: str, medium: Medium, kept: Callable[[str], bytes]) -> bytes:
    """Read the audio that a reference names.

    Args:
        reference: The parts.
        medium: The kind of audio.
        kept: Returns the bytes of `caller`, `model` or a hash.

    Raises:
        ValueError: The text is not a reference, or a part reaches beyond its audio.
    """
    pieces = []
    room = LONGEST
    for text in reference.split(" ") if reference else ():
        match = _PART.fullmatch(text)
        if match is None or (match["name"] == "silence") != (match["offset"] is None):
            raise ValueError(f"expected audio such as 'caller@0+160 silence+160', got {text!r}")
        part = Part(match["name"], int(match["offset"] or 0), int(match["length"]))
        room -= part.length
        if room < 0:
            raise ValueError(f"expected {LONGEST} bytes of audio at most, got {reference!r}")
        pieces.append(_cut(part, medium, kept))
    return b"".join(pieces)


def _cut(part: Part, medium: Medium, kept: Callable[[str], bytes]) -> bytes:
    if part.name == "silence":
        return medium.silence * part.length
    if part.name.startswith("tone:"):
        if medium is not MODEL:
            raise ValueError(f"expected {medium.label} audio, got {part}, which is of the model")
        return tone(int(part.name.removeprefix("tone:")), part.offset, part.length)
    data = kept(part.name)[part.offset : part.offset + part.length]
    if len(data) != part.length:
        raise ValueError(f"expected audio as far as {part} reaches, got {len(data)} bytes of it")
    return data


def load_shared(folder: Path, medium: Medium) -> list[Shared]:
    """All shared audio of a medium in a folder, by name."""
    return [Shared(path.read_bytes()) for path in sorted(folder.glob(f"*{medium.suffix}"))]


def save_shared(folder: Path, medium: Medium, data: bytes) -> Shared:
    """Write audio for several recordings. The folder is made if it does not exist."""
    shared = Shared(data)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{shared.name}{medium.suffix}").write_bytes(data)
    return shared
