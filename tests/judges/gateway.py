"""A SIP gateway: answers a call on this machine, and carries it to a worker as Twilio would.

SIP socket         acquired and released: `Gateway.__aenter__`, `__aexit__`
RTP session        acquired and released: `Gateway.carry`
media stream       acquired and released: `Gateway.carry`
"""

import asyncio
import secrets
from contextlib import suppress
from random import Random
from typing import Self

from aiortp import PortAllocator
from aiosipua import IncomingCall, SipUAS
from aiosipua.rtp_bridge import CallSession
from aiosipua.transport import UdpSipTransport
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS
from telephony.audio.g711 import encode
from telephony.simulator.clock import Clock
from telephony.simulator.ear import Ear
from telephony.simulator.line import Line
from tests.end_to_end.serving import ACCOUNT_SID
from tests.end_to_end.twilio import new_call_sid, open_stream, ring

HOST = "127.0.0.1"
PCMU = 0
"""Its RTP payload type (RFC 3551): µ-law, as on Twilio's side."""
QUIET_MS = 1_000
"""What the agent says is over after this much silence."""


class Gateway:
    """Listens for one SIP call. Use with ``async with``; then have `uri` dialled, and `carry`."""

    _sip: SipUAS
    _port: int

    def __init__(self) -> None:
        self._ports = PortAllocator()
        self._rung: asyncio.Future[IncomingCall] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        self._port, _ = await self._ports.allocate()
        self._sip = SipUAS(UdpSipTransport(local_addr=(HOST, self._port)))
        self._sip.on_invite = self._rung.set_result
        await self._sip.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._sip.stop()

    @property
    def uri(self) -> str:
        """What a telephone is to dial. Once entered."""
        return f"sip:agent@{HOST}:{self._port}"

    async def carry(self, worker_url: str, turns: int) -> Line:
        """Answer the call, carry it, and hang up when the agent has spoken so many times.

        Args:
            worker_url: The worker's base URL.
            turns: Of the agent.

        Returns:
            Twilio's half of the stream, to be looked into.
        """
        call = await self._rung
        assert call.sdp_offer is not None
        rtp_port, _ = await self._ports.allocate()
        phone = CallSession(HOST, rtp_port, call.sdp_offer, supported_codecs=[PCMU])
        call_sid = new_call_sid()
        parameters = {"token": await ring(worker_url, call_sid)}
        stream_sid = f"MZ{secrets.token_hex(16)}"
        line = Line(stream_sid, call_sid, ACCOUNT_SID, parameters, rng=Random(0))
        await phone.start()
        try:
            call.accept(phone.sdp_answer)
            async with open_stream(worker_url) as stream:
                await _join(phone, line, stream, turns)
            call.hangup()
        finally:
            await phone.close()
        return line


async def _join(phone: CallSession, line: Line, stream: ClientConnection, turns: int) -> None:
    """Pass audio on in both directions, by the clock of the line, until the line is hung up."""
    clock, woken, ear = Clock(), asyncio.Event(), Ear(QUIET_MS)

    async def receive() -> None:
        with suppress(ConnectionClosed):
            async for message in stream:
                line.receive(message, clock.now_ms())
                woken.set()

    phone.on_audio = lambda pcm, _timestamp: line.speak(encode(pcm))
    line.open(clock.now_ms())
    async with asyncio.TaskGroup() as tasks:
        receiver = tasks.create_task(receive(), name="receiver")
        played = 0
        while (due_ms := line.deadline_ms()) is not None:
            await clock.wait(woken, due_ms)
            for message in line.poll(clock.now_ms()):
                await stream.send(message)
            for at in range(played, len(line.heard), FRAME_SAMPLES):
                frame = bytes(line.heard[at : at + FRAME_SAMPLES])
                phone.send_audio(frame, at)
                ear.hear(frame, at // PHONE_SAMPLES_PER_MS)
            played = len(line.heard)
            if len(ear.turns) == turns and not ear.hears:
                line.hang_up(clock.now_ms())
                for message in line.poll(clock.now_ms()):
                    await stream.send(message)
        receiver.cancel()
