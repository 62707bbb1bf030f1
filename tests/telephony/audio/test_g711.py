import numpy as np

from telephony.audio import g711
from telephony.audio.formats import ULAW_SILENCE

EVERY_CODE = bytes(range(256))


def expand(code: int) -> int:
    """ITU-T G.711, table 2: sign, three bits of segment, four of step, all inverted."""
    code ^= 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << (code >> 4 & 7)) - 0x84
    return -magnitude if code & 0x80 else magnitude


def test_every_code_decodes_as_the_standard_says() -> None:
    assert np.frombuffer(g711.decode(EVERY_CODE), "<i2").tolist() == [expand(c) for c in range(256)]


def test_every_code_survives_a_round_trip_but_negative_zero() -> None:
    assert g711.encode(g711.decode(EVERY_CODE)) == EVERY_CODE.replace(b"\x7f", b"\xff")


def test_silence_is_zero() -> None:
    assert g711.decode(ULAW_SILENCE) == bytes(2)
    assert g711.encode(bytes(2)) == ULAW_SILENCE


def test_every_sample_is_coded_within_half_a_step_of_its_segment() -> None:
    samples = np.arange(-32_635, 32_636)
    codes = np.frombuffer(g711.encode(samples.astype("<i2").tobytes()), np.uint8)
    values = np.array([expand(code) for code in range(256)])
    half_step = 4 << (~codes.astype(int) >> 4 & 7)
    # audioop drops the last two bits, downwards, before it looks for the code.
    assert (np.abs(values[codes] - samples) - half_step).max() <= 3


def test_what_is_louder_than_the_loudest_code_gets_the_loudest_code() -> None:
    assert g711.encode(np.array([32_767, -32_768], "<i2").tobytes()) == b"\x80\x00"
