"""The doctor's look at the account's numbers."""

from telephony.number.checks import Checkup
from telephony.number.webhooks import ours
from telephony.simulator.rest_server import SimulatedRest
from tests.telephony.number.conftest import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL


async def finding(rest: SimulatedRest) -> str:
    async with Checkup(
        None,
        gemini_api_key="simulated",
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_token=AUTH_TOKEN,
        twilio_api_url=rest.url,
        public_url=PUBLIC_URL,
    ) as checkup:
        await checkup.settings()
        return await checkup.number()


async def test_a_number_that_an_earlier_release_linked_is_well_and_to_be_linked_again(
    rest: SimulatedRest,
) -> None:
    sid = rest.account.add("+14155550199", **ours(PUBLIC_URL))
    assert await finding(rest) == f"+14155550199 calls {PUBLIC_URL}"
    rest.account.numbers[sid]["voice_url"] = f"{PUBLIC_URL}/twilio/voice"
    assert await finding(rest) == (
        f"+14155550199 calls {PUBLIC_URL}; link +14155550199 again, so that Twilio repeats "
        "requests that fail"
    )
