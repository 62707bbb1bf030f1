"""What a server sent, held against what the call does: what differs, and what may.

Content is exact. What depends on the moment is not: where a run of audio, a line or the caller's
words were cut off, and into how many messages audio was divided.
"""

from collections.abc import Iterator, Sequence

from agent.conversation.transcript import Line
from telephony.audio.formats import FRAME_MS, MODEL_IN_RATE_HZ, PHONE_SAMPLES_PER_MS
from telephony.wire_replay.carried import Carried, ToModel

CUT_MS = 400
"""How far apart two cuts of one run may be: two of the longest messages the call sends."""

CUT_WORDS = 2
"""And how many words apart what was heard of a line that was cut: what is said in that time."""

CALLER_MS = 1_000
"""How much caller audio a session may lack, or have had beyond: what waits for a model that falls
behind, live, before it is dropped."""

_FRAME_BYTES = 2 * MODEL_IN_RATE_HZ * FRAME_MS // 1000

_MODEL_IN_BYTES_PER_MS = 2 * MODEL_IN_RATE_HZ // 1000

TOLERANCE = (
    f"cuts of audio {CUT_MS} ms, of heard text {CUT_WORDS} words, of caller audio {CALLER_MS} ms"
)


def differences(expected: Carried, got: Carried) -> list[str]:
    """What is not as it has to be, each in one line; empty where all is."""
    return [
        *got.problems,
        *_unequal("clears", expected.phone.clears, got.phone.clears),
        *_audio(expected, got),
        *_sessions(expected.sessions, got.sessions),
        *_lines(expected.lines, got.lines),
        *_unequal("ended_reason", expected.ended_reason, got.ended_reason),
    ]


def measured(expected: Carried, got: Carried) -> list[str]:
    """What may differ, and how much it did."""
    runs = zip(expected.phone.runs, got.phone.runs, strict=False)
    cut = max((abs(len(a) - len(b)) for a, b in runs), default=0) // PHONE_SAMPLES_PER_MS
    sessions = zip(expected.sessions, got.sessions, strict=False)
    caller = max((abs(len(a.pcm) - len(b.pcm)) for a, b in sessions), default=0)
    lines = zip(expected.lines, got.lines, strict=False)
    words = max((abs(_words(a) - _words(b)) for a, b in lines), default=0)
    divided = f"{got.phone.messages} messages of audio, recorded {expected.phone.messages}"
    marks = f"{got.phone.marks} marks, recorded {expected.phone.marks}"
    cuts = f"cuts of audio {cut} ms, of heard text {words} words"
    caller_ms = caller // _MODEL_IN_BYTES_PER_MS
    return [
        f"{divided}; {marks}",
        f"farthest apart: {cuts}, caller audio {caller_ms} ms; may be: {TOLERANCE}",
    ]


def _unequal(what: str, expected: object, got: object) -> Iterator[str]:
    if expected != got:
        yield f"on the wire: expected {what} {expected!r}, got {got!r}"


def _audio(expected: Carried, got: Carried) -> Iterator[str]:
    for n, (wanted, sent) in enumerate(zip(expected.phone.runs, got.phone.runs, strict=False)):
        where = f"audio after {n} clears and streams" if n else "audio"
        same = _common(wanted, sent)
        if same < min(len(wanted), len(sent)):
            at_ms = same // PHONE_SAMPLES_PER_MS
            yield f"on the wire: expected the recorded {where}, got other audio after {at_ms} ms"
        elif abs(len(wanted) - len(sent)) > CUT_MS * PHONE_SAMPLES_PER_MS:
            lengths = [f"{len(ulaw) // PHONE_SAMPLES_PER_MS} ms" for ulaw in (wanted, sent)]
            yield f"on the wire: expected {lengths[0]} of {where}, got {lengths[1]}"


def missing(wanted: bytes | bytearray, sent: bytes | bytearray) -> int | None:
    """How many bytes of `wanted` were left out of `sent`, or came after its end.

    None if `sent` has anything that is not of `wanted`, in its order.
    """
    at = taken = left_out = 0
    while True:
        same = _common(memoryview(wanted)[at:], memoryview(sent)[taken:])
        at, taken = at + same, taken + same
        if taken == len(sent) or at == len(wanted):
            return left_out + max(len(wanted) - at, len(sent) - taken)
        found = wanted.find(sent[taken : taken + _FRAME_BYTES], at)
        if found < 0:
            return None
        left_out, at = left_out + found - at, found


def _common(one: bytearray | memoryview, other: bytearray | memoryview) -> int:
    """How much is equal from the beginning on."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _sessions(expected: Sequence[ToModel], got: Sequence[ToModel]) -> Iterator[str]:
    yield from _unequal("sessions", len(expected), len(got))
    for n, (wanted, opened) in enumerate(zip(expected, got, strict=False), start=1):
        yield from _unequal(f"session {n} to be resumed with", wanted.handle, opened.handle)
        yield from _unequal(f"lines told to session {n}:", wanted.history, opened.history)
        yield from _unequal(f"texts for session {n}:", wanted.texts, opened.texts)
        left_out = missing(wanted.pcm, opened.pcm)
        if left_out is None:
            yield f"on the wire: expected the recorded caller audio for session {n}, got other"
        elif left_out > CALLER_MS * _MODEL_IN_BYTES_PER_MS:
            what = f"the recorded caller audio for session {n}"
            yield f"on the wire: expected {what}, got {left_out // _MODEL_IN_BYTES_PER_MS} ms less"


def _lines(expected: Sequence[Line], got: Sequence[Line]) -> Iterator[str]:
    yield from _unequal("lines", len(expected), len(got))
    for wanted, stored in zip(expected, got, strict=False):
        what = f"line {wanted.n}"
        yield from _unequal(what, f"{wanted.role}: {wanted.text}", f"{stored.role}: {stored.text}")
        one, other = wanted.heard.split(), stored.heard.split()
        shorter = min(len(one), len(other))
        if one[:shorter] != other[:shorter] or abs(len(one) - len(other)) > CUT_WORDS:
            yield f"on the wire: expected {what} heard as {wanted.heard!r}, got {stored.heard!r}"


def _words(line: Line) -> int:
    return len(line.heard.split())
