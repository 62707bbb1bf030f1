"""Recordings that are encrypted with RECORDING_KEY: nobody reads or changes them without it."""

from base64 import b64encode
from pathlib import Path

import pytest

from agent.conversation.events import AgentSaid
from telephony.cli import main
from telephony.errors import RecordingError
from telephony.replay.reader import read
from telephony.replay.recorder import Recorder
from telephony.replay.recording import EVENTS_FILE, GOLDEN_FILE, Step
from telephony.replay.sealing import Sealer, opened, sealed
from telephony.replay.verdict import Options, judge
from tests.telephony.replay.test_recorder import CALL_SID, record, recordings

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))
FILE = Path("call.jsonl")
PARTS = (b"first\n", b"the second\n", b"third\n")


def frames(key: bytes = KEY, name: str = FILE.name) -> tuple[bytes, list[bytes]]:
    sealer = Sealer(key, name)
    return sealer.header, [sealer.seal(part) for part in PARTS]


def as_text(key: bytes) -> str:
    return b64encode(key).decode()


def test_what_was_sealed_in_parts_opens_as_one() -> None:
    header, sealed_parts = frames()
    assert opened(FILE, header + b"".join(sealed_parts), [KEY]) == b"".join(PARTS)
    assert opened(FILE, header, [KEY]) == b""
    assert Sealer(KEY, FILE.name).seal(b"") == b""


def test_plain_files_are_read_as_they_are() -> None:
    for plain in (b"", b'{"call":1}\n', bytes(range(256))):
        assert opened(FILE, plain, []) == opened(FILE, plain, [KEY]) == plain


def test_the_same_words_are_never_sealed_alike() -> None:
    (one, ones), (two, twos) = frames(), frames()
    assert one != two
    assert set(ones).isdisjoint(twos)
    assert opened(FILE, sealed(KEY, FILE.name, b"x"), [KEY]) == b"x"


def test_a_file_that_was_cut_off_opens_as_far_as_its_last_whole_part() -> None:
    header, (first, second, third) = frames()
    for length in range(1, len(header) + 1):
        assert opened(FILE, header[:length], [KEY]) == b""
    for length in range(len(third)):
        cut = header + first + second + third[:length]
        assert opened(FILE, cut, [KEY]) == PARTS[0] + PARTS[1]


def test_no_bit_can_be_changed() -> None:
    header, sealed_parts = frames()
    data = header + b"".join(sealed_parts)
    for bit in range(8 * len(b"\x93offhook"), 8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RecordingError, match=r"^call\.jsonl: expected .*; fix: "):
            opened(FILE, bytes(changed), [KEY])


def test_parts_can_neither_be_moved_nor_repeated_nor_left_out() -> None:
    header, (first, second, third) = frames()
    other_header, (other, *_) = frames()
    for wrong in (second + first, first + first, second + third, first + third, other):
        with pytest.raises(RecordingError, match="got a changed one"):
            opened(FILE, header + wrong, [KEY])
    with pytest.raises(RecordingError, match="got another"):
        opened(Path(GOLDEN_FILE), other_header + other, [KEY])


def test_audio_opens_by_the_name_of_its_hash() -> None:
    data = sealed(KEY, "caller.ulaw", b"sound")
    assert opened(Path("0123456789abcdef.ulaw"), data, [KEY]) == b"sound"


def words(steps: list[Step]) -> list[bytes]:
    said = [step.event.text for step in steps if isinstance(step.event, AgentSaid)]
    return [word.encode() for text in said for word in text.split() if len(word) > 5]


@pytest.fixture
def encrypted(steps: list[Step], tmp_path: Path) -> Path:
    """A recording of a call."""
    with Recorder(tmp_path / "encrypted", key=KEY) as recorder:
        record(recorder, steps)
    (recorded,) = recordings(tmp_path / "encrypted")
    return recorded


@pytest.fixture
def plain(steps: list[Step], tmp_path: Path) -> Path:
    """A plain recording of the same call."""
    with Recorder(tmp_path / "plain") as recorder:
        record(recorder, steps)
    (recorded,) = recordings(tmp_path / "plain")
    return recorded


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    monkeypatch.setattr("sys.argv", ["offhook", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def test_nothing_of_the_call_can_be_read_in_the_files(
    encrypted: Path, plain: Path, steps: list[Step]
) -> None:
    def all_bytes(folder: Path) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))

    sides = [path.read_bytes()[9_600:9_640] for path in plain.iterdir() if path.suffix != ".jsonl"]
    planted = [*words(steps)[:9], CALL_SID.encode(), b'"call"', *sides]
    assert len(sides) == 2
    assert all(len(set(side)) > 10 for side in sides)
    assert words(steps)
    in_plain, in_encrypted = all_bytes(plain), all_bytes(encrypted)
    assert all(what in in_plain for what in planted)
    assert not any(what in in_encrypted for what in planted)
    names = [path.name for path in sorted(encrypted.iterdir())]
    assert names == [path.name for path in sorted(plain.iterdir())]


def test_with_the_key_a_recording_is_the_same_and_sounds_the_same(
    monkeypatch: pytest.MonkeyPatch, encrypted: Path, plain: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("RECORDING_KEY", as_text(KEY))
    assert read(encrypted).events == read(plain).events
    sounds = []
    for folder in (encrypted, plain):
        wav = tmp_path / "call.wav"
        assert run(monkeypatch, "replay", folder, "--jobs", "1", "--wav", wav) == 0
        sounds.append(wav.read_bytes())
    assert sounds[0] == sounds[1]


def test_what_is_written_anew_is_encrypted_again(
    monkeypatch: pytest.MonkeyPatch, encrypted: Path
) -> None:
    monkeypatch.setenv("RECORDING_KEY", as_text(KEY))
    golden = encrypted / GOLDEN_FILE
    golden.write_bytes(sealed(KEY, GOLDEN_FILE, b"not what it does\n"))
    assert judge(encrypted, Options(update=True)).updated
    assert golden.read_bytes().startswith(b"\x93offhook")
    assert judge(encrypted, Options()).passed


def test_a_new_key_seals_and_both_open(
    monkeypatch: pytest.MonkeyPatch, encrypted: Path, plain: Path
) -> None:
    monkeypatch.setenv("RECORDING_KEY", f"{as_text(OTHER)}, {as_text(KEY)}")
    assert read(encrypted).events == read(plain).events
    golden = encrypted / GOLDEN_FILE
    golden.write_bytes(sealed(KEY, GOLDEN_FILE, b"not what it does\n"))
    assert judge(encrypted, Options(update=True)).updated
    monkeypatch.setenv("RECORDING_KEY", as_text(OTHER))
    assert opened(golden, golden.read_bytes(), [OTHER]) == (plain / GOLDEN_FILE).read_bytes()
    with pytest.raises(RecordingError, match="got another"):
        read(encrypted)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "expected RECORDING_KEY, as the file is encrypted, got none; fix: set RECORDING_KEY"),
        (as_text(OTHER), "expected the RECORDING_KEY with which the file was encrypted, got anoth"),
        ("hunter2", "RECORDING_KEY: expected base64 of 32 bytes, got"),
        (f"{as_text(KEY)},hunter2", "RECORDING_KEY: expected base64 of 32 bytes, got"),
    ],
)
@pytest.mark.parametrize("command", [("replay", "--jobs", "1"), ("fixture", "lint")])
def test_without_the_key_one_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    encrypted: Path,
    key: str,
    message: str,
    command: tuple[str, ...],
) -> None:
    monkeypatch.setenv("RECORDING_KEY", key)
    assert run(monkeypatch, *command, encrypted) == 2
    told = "".join(capsys.readouterr())
    assert f"{encrypted / EVENTS_FILE}: {message}" in told
    assert "hunter2" not in told
    assert "Traceback" not in told


def test_the_recording_of_a_dead_worker_is_read_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch, steps: list[Step], tmp_path: Path
) -> None:
    monkeypatch.setenv("RECORDING_KEY", as_text(KEY))
    with Recorder(tmp_path, key=KEY) as recorder:
        record(recorder, steps[: len(steps) // 2])
    (left,) = recordings(tmp_path)
    whole = len(read(left, partial=True).events)
    events = left / EVENTS_FILE
    events.write_bytes(events.read_bytes()[:-7])
    with pytest.raises(RecordingError, match="got the end of the file"):
        read(left)
    assert 0 < len(read(left, partial=True).events) < whole
    assert judge(left, Options(partial=True)).passed
