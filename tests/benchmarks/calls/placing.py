"""Places one call of the load: a signed webhook, the stream it asks for, the session behind it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from telephony.simulator import twiml, wire
from telephony.simulator.clock import Clock
from telephony.simulator.http_client import http_client
from telephony.simulator.identity import Identity
from telephony.simulator.stream import connect
from telephony.simulator.webhooks import Webhooks, signature
from telephony.simulator.workers import Workers
from tests.benchmarks.calls.model_side import ModelSession, ModelSide
from tests.benchmarks.calls.phone_side import PhoneStream
from tests.end_to_end.serving import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL


@dataclass(frozen=True, slots=True)
class Placed:
    """A call that is up."""

    stream_sid: str
    phone: PhoneStream
    model: ModelSession


@asynccontextmanager
async def placed(url: str, model: ModelSide) -> AsyncIterator[Placed]:
    """Place a call; one at a time, so that its session can be told from the others.

    Args:
        url: The server's base URL.
        model: Where the server dials.
    """
    identity = Identity(f"CA{secrets.token_hex(16)}", ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL)
    workers = Workers([url], None)
    async with http_client() as client:
        webhooks = Webhooks(client, workers, AUTH_TOKEN, Clock(), lambda _: None)
        request = identity.number.voice
        answer = await webhooks.send(request, identity.params("ringing"))
        verb = twiml.parse(answer.content, answer.headers["content-type"], request.url)[0]
        assert isinstance(verb, twiml.Connect)
        noun = verb.stream
        signed = {"x-twilio-signature": signature(AUTH_TOKEN, noun.url, {})}
        socket, _ = await connect(noun.url, workers, signed)
        try:
            sid = f"MZ{secrets.token_hex(16)}"
            await socket.send(wire.connected())
            start = wire.start(1, sid, identity.call_sid, ACCOUNT_SID, noun.parameters)
            await socket.send(start)
            session = await model.next()
            async with asyncio.TaskGroup() as tasks:
                phone = PhoneStream(socket, sid, tasks)
                listening = tasks.create_task(phone.take())
                yield Placed(sid, phone, session)
                listening.cancel()
        finally:
            await socket.close_without_code()
