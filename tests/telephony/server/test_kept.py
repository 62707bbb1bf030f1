"""Where calls are kept without a REDIS_URL."""

import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.store import own_server, redis
from telephony import settings
from telephony.errors import SettingsError
from telephony.server import kept
from telephony.settings import Settings

ROOT = Path(__file__).parents[3]

WITHOUT_FAKEREDIS = """
import sys
sys.modules |= {"fakeredis": None, "lupa": None}
import telephony.cli, telephony.demo, telephony.server.app, telephony.wire_replay.judge
import telephony.number.doctor, telephony.simulator.terminal
"""


def given(**more: str) -> Settings:
    return settings.load(
        gemini_api_key="k", twilio_auth_token="t", public_url="https://v.example", **more
    )


def test_calls_are_kept_in_a_folder_of_the_state_dir(tmp_path: Path) -> None:
    store = kept.own_server(given(state_dir=str(tmp_path), redis_url=""))
    assert store is not None
    assert store.url == f"unix://{tmp_path}/store/socket"


def test_a_redis_url_needs_no_server_of_our_own() -> None:
    with_redis = given(redis_url="redis://localhost")
    assert kept.own_server(with_redis) is None
    assert kept.at(None, with_redis) == with_redis


def test_a_platform_without_a_server_keeps_calls_in_memory_and_the_log_says_what_that_means(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_server, "find_spec", lambda _name: None)
    with capture_logs() as logged:
        assert kept.own_server(given(redis_url="")) is None
    [line] = logged
    assert line["log_level"] == "warning"
    assert "kept in memory" in line["event"]
    assert "set REDIS_URL" in line["event"]


def test_without_server_and_memory_a_redis_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_server, "find_spec", lambda _name: None)
    monkeypatch.setattr(redis, "find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match=r"^REDIS_URL: expected the address .* \(\w+ \w+\)"):
        kept.own_server(given(redis_url=""))


@pytest.mark.real
def test_nothing_that_answers_calls_needs_what_only_tests_have() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_FAKEREDIS], cwd=ROOT, check=True)  # noqa: S603 - our own code


def test_a_home_that_nobody_knows_is_one_message() -> None:
    with pytest.raises(SettingsError, match=r"STATE_DIR: .*set it to a folder"):
        kept.own_server(given(state_dir="~nobody-of-this-name/state", redis_url=""))
