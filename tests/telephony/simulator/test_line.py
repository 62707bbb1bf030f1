import base64
import json
import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.simulator.faults import LineFaults
from telephony.simulator.line import Line, LineState

SID = "MZ" + "5" * 32
INSTANT = LineFaults(processing_ms=(0, 0))


def open_line(seed: int = 1, faults: LineFaults = INSTANT) -> Line:
    line = Line(
        SID,
        "CA" + "1" * 32,
        "AC" + "2" * 32,
        {"token": "t"},
        rng=random.Random(seed),
        faults=faults,
    )
    line.open(0)
    return line


def message(event: str, **fields: object) -> str:
    return json.dumps({"event": event, "streamSid": SID, **fields})


def media(ulaw: bytes) -> str:
    return message("media", media={"payload": base64.b64encode(ulaw).decode()})


def mark(name: str) -> str:
    return message("mark", mark={"name": name})


CLEAR = message("clear")


def run(line: Line, until_ms: int) -> list[dict[str, Any]]:
    """All that is sent up to then, polled at its deadlines."""
    sent = []
    while (due_ms := line.deadline_ms()) is not None and due_ms <= until_ms:
        sent += line.poll(due_ms)
    sent += line.poll(until_ms)
    return [json.loads(text) for text in sent]


def of(event: str, sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in sent if message["event"] == event]


def test_a_stream_begins_as_twilio_documents_it() -> None:
    connected, start, first, *_ = run(open_line(), 400)
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start == {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": SID,
        "start": {
            "accountSid": "AC" + "2" * 32,
            "streamSid": SID,
            "callSid": "CA" + "1" * 32,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"token": "t"},
        },
    }
    assert (first["sequenceNumber"], first["media"]["chunk"]) == ("2", "1")
    assert 99 <= int(first["media"]["timestamp"]) <= 171


def test_the_caller_is_sent_a_frame_every_20_ms_whenever_the_line_is_polled() -> None:
    line = open_line()
    line.speak(bytes(range(256)) * 10)
    frames = of("media", run(line, 10_000))
    assert len(frames) == (10_000 - line.media_start_ms) // 20 + 1
    assert b"".join(base64.b64decode(each["media"]["payload"]) for each in frames) == line.said
    assert line.said.startswith(bytes(range(256)) * 10)
    steps = {
        int(b["media"]["timestamp"]) - int(a["media"]["timestamp"]) for a, b in pairwise(frames)
    }
    assert steps <= {18, 19, 20, 21, 22}


def test_keys_share_the_counter_and_name_their_track_differently() -> None:
    line = open_line()
    before = run(line, 300)
    line.press("#")
    key, after, *_ = run(line, 340)
    assert key["dtmf"] == {"track": "inbound_track", "digit": "#"}
    assert int(key["sequenceNumber"]) == int(before[-1]["sequenceNumber"]) + 1
    assert int(after["sequenceNumber"]) == int(key["sequenceNumber"]) + 1
    assert int(after["media"]["chunk"]) == int(before[-1]["media"]["chunk"]) + 1


def test_hanging_up_ends_with_stop_and_nothing_after_it() -> None:
    line = open_line()
    line.receive(media(b"\x01" * 8000), 300)
    line.receive(mark("never"), 300)
    run(line, 400)
    line.hang_up(400)
    sent = run(line, 5000)
    assert sent[-1]["event"] == "stop"
    assert sent[-1]["stop"] == {"accountSid": "AC" + "2" * 32, "callSid": "CA" + "1" * 32}
    assert not of("mark", sent)
    assert line.deadline_ms() is None
    assert line.playout.outstanding == ("never",)


def test_a_lost_socket_sends_no_stop() -> None:
    line = open_line()
    run(line, 400)
    line.lose(400)
    assert run(line, 5000) == []
    assert line.state is LineState.ENDED


def test_a_mark_without_audio_before_it_comes_back_at_once() -> None:
    line = open_line()
    run(line, 300)
    line.receive(mark("now"), 305)
    assert [each["mark"]["name"] for each in of("mark", run(line, 305))] == ["now"]


def test_a_mark_comes_back_when_its_audio_has_sounded_and_not_before() -> None:
    line = open_line()
    start_ms = line.media_start_ms
    run(line, start_ms)
    line.receive(media(b"\x01" * 1600), start_ms + 10)
    line.receive(mark("end"), start_ms + 10)
    # Taken in ten frames, from the next one on; the last has sounded when the eleventh begins.
    assert of("mark", run(line, start_ms + 219)) == []
    assert len(of("mark", run(line, start_ms + 220))) == 1


def test_a_clear_drops_the_queue_and_returns_all_marks_in_order() -> None:
    line = open_line()
    run(line, 300)
    for name in ("a", "b", "c"):
        line.receive(media(b"\x01" * 1600), 300)
        line.receive(mark(name), 300)
    run(line, 400)
    heard = line.heard.count(1)
    line.receive(CLEAR, 400)
    sent = run(line, 400)
    assert [each["mark"]["name"] for each in of("mark", sent)] == ["a", "b", "c"]
    run(line, 2000)
    assert line.heard.count(1) == heard > 0
    assert [(clear.at_ms, len(clear.dropped)) for clear in line.clears] == [(400, 4800 - heard)]


def test_an_underrun_is_silence_and_is_told_with_its_length() -> None:
    line = open_line()
    start_ms = line.media_start_ms
    run(line, start_ms)
    line.receive(media(b"\x01" * 400), start_ms)
    run(line, start_ms + 200)
    line.receive(media(b"\x02" * 160), start_ms + 200)
    run(line, start_ms + 400)
    [underrun] = line.playout.underruns
    assert line.heard.find(2) == line.heard.rfind(1) + 1 + underrun.samples
    assert bytes(line.heard[underrun.at : underrun.at + underrun.samples]).strip(b"\xff") == b""
    assert not underrun.after_clear


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"{}", 31950),
        ("not json", 31951),
        ("[]", 31951),
        (message("dance"), 31951),
        ('{"event":"clear"}', 31951),
        (message("clear", streamSid="MZ0"), 31951),
        (message("clear", sequenceNumber="3"), 31951),
        (message("mark", mark={"name": ""}), 31951),
        (message("media", media={"payload": ""}), 31951),
        (message("media", media={"payload": "_-8="}), 31951),
        (message("media", media={"payload": "AAA"}), 31951),
        (message("media", media={"payload": "AA==", "track": "x"}), 31951),
    ],
)
def test_what_twilio_does_not_accept_is_ignored_with_its_code(
    frame: str | bytes, code: int
) -> None:
    line = open_line()
    run(line, 300)
    line.receive(frame, 300)
    run(line, 400)
    assert [each.code for each in line.complaints] == [code]
    assert line.received == []
    assert set(line.heard) == {0xFF}


def test_messages_before_start_and_after_stop_are_told() -> None:
    line = Line(SID, "CA", "AC", {}, rng=random.Random(0))
    line.receive(CLEAR, 0)
    line.open(0)
    line.hang_up(300)
    line.receive(CLEAR, 310)  # on its way when `stop` was sent
    line.receive(CLEAR, 801)
    assert [(each.reason, each.sent) for each in line.complaints] == [
        ("message before start", CLEAR),
        ("message after stop", CLEAR),
    ]


def test_more_than_ten_minutes_are_discarded() -> None:
    line = open_line()
    for _ in range(100):
        line.receive(media(b"\x01" * 50_000), 0)
    run(line, 0)
    assert line.playout.queued_bytes == 4_800_000
    assert {each.code for each in line.complaints} == {31931}


def test_a_stall_delays_and_loses_nothing() -> None:
    line = open_line(faults=LineFaults(stall_rate=0.1))
    sent = of("media", run(line, 20_000))
    arrived = b"".join(base64.b64decode(each["media"]["payload"]) for each in sent)
    assert len(line.said) - len(arrived) <= 250 * 8
    assert [each["media"]["chunk"] for each in sent] == [str(n + 1) for n in range(len(sent))]


def test_lost_frames_show_in_timestamps_and_not_in_counters() -> None:
    line = open_line(faults=LineFaults(drop_rate=0.2))
    sent = of("media", run(line, 20_000))
    assert [int(each["sequenceNumber"]) for each in sent] == list(range(2, len(sent) + 2))
    first, last = (int(sent[at]["media"]["timestamp"]) for at in (0, -1))
    assert last - first > len(sent) * 20


def test_odd_sizes_carry_every_sample_in_order() -> None:
    line = open_line(faults=LineFaults(odd_sizes=True))
    voice = bytes(random.Random(3).randbytes(16_000))
    line.speak(voice)
    sent = [base64.b64decode(each["media"]["payload"]) for each in of("media", run(line, 3000))]
    assert {len(each) for each in sent} == {1, 160, 320, 999}
    assert b"".join(sent).startswith(voice)


def test_a_caller_can_send_nothing_while_silent() -> None:
    line = open_line(faults=LineFaults(idle_silence=False))
    line.speak(b"\x11" * 800)
    assert len(of("media", run(line, 5000))) == 5


def test_a_late_echo_may_cross_a_clear() -> None:
    line = open_line(faults=LineFaults(processing_ms=(0, 0), late_echo_ms=100))
    crossed = 0
    for n in range(50):
        at_ms = 300 + n * 400
        run(line, at_ms)
        line.receive(media(b"\x01" * 320), at_ms)
        line.receive(mark(f"played {n}"), at_ms)
        early = run(line, at_ms + 70)
        line.receive(CLEAR, at_ms + 70)
        late = run(line, at_ms + 399)
        assert len(of("mark", early + late)) == 1
        if of("mark", late) and not line.clears[-1].marks:
            crossed += 1
    assert crossed > 0


def _reference(arrivals: list[tuple[int, bytes | str | None]], first_ms: int, frames: int) -> bytes:
    """What a caller hears, told as simply as it can be: a list, a frame at a time."""
    heard, queue, todo = bytearray(), bytearray(), list(arrivals)
    for n in range(frames):
        while todo and todo[0][0] < first_ms + 20 * n:
            what = todo.pop(0)[1]
            if isinstance(what, bytes):
                queue += what
            elif what is None:
                queue.clear()
        heard += queue[:160].ljust(160, b"\xff")
        del queue[:160]
    return bytes(heard)


WHAT = st.one_of(st.binary(min_size=1, max_size=2000), st.text(min_size=1, max_size=8), st.none())
WORLD = st.lists(st.tuples(st.integers(0, 120), WHAT), max_size=40)


def _play(line: Line, world: list[tuple[int, Any]], cadence: random.Random | None) -> list[str]:
    """Send it all, polling at deadlines, or with a `cadence`, whenever it likes as well."""
    sent: list[str] = []
    now_ms = 0
    for gap_ms, what in world:
        now_ms += gap_ms
        if cadence is None:
            while (due_ms := line.deadline_ms()) is not None and due_ms <= now_ms:
                sent += line.poll(due_ms)
        elif cadence.random() < 0.5:
            sent += line.poll(now_ms - cadence.randint(0, gap_ms))
        frame = CLEAR if what is None else mark(what) if isinstance(what, str) else media(what)
        line.receive(frame, now_ms)
    sent += line.poll(now_ms + 3000)
    return sent


@given(WORLD, st.integers(0, 99))
def test_the_caller_hears_what_a_plain_queue_would_play(
    world: list[tuple[int, Any]], seed: int
) -> None:
    line = open_line(seed)
    _play(line, world, None)
    times = [0]
    for gap_ms, _ in world:
        times.append(times[-1] + gap_ms)
    arrivals = list(zip(times[1:], (what for _, what in world), strict=True))
    assert line.heard == _reference(arrivals, line.media_start_ms, len(line.heard) // 160)
    assert len(line.heard) == len(line.said)


@given(WORLD, st.integers(0, 99))
def test_every_mark_comes_back_once_in_order_and_never_before_its_audio(
    world: list[tuple[int, Any]], seed: int
) -> None:
    line = open_line(seed, LineFaults(late_echo_ms=100))
    sent = [json.loads(text) for text in _play(line, world, None)]
    names = [what for _, what in world if isinstance(what, str)]
    echoed = [each["mark"]["name"] for each in of("mark", sent)]
    assert echoed == names[: len(echoed)]
    assert list(line.playout.outstanding) == names[len(echoed) :]
    assert [int(each["sequenceNumber"]) for each in sent[1:]] == list(range(1, len(sent)))


@given(WORLD, st.integers(0, 99), st.randoms(use_true_random=False))
def test_the_cadence_of_polling_changes_no_message(
    world: list[tuple[int, Any]], seed: int, cadence: random.Random
) -> None:
    faults = LineFaults(late_echo_ms=50, stall_rate=0.05, drop_rate=0.05, odd_sizes=True)
    exact, loose = open_line(seed, faults), open_line(seed, faults)
    assert _play(exact, world, None) == _play(loose, world, cadence)
    assert exact.heard == loose.heard
