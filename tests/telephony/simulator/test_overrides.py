import pytest

from telephony.simulator.overrides import Failure, Overrides, OverridesError, overrides


def test_by_default_only_a_failed_connection_is_tried_again_and_once() -> None:
    assert overrides("") == Overrides(1, frozenset({Failure.CONNECT}), 5_000, 15_000, 15_000)


def test_a_fragment_says_otherwise() -> None:
    assert overrides("rc=3&rp=ct,rt,5xx&ct=2000&rt=4000&tt=9000&sni=y&e=dublin") == Overrides(
        3, frozenset({Failure.CONNECT, Failure.READ, Failure.SERVER_ERROR}), 2_000, 4_000, 9_000
    )
    assert overrides("rp=all").retried == frozenset(Failure)


@pytest.mark.parametrize(
    ("fragment", "code"),
    [
        ("rc=6", 11100),
        ("rc=-1", 11100),
        ("ct=99", 11100),
        ("ct=10001", 11100),
        ("rt=15001", 11100),
        ("tt=15001", 11100),
        ("tt=²", 11100),
        ("retries=3", 11100),
        ("top", 11100),
        ("rp=500", 11243),
        ("rp=", 11243),
        ("rp=ct;rt", 11243),
    ],
)
def test_what_is_out_of_its_bounds_is_refused(fragment: str, code: int) -> None:
    with pytest.raises(OverridesError) as raised:
        overrides(fragment)
    assert raised.value.code == code
