"""What waits to be written to the phone."""

from telephony.call.commands import CloseStream, PhoneCommand, SendClear, SendMark, SendMedia
from telephony.call.outbox import LIMIT, Outbox

MEDIA = SendMedia("MZ1", 1, b"\xff" * 320)
MARK = SendMark("MZ1", "r1:1")
CLEAR = SendClear("MZ1")
CLOSE = CloseStream("MZ1")


def emptied(outbox: Outbox) -> list[PhoneCommand]:
    taken = []
    while (command := outbox.take()) is not None:
        taken.append(command)
    return taken


def test_what_is_put_comes_out_in_order() -> None:
    outbox = Outbox()
    assert outbox.take() is None
    assert all([outbox.put(MEDIA), outbox.put(MARK), outbox.put(CLOSE)])
    assert len(outbox) == 3
    assert emptied(outbox) == [MEDIA, MARK, CLOSE]


def test_a_clear_overtakes_audio_and_its_marks() -> None:
    outbox = Outbox()
    for command in (MEDIA, MARK, MEDIA, CLEAR):
        outbox.put(command)
    assert emptied(outbox) == [CLEAR]


def test_a_clear_lets_what_came_after_it_stand() -> None:
    outbox = Outbox()
    later = SendMedia("MZ1", 2, b"\xff" * 320)
    for command in (MEDIA, CLEAR, later, MARK):
        outbox.put(command)
    assert emptied(outbox) == [CLEAR, later, MARK]


def test_a_clear_overtakes_nothing_but_audio() -> None:
    outbox = Outbox()
    for command in (CLEAR, MEDIA, CLOSE, CLEAR):
        outbox.put(command)
    assert emptied(outbox) == [CLEAR, CLOSE, CLEAR]


def test_a_full_queue_takes_no_more_and_loses_nothing_it_has() -> None:
    outbox = Outbox()
    assert all(outbox.put(MEDIA) for _ in range(LIMIT))
    assert not outbox.put(MARK)
    assert emptied(outbox) == [MEDIA] * LIMIT


def test_a_clear_finds_room_in_a_queue_full_of_audio() -> None:
    outbox = Outbox()
    for _ in range(LIMIT):
        outbox.put(MEDIA)
    assert outbox.put(CLEAR)
    assert emptied(outbox) == [CLEAR]


def test_what_was_for_a_stream_that_is_gone_is_forgotten() -> None:
    outbox = Outbox()
    outbox.put(MEDIA)
    outbox.forget()
    assert len(outbox) == 0
    assert outbox.take() is None
