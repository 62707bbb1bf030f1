"""A proxy that keeps a connection must not find it closed when the next webhook comes."""

import pytest

from telephony import settings
from telephony.server.app import Server, application

PROXIES_KEEP_S = {"nginx": 60, "an AWS load balancer": 60, "Caddy": 120}
"""Defaults of what commonly stands in front: how long an idle connection to a server is kept."""


def given(**overrides: object) -> settings.Settings:
    return settings.load(
        gemini_api_key="simulated",
        twilio_auth_token="t",
        public_url="https://voice.example.com",
        **overrides,
    )


def test_an_idle_connection_is_kept_longer_than_a_proxy_keeps_it() -> None:
    server = Server(application(given()), given())
    assert server.config.timeout_keep_alive > max(PROXIES_KEEP_S.values())


@pytest.mark.parametrize("seconds", [1, 650])
def test_how_long_is_a_setting(seconds: int) -> None:
    here = given(keep_alive_s=seconds)
    assert Server(application(here), here).config.timeout_keep_alive == seconds
