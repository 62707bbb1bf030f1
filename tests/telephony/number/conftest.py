"""A simulated Twilio REST API over a real socket, and an account there."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from telephony.number.account import Account
from telephony.settings import NumberSettings, read
from telephony.simulator.rest import RestAccount
from telephony.simulator.rest_server import SimulatedRest

ACCOUNT_SID = "AC" + "0" * 31 + "7"
AUTH_TOKEN = "planted-secret"
PUBLIC_URL = "https://voice.example.com"

type Reach = Callable[..., NumberSettings]


@pytest.fixture
async def rest() -> AsyncIterator[SimulatedRest]:
    """An account without numbers."""
    async with SimulatedRest(RestAccount(ACCOUNT_SID, AUTH_TOKEN)) as running:
        yield running


@pytest.fixture
def reach(rest: SimulatedRest, tmp_path: Path) -> Reach:
    """Settings that reach `rest`, but for what is given."""

    def settings(**given: object) -> NumberSettings:
        return read(
            NumberSettings,
            **{
                "twilio_account_sid": ACCOUNT_SID,
                "twilio_auth_token": AUTH_TOKEN,
                "twilio_api_url": rest.url,
                "public_url": PUBLIC_URL,
                "state_dir": tmp_path,
                **given,
            },
        )

    return settings


@pytest.fixture
def account(reach: Reach) -> Account:
    """That account, through Twilio's own library. Its methods wait: call them in a thread."""
    return Account(reach())
