"""Twilio's status callbacks, which report how a stream and a call go.

callbacks   tasks of the group that `StatusCallbacks` is given, which waits for them

A number's callback reports only the end of a call. A call that was placed by REST reports the
events that were asked for, out of initiated, ringing, answered and completed. Each has its sequence
number, because they may arrive in another order.

Source: Twilio's documentation (voice TwiML, Call resource, twiml/stream; read in October 2026).
"""

import asyncio
import random
from collections.abc import Mapping
from email.utils import format_datetime

from telephony.simulator.clock import Clock
from telephony.simulator.documents import Documents
from telephony.simulator.elements import Request
from telephony.simulator.faults import Callbacks, CallFaults
from telephony.simulator.identity import Identity
from telephony.simulator.twiml import Stream

LATE_MS = 500
"""How long after an end its late callbacks come."""

SIP_CODES = {"busy": "486", "no-answer": "487", "canceled": "487", "failed": "404"}
"""The SIP response of a call that nobody answered."""

_CALL_STATUS = {"initiated": "initiated", "ringing": "ringing", "answered": "in-progress"}


class StatusCallbacks:
    """The status callbacks of one call.

    Args:
        identity: The parties of the call.
        documents: Sends requests to workers.
        clock: The call's clock.
        faults: The switches that decide which callbacks come, and when.
        rng: The random numbers for order and lateness.
        group: The TaskGroup for callbacks.
    """

    def __init__(
        self,
        identity: Identity,
        documents: Documents,
        clock: Clock,
        faults: CallFaults,
        rng: random.Random,
        group: asyncio.TaskGroup,
    ) -> None:
        self._rng = rng
        self._held: list[Mapping[str, str]] = []
        self._id, self._documents, self._clock = identity, documents, clock
        self._faults, self._group = faults, group
        self._request = identity.number.status if faults.status_callback else None
        self._sequence = 0
        self._over = False

    async def stream(self, noun: Stream, sid: str, event: str, error: str = "") -> None:
        """Report an event of a stream, if its document asked for that."""
        if noun.status_callback is None or not self._faults.stream_callbacks:
            return
        now = self._clock.now_utc()
        params = self._id.stream_params(noun, sid, event)
        # Nine digits after the second, as captured; this clock has six.
        params["Timestamp"] = f"{now:%Y-%m-%dT%H:%M:%S.%f}000Z"
        if error:
            params["StreamError"] = error
        told = self._group.create_task(self._send(noun.status_callback, params))
        if self._faults.callbacks is Callbacks.BEFORE:
            await told

    def progress(self, event: str) -> None:
        """Report that a call placed by REST is initiated, ringing or answered."""
        if not self._id.outbound or event not in self._faults.status_events:
            return
        params = self._id.params(_CALL_STATUS[event]) | self._event()
        if self._request is None:
            return
        if self._faults.status_order != "as-it-goes":
            self._held.append(params)
            return
        self.report(self._request, params, self._faults.progress_late_ms)

    def report(self, request: Request, params: Mapping[str, str], late_ms: int = 0) -> None:
        """Send a report beside everything else: once or twice, and perhaps late."""
        for _ in range(1 + self._faults.status_twice):
            self._group.create_task(self._send(request, params, late_ms + self._late_ms()))

    def detected(self, request: Request) -> None:
        """Report later who has answered, as Twilio finds out beside the call."""
        params = {
            "CallSid": self._id.call_sid,
            "AccountSid": self._id.account_sid,
            **self.answered_by(),
        }
        for _ in range(1 + self._faults.answered_by_twice):
            self._group.create_task(self._send(request, params, self._faults.answered_by_ms))

    def answered_by(self) -> dict[str, str]:
        """What Twilio found out about who has answered."""
        return {
            "AnsweredBy": self._faults.answered_by,
            "MachineDetectionDuration": str(self._faults.answered_by_ms),
        }

    async def ended(self, status: str, duration_ms: int) -> None:
        """Report the call's end, once."""
        asked = not self._id.outbound or "completed" in self._faults.status_events
        if self._over or self._request is None or not asked:
            return
        self._over = True
        duration_s = -(-duration_ms // 1000)
        answered = status not in SIP_CODES
        duration_s = duration_s if answered else 0
        params = self._id.params(status) | {"CallDuration": str(duration_s)}
        if self._id.outbound or self._faults.full_status:
            params |= {
                "Duration": str(-(-duration_s // 60)),
                "SipResponseCode": SIP_CODES.get(status, "200"),
            }
            params |= self._event()
        told = [*self._held, params] * (1 + self._faults.status_twice)
        if self._faults.status_order == "reversed":
            told.reverse()
        elif self._faults.status_order == "shuffled":
            self._rng.shuffle(told)
        for each in told:
            await self._send(self._request, each, self._late_ms())

    def _late_ms(self) -> int:
        least, most = self._faults.status_late_ms
        return self._rng.randint(least, most) if most else 0

    def _event(self) -> dict[str, str]:
        sequence, self._sequence = self._sequence, self._sequence + 1
        return {
            "Timestamp": format_datetime(self._clock.now_utc()),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(sequence),
        }

    async def _send(self, request: Request, params: Mapping[str, str], late_ms: int = 0) -> None:
        if self._faults.callbacks is Callbacks.AFTER:
            late_ms = max(late_ms, LATE_MS)
        await asyncio.sleep(late_ms / 1000)
        await self._documents.tell(request, params)
