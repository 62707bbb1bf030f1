"""Where the committed taps come from. `python tests/telephony/audio/test_resample_design.py` prints
both tables anew.
"""

import numpy as np
import numpy.typing as npt
import pytest

from telephony.audio.resample import MODEL_TO_PHONE_TAPS, PHONE_TO_MODEL_TAPS, TAP_ONE

Taps = npt.NDArray[np.int64]

TABLES = pytest.mark.parametrize(
    ("table", "rate_hz", "phases"),
    [(PHONE_TO_MODEL_TAPS, 16_000, 2), (MODEL_TO_PHONE_TAPS, 24_000, 1)],
)


def design(rate_hz: int, phases: int) -> Taps:
    """A linear-phase low-pass of 1.5 ms either side, by weighted least squares.

    Args:
        rate_hz: The higher rate, at which the taps stand.
        phases: How many outputs share one input; each phase is scaled to a sum of exactly 1.

    Returns:
        Taps from the centre outwards, in units of 1 / TAP_ONE.
    """
    reach = rate_hz * 3 // 2_000
    hz = np.arange(0, rate_hz / 2 + 1, 10)
    weight = np.select([hz <= 3_400, hz < 4_200, hz < 4_600], [1.0, 0.0, 10.0], 40.0)
    cosines = np.cos(2 * np.pi * np.outer(hz, np.arange(reach + 1)) / rate_hz)
    cosines[:, 1:] *= 2
    half = np.linalg.lstsq(cosines * weight[:, None], weight * (hz <= 3_400))[0]
    taps = np.concatenate([half[:0:-1], half])
    integers = np.zeros(len(taps), np.int64)
    for phase in range(phases):
        every = slice((reach + phase) % phases, None, phases)
        integers[every] = np.rint(taps[every] / taps[every].sum() * TAP_ONE)
        # What rounding left over goes to the tap at the centre, or to the two beside it.
        left_over = TAP_ONE - integers[every].sum()
        integers[reach - phase] += left_over // (2 if phase else 1)
        integers[reach + phase] = integers[reach - phase]
    return integers[reach:]


def gain_db(half_taps: tuple[int, ...], rate_hz: int, phases: int) -> dict[int, float]:
    """The table's own response at every 5 Hz, up to half the rate."""
    hz = np.arange(0, rate_hz // 2 + 1, 5)
    cosines = np.cos(2 * np.pi * np.outer(hz, np.arange(len(half_taps))) / rate_hz)
    cosines[:, 1:] *= 2
    gain = np.abs(cosines @ np.array(half_taps)) / (TAP_ONE * phases)
    return dict(zip(hz.tolist(), (20 * np.log10(np.maximum(gain, 1e-9))).tolist(), strict=True))


@TABLES
def test_the_committed_taps_are_the_designed_ones(
    table: tuple[int, ...], rate_hz: int, phases: int
) -> None:
    # Another LAPACK may round a tap the other way, and no more.
    assert np.abs(design(rate_hz, phases) - np.array(table)).max() <= 1


@TABLES
def test_each_phase_sums_to_exactly_one(table: tuple[int, ...], rate_hz: int, phases: int) -> None:
    taps = table[:0:-1] + table
    assert [sum(taps[phase::phases]) for phase in range(phases)] == [TAP_ONE] * phases


@TABLES
def test_the_response_holds_at_every_frequency(
    table: tuple[int, ...], rate_hz: int, phases: int
) -> None:
    gain = gain_db(table, rate_hz, phases)
    assert max(abs(db) for hz, db in gain.items() if hz <= 3_200) <= 0.5
    assert max(db for hz, db in gain.items() if hz >= 4_200) <= -40
    assert max(db for hz, db in gain.items() if hz >= 4_600) <= -60


if __name__ == "__main__":
    for rate_hz, phases in ((16_000, 2), (24_000, 1)):
        print(design(rate_hz, phases).tolist())  # noqa: T201 -- what this script is for
