"""Compares what a server sent with what the call does, and knows which differences are allowed.

Content and order must be exact: every run of audio, every line and every session has its
counterpart, and each mark follows the audio that it is about. Some things depend on the moment, and
may differ: where a run of audio, a line or the caller's words were cut off, and into how many
messages, each with its mark, audio was divided.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from agent.conversation.transcript import Line
from telephony.audio.formats import MODEL_IN_RATE_HZ, PHONE_SAMPLES_PER_MS
from telephony.wire_replay.audio import common, missing, offset
from telephony.wire_replay.carried import SIGN_OF_LIFE, Carried, Place, ToModel, ToPhone

CUT_MS = 400
"""How far apart two cuts of one run may be: two of the longest messages that the call sends."""

CUT_WORDS = 2
"""How many words apart the heard parts of a cut line may be, which is speech of that time."""

CALLER_MS = 1_000
"""How much caller audio may be missing or additional in a session. As much live audio may wait for
a slow model before it is dropped."""

_MODEL_IN_BYTES_PER_MS = 2 * MODEL_IN_RATE_HZ // 1000

_MARK = re.compile(r"r\d+:\d+").fullmatch
"""The name of a mark behind audio: its reply, and its own number."""

_SIGN_OF_LIFE = re.compile(rf"{SIGN_OF_LIFE}:\d+").fullmatch
"""The name of a mark that asks a silent stream for a sign of life."""

TOLERANCE = (
    f"cuts of audio {CUT_MS} ms, of heard text {CUT_WORDS} words, of caller audio {CALLER_MS} ms"
)


def differences(expected: Carried, got: Carried) -> list[str]:
    """All differences that are not allowed, each in one line."""
    return [
        *got.problems,
        *_unequal("clears", expected.phone.clears, got.phone.clears),
        *_audio(expected.phone, got.phone),
        *_marks(expected.phone, got.phone),
        *_sessions(expected.sessions, got.sessions),
        *_lines(expected.lines, got.lines),
        *_unequal("ended_reason", expected.ended_reason, got.ended_reason),
    ]


def measured(expected: Carried, got: Carried) -> list[str]:
    """The differences that are allowed, in figures."""
    runs = zip(expected.phone.runs, got.phone.runs, strict=False)
    cut = max((abs(len(a) - len(b)) for a, b in runs), default=0) // PHONE_SAMPLES_PER_MS
    sessions = zip(expected.sessions, got.sessions, strict=False)
    caller = max((abs(len(a.pcm) - len(b.pcm)) for a, b in sessions), default=0)
    lines = zip(expected.lines, got.lines, strict=False)
    words = max((abs(_words(a) - _words(b)) for a, b in lines), default=0)
    divided = f"{got.phone.messages} messages of audio, recorded {expected.phone.messages}"
    marks = f"{len(got.phone.marks)} marks, recorded {len(expected.phone.marks)}"
    cuts = f"cuts of audio {cut} ms, of heard text {words} words"
    caller_ms = caller // _MODEL_IN_BYTES_PER_MS
    return [
        f"{divided}; {marks}",
        f"farthest apart: {cuts}, caller audio {caller_ms} ms; may be: {TOLERANCE}",
    ]


def _unequal(what: str, expected: object, got: object) -> Iterator[str]:
    if expected != got:
        yield f"on the wire: expected {what} {expected!r}, got {got!r}"


def _audio(expected: ToPhone, got: ToPhone) -> Iterator[str]:
    yield from _unequal("clears and streams", len(expected.runs), len(got.runs))
    for n, (wanted, sent) in enumerate(zip(expected.runs, got.runs, strict=False)):
        where = f"audio after {n} clears and streams" if n else "audio"
        later = _later(expected, got, n)
        wanted_ms, sent_ms = (len(ulaw) // PHONE_SAMPLES_PER_MS for ulaw in (wanted, sent))
        one, other = wanted[max(0, later) :], sent[max(0, -later) :]
        same = common(one, other)
        if same < min(len(one), len(other)):
            at_ms = same // PHONE_SAMPLES_PER_MS
            yield f"on the wire: expected the recorded {where}, got other audio after {at_ms} ms"
        elif abs(len(one) - len(other)) > CUT_MS * PHONE_SAMPLES_PER_MS:
            yield f"on the wire: expected {wanted_ms} ms of {where}, got {sent_ms} ms"


def _later(expected: ToPhone, got: ToPhone, run: int) -> int:
    """How many more samples of the reply the caller had heard before a new stream continued it."""
    if run not in expected.resumed or run not in got.resumed:
        return 0
    return offset(expected.runs[run], got.runs[run], CUT_MS)


def _marks(expected: ToPhone, got: ToPhone) -> Iterator[str]:
    """Compare marks by reply. Their number and positions in a reply depend on the moment."""
    names = [name for name, _ in got.marks]
    yield from _unequal(
        "marks named", [name for name in names if _MARK(name) or _SIGN_OF_LIFE(name)], names
    )
    yield from _unequal(
        "signs of life asked for:",
        [name for name, _ in expected.marks if _SIGN_OF_LIFE(name)],
        [name for name in names if _SIGN_OF_LIFE(name)],
    )
    yield from _numbers([(name, place) for name, place in got.marks if _MARK(name)])
    for run in range(min(len(expected.runs), len(got.runs))):
        later = _later(expected, got, run)
        wanted = _ends(expected, run)
        ends = [(reply, Place(at.run, at.samples + later)) for reply, at in _ends(got, run)]
        where = f"marks behind replies after {run} clears and streams"
        yield from _unequal(where, [reply for reply, _ in wanted], [reply for reply, _ in ends])
        for (reply, place), (_, sent) in zip(wanted, ends, strict=False):
            cut = len(expected.runs[run]) != len(got.runs[run]) + later and reply == wanted[-1][0]
            if place != sent and not cut:
                at_ms, sent_ms = (each.samples // PHONE_SAMPLES_PER_MS for each in (place, sent))
                what = f"the last mark of {reply} after {at_ms} ms of audio"
                yield f"on the wire: expected {what}, got it after {sent_ms} ms"


def _numbers(marks: Sequence[tuple[str, Place]]) -> Iterator[str]:
    """Marks are numbered one by one. Some may be missing only after a clear or on a new stream,
    because they were not written yet.
    """
    for (before, place), (name, next_place) in pairwise(marks):
        number, next_number = (int(each.rpartition(":")[2]) for each in (before, name))
        missing_marks = next_number - number - 1
        if missing_marks < 0 or (missing_marks and place.run == next_place.run):
            yield f"on the wire: expected the mark behind {before} to be the next, got {name}"


def _ends(phone: ToPhone, run: int) -> list[tuple[str, Place]]:
    """The replies of a run, by their marks, each with the position of its last mark."""
    ends: list[tuple[str, Place]] = []
    for name, place in phone.marks:
        reply = name.rpartition(":")[0]
        if place.run == run and _MARK(name):
            ends = [*(ends[:-1] if ends and ends[-1][0] == reply else ends), (reply, place)]
    return ends


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
