"""Seals the files of a recording, so that nobody reads them without RECORDING_KEY.

A sealed file grows as a plain one does:

    b"\\x93offhook"  8 bytes
    version         1 byte: 1
    salt            16 random bytes
    check           16 bytes: the seal of nothing, by which a wrong key is told from a change
    frames          each: the length of its data (4 bytes, big-endian), the seal of that length
                    (16 bytes), the encrypted data and its seal (length + 16 bytes)

Each file has a key of its own, made of RECORDING_KEY and the salt by HKDF-SHA256, so no nonce is
used twice with one key. The nonces of AES-256-GCM count: one byte says what is sealed, and 11 say
which frame. The salt and the file's name are sealed with each frame. So a frame that was changed,
moved, repeated or taken from another file does not open. Only a last frame that was not written to
its end, because its worker died, is left out.

A file that begins otherwise is plain, and is read as it is.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from telephony import keys
from telephony.errors import RecordingError

MAGIC = b"\x93offhook"
VERSION = b"\x01"

_SALT_BYTES = 16
_SEAL_BYTES = 16
_BEGIN_BYTES = len(MAGIC) + len(VERSION) + _SALT_BYTES
_HEADER_BYTES = _BEGIN_BYTES + _SEAL_BYTES
_LENGTH_BYTES = 4

_CHECK, _LENGTH, _DATA = 0, 1, 2
"""What is sealed."""

SET_KEY = "set RECORDING_KEY to the key of the server that recorded it, or add that key to it"
AGAIN = "take the recording from where it came from again"


class _Cipher:
    """Seals and opens the parts of one file, which begins with `begin`."""

    def __init__(self, key: bytes, begin: bytes, name: str) -> None:
        salt = begin[-_SALT_BYTES:]
        derived = HKDF(SHA256(), 32, salt, b"offhook recording, version 1").derive(key)
        self._aes = AESGCM(derived)
        self._bound_to = begin + name.encode()

    def seal(self, kind: int, number: int, data: bytes = b"", seen: bytes = b"") -> bytes:
        """Encrypt `data`; its seal covers also `seen`, which stays readable."""
        nonce = bytes([kind]) + number.to_bytes(11)
        return self._aes.encrypt(nonce, data, self._bound_to + seen)

    def open(self, kind: int, number: int, data: bytes, seen: bytes = b"") -> bytes:
        """Decrypt what `seal` gave.

        Raises:
            InvalidTag: It gave something else.
        """
        nonce = bytes([kind]) + number.to_bytes(11)
        return self._aes.decrypt(nonce, data, self._bound_to + seen)

    def is_of(self, check: bytes) -> bool:
        """Whether a file with this `check` was sealed with the same key."""
        try:
            self.open(_CHECK, 0, check)
        except InvalidTag:
            return False
        return True


class Sealer:
    """Seals what is appended to one new file.

    Args:
        key: RECORDING_KEY, 32 bytes.
        file: The file's name.

    Attributes:
        header: What the file begins with.
    """

    def __init__(self, key: bytes, file: str) -> None:
        begin = MAGIC + VERSION + secrets.token_bytes(_SALT_BYTES)
        self._cipher = _Cipher(key, begin, _bound_name(file))
        self._frames = 0
        self.header = begin + self._cipher.seal(_CHECK, 0)

    def seal(self, data: bytes) -> bytes:
        """The next frame, to be appended to the file; nothing for no data."""
        if not data:
            return b""
        length = len(data).to_bytes(_LENGTH_BYTES)
        frame = length + self._cipher.seal(_LENGTH, self._frames, seen=length)
        frame += self._cipher.seal(_DATA, self._frames, data)
        self._frames += 1
        return frame


def sealed(key: bytes, file: str, data: bytes) -> bytes:
    """The content of a whole file, sealed as one frame. See `Sealer`."""
    sealer = Sealer(key, file)
    return sealer.header + sealer.seal(data)


def is_sealed(data: bytes) -> bool:
    """Whether a file with this content is sealed, or was going to be when its worker died."""
    return data.startswith(MAGIC) or (bool(data) and MAGIC.startswith(data))


def opened(path: Path, data: bytes, keys: Sequence[bytes]) -> bytes:
    """What a file holds, without the seals; a last frame that was cut off is left out.

    Args:
        path: The file, for its name.
        data: Its content, sealed or plain.
        keys: Those of RECORDING_KEY, each of which may have sealed it; only sealed files need any.

    Raises:
        RecordingError: The key is missing or another, or the file was changed.
    """
    if not is_sealed(data):
        return data
    if not keys:
        raise RecordingError(
            str(path), "expected RECORDING_KEY, as the file is encrypted, got none", SET_KEY
        )
    if len(data) < _HEADER_BYTES:
        return b""
    if (version := data[len(MAGIC) : len(MAGIC) + 1]) != VERSION:
        problem = f"expected an encrypted file of version {VERSION[0]}, got version {version[0]}"
        raise RecordingError(str(path), problem, "read it with a newer offhook")
    for key in keys:
        cipher = _Cipher(key, data[:_BEGIN_BYTES], _bound_name(path.name))
        if cipher.is_of(data[_BEGIN_BYTES:_HEADER_BYTES]):
            return b"".join(_frames(path, data, cipher))
    problem = "expected the RECORDING_KEY with which the file was encrypted, got another"
    raise RecordingError(str(path), problem, SET_KEY)


def read(path: Path) -> bytes:
    """Read a file of a recording, sealed or plain. RECORDING_KEY is taken from the environment.

    Raises:
        OSError: There is no such file, or the like.
        RecordingError: As `opened`; or RECORDING_KEY has another form.
    """
    data = path.read_bytes()
    return opened(path, data, _keys(path)) if is_sealed(data) else data


def rewrite(path: Path, data: bytes) -> None:
    """Write a file of a recording anew: sealed if it was, and plain if it was or is new.

    Raises:
        OSError: The disk is full, or the like.
        RecordingError: It is sealed, and RECORDING_KEY is missing or has another form.
    """
    if path.is_file() and is_sealed(path.read_bytes()):
        known = _keys(path)
        if not known:
            raise RecordingError(str(path), "expected RECORDING_KEY, got none", SET_KEY)
        data = sealed(known[0], path.name, data)
    path.write_bytes(data)


def _frames(path: Path, data: bytes, cipher: _Cipher) -> list[bytes]:
    """What the frames hold."""
    opened: list[bytes] = []
    at = _HEADER_BYTES
    try:
        while len(data) - at >= _LENGTH_BYTES + _SEAL_BYTES:
            length, at = data[at : at + _LENGTH_BYTES], at + _LENGTH_BYTES
            cipher.open(_LENGTH, len(opened), data[at : at + _SEAL_BYTES], length)
            at += _SEAL_BYTES
            size = int.from_bytes(length) + _SEAL_BYTES
            if len(data) - at < size:
                break
            opened.append(cipher.open(_DATA, len(opened), data[at : at + size]))
            at += size
    except InvalidTag:
        problem = f"expected encrypted part {len(opened) + 1} as it was written, got a changed one"
        raise RecordingError(str(path), problem, AGAIN) from None
    return opened


def _bound_name(file: str) -> str:
    """The part of a file's name that stays: audio gets its hash as a name in the end."""
    name = Path(file)
    return file if name.suffix == ".jsonl" else f"*{name.suffix}"


def _keys(path: Path) -> Sequence[bytes]:
    """The keys of RECORDING_KEY from the environment; none if it is not set."""
    from telephony.settings import secret  # noqa: PLC0415 - plain recordings do without, quicker

    text = secret("RECORDING_KEY")
    try:
        return keys.recording_keys(text) if text else ()
    except ValueError as error:
        fix = "set RECORDING_KEY to what `openssl rand -base64 32` printed for the server"
        raise RecordingError(str(path), f"RECORDING_KEY: {error}", fix) from None
