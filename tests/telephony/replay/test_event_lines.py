"""Any events, at any times, come back from their lines: none lost, none changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.conversation.events import ReplyAudio
from telephony.call.events import Event, Tick
from telephony.replay.audio import CALLER, MODEL, Shared, Tone
from telephony.replay.counts import pack, unpack
from telephony.replay.event_lines import CODEC, RUN_LIMIT, End, EventLines, expand
from telephony.replay.tone import tone
from telephony.twilio.messages import Media
from tests.telephony.replay import anything

SPEECH = bytes(range(1, 160)) + b"\x80"


def media(payload: bytes = SPEECH, timestamp_ms: int = 0, stream_sid: str = "MZ1") -> Media:
    return Media(stream_sid, payload, timestamp_ms)


def written(lines: EventLines) -> tuple[list[bytes], dict[str, bytes]]:
    """The lines, and the audio that was kept, by label."""
    lines.end()
    kept = {medium.label: track.take() for medium, track in lines.tracks.items()}
    return lines.take().splitlines(), kept


def read(lines: list[bytes], kept: dict[str, bytes]) -> list[tuple[Event, int]]:
    *lines, last = lines
    events = [
        each for line in lines for each in expand(CODEC.decode(line), lambda _, name: kept[name])
    ]
    end = CODEC.decode(last)
    assert isinstance(end, End)
    assert end.events == len(events)
    return events


sounds = st.one_of(
    st.builds(media, st.sampled_from([SPEECH, b"\xff" * 160, b"\x01" * 80]), st.integers(0, 99)),
    st.builds(ReplyAudio, st.integers(1, 2), st.sampled_from([b"", b"\0" * 99, SPEECH * 3])),
)
# Not one_of: it would draw a sound as seldom as any of the other classes, and hardly ever a run.
either = st.integers(0, 3).flatmap(lambda n: sounds if n else anything.events)
timed = st.tuples(either, st.integers(0, 500))


@given(st.lists(timed, max_size=30))
def test_any_events_come_back_as_they_were(given_events: list[tuple[Event, int]]) -> None:
    lines, now_ms, expected = EventLines(), 0, []
    for event, wait_ms in given_events:
        now_ms += wait_ms
        lines.add(event, now_ms)
        expected.append((event, now_ms))
    assert read(*written(lines)) == expected


def test_a_run_is_one_line_until_a_second_is_over() -> None:
    lines = EventLines()
    for n in range(RUN_LIMIT + 1):
        lines.add(media(timestamp_ms=20 * n), 20 * n)
    first, second, _ = written(lines)[0]
    assert first == (
        b'{"ev":"Media","t":0,"stream_sid":"MZ1","payload":"caller@0+8000","timestamp_ms":0,'
        b'"dt":"20*49","sizes":"160*50"}'
    )
    assert b'"t":1000' in second


@pytest.mark.parametrize(
    "event", [media(stream_sid="MZ2"), ReplyAudio(1, b"\x01\x02"), Tick()], ids=repr
)
def test_a_run_ends_where_something_else_happens(event: Event) -> None:
    lines = EventLines()
    for each in (media(), event, media()):
        lines.add(each, 0)
    assert len(written(lines)[0]) == 4


def test_silence_is_counted_and_not_kept() -> None:
    lines = EventLines()
    for payload in (b"\xff" * 160, b"\xff" * 160, SPEECH, b"\xff" * 80):
        lines.add(media(payload), 0)
    (line, _), kept = written(lines)
    assert b'"payload":"silence+320 caller@0+160 silence+80"' in line
    assert kept == {"caller": SPEECH, "model": b""}


def test_audio_that_is_known_is_pointed_to() -> None:
    clip = Shared(bytes(range(1, 251)) * 20)
    lines = EventLines({CALLER: [clip], MODEL: [Tone(440)]})
    for start in (100, 260, 420, 50):
        lines.add(media(clip.data[start : start + 160]), 0)
    for start in (47_000, 49_000, 51_000):
        lines.add(ReplyAudio(1, tone(440, start, 2_000)), 0)
    (heard, said, _), kept = written(lines)
    assert f'"payload":"{clip.name}@100+480 {clip.name}@50+160"'.encode() in heard
    assert b'"pcm":"tone:440@200+6000"' in said  # it repeats every 1200 bytes
    assert kept == {"caller": b"", "model": b""}


@pytest.mark.parametrize(
    ("payload", "more"),
    [
        ("caller@0+161", ""),
        ("caller@999+1", ""),
        ("model@0+160", ""),
        ("caller+160", ""),
        ("silence@0+160", ""),
        ("tone:440@0+160", ""),
        ("silence+999999999", ""),
        ("nonsense", ""),
        ("silence+320", ',"dt":"20"'),
        ("silence+320", ',"sizes":"160*2"'),
        ("silence+320", ',"dt":"20","sizes":"160 161"'),
        ("silence+320", ',"dt":"20","sizes":"480 -160"'),
        ("silence+320", ',"dt":"20","sizes":"160*2","stamps":"20*2"'),
        ("silence+320", ',"dt":"x","sizes":"160*2"'),
        ("silence+320", ',"dt":"20*99999999999","sizes":"160*2"'),
    ],
)
def test_figures_that_do_not_fit_together_are_refused(payload: str, more: str) -> None:
    line = f'{{"ev":"Media","t":0,"stream_sid":"MZ1","payload":"{payload}","timestamp_ms":0{more}}}'
    read = CODEC.decode(line.encode())
    kept = {(CALLER, "caller"): SPEECH}
    with pytest.raises(ValueError, match="expected"):
        list(expand(read, lambda medium, name: kept.get((medium, name), b"")))


@given(st.lists(st.integers(-(10**17), 10**17), max_size=50))
def test_numbers_come_back_from_their_text(numbers: list[int]) -> None:
    assert list(unpack(pack(numbers), 50)) == numbers
