"""Text messages are delivered or not, and their callbacks tell it, with Twilio's own client."""

import asyncio

import pytest
from twilio.rest import Client  # type: ignore[import-untyped]  # twilio ships no types

from telephony.server.twilio_rest import HttpClient
from telephony.simulator.carrier import Carrier, Outcome
from telephony.simulator.faults import CallFaults, StatusOrder
from telephony.simulator.rest import RestAccount
from telephony.simulator.rest_server import SimulatedRest
from tests.telephony.simulator.small_server import ACCOUNT, PUBLIC, TOKEN, Server, serving

OURS, THEIRS, OFF = "+14155550199", "+14155550123", "+14155550124"


@pytest.mark.parametrize(
    ("order", "twice", "statuses"),
    [
        ("as-it-goes", False, ["sent", "delivered", "sent", "undelivered"]),
        ("reversed", True, ["delivered"] * 2 + ["sent"] * 2 + ["undelivered"] * 2 + ["sent"] * 2),
    ],
)
async def test_a_message_tells_what_became_of_it(
    order: StatusOrder, twice: bool, statuses: list[str]
) -> None:
    account, desk = RestAccount(ACCOUNT, TOKEN), Server()
    account.add(OURS)
    faults = CallFaults(status_order=order, status_twice=twice)
    async with serving(desk) as urls, SimulatedRest(account) as rest:
        client = Client(ACCOUNT, TOKEN, http_client=HttpClient(rest.url, 3.0))
        for to in (THEIRS, OFF):
            off = Outcome("undelivered", 30_003)
            async with Carrier(account, urls, outcomes={OFF: off}, faults=faults) as carrier:
                sent = await asyncio.to_thread(
                    client.messages.create,
                    to=to,
                    from_=OURS,
                    body="Your table is booked.",
                    status_callback=f"{PUBLIC}/text",
                )
                assert (sent.status, sent.num_segments) == ("queued", "1")
            seen = await asyncio.to_thread(client.messages(sent.sid).fetch)
            assert carrier.problems == []
        assert (seen.status, seen.error_code) == ("undelivered", 30_003)
    assert [form["MessageStatus"] for form in desk.forms("/text")] == statuses
