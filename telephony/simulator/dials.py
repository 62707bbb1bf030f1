"""The Dials of one call: whom they reach, and how they end."""

import secrets
from collections.abc import Callable, Mapping

from telephony.simulator.clock import Clock
from telephony.simulator.conferring import Conferring
from telephony.simulator.dial import BAD_CALLER_ID, Dial, Noun
from telephony.simulator.elements import Request
from telephony.simulator.faults import CallFaults
from telephony.simulator.identity import Identity
from telephony.simulator.off_line import Live, Passed
from telephony.simulator.report import CallEvent, Dialled, Joined

BRIDGED = frozenset({"completed", "answered"})
"""How a Dial ends in which somebody answered."""


class Dials:
    """Runs the Dials of a call; call `run` for each.

    Args:
        identity: The parties of the call.
        conferring: Lets the call take part in conferences.
        live: Lets time pass in the call.
        faults: The switches that decide how a Dial ends, unless it is of a conference.
        clock: The call's clock.
        tell: Called with each event.
        problem: Called with a description of what went wrong.
        report: Sends a report about the leg of a Dial.

    Attributes:
        dialled: Whom they called.
    """

    def __init__(
        self,
        identity: Identity,
        conferring: Conferring,
        live: Live,
        faults: CallFaults,
        clock: Clock,
        tell: Callable[[CallEvent], None],
        problem: Callable[[str], None],
        report: Callable[[Request, Mapping[str, str]], None],
    ) -> None:
        self.dialled: list[str] = []
        self._problem, self._report = problem, report
        self._id, self._conferring, self._live = identity, conferring, live
        self._faults, self._clock, self._tell = faults, clock, tell

    async def run(self, verb: Dial) -> dict[str, str] | None:
        """Call the nouns of a Dial, until that is over.

        Returns:
            What its action is told; None if its callerId ends the whole call.
        """
        began_ms, keys = self._clock.now_ms(), "*" if verb.hangup_on_star else ""
        limit_ms, faults = verb.time_limit_s * 1000, self._faults
        status = faults.dial_status
        if (terms := verb.nouns[0].terms) is not None:
            status = faults.conference_status
            name = verb.nouns[0].address
            self.dialled.append(name)
            self._tell(Joined(began_ms, name))
            await self._conferring.run(name, terms, limit_ms, keys)
            return self._about(status, began_ms)
        allowed = frozenset({self._id.caller, self._id.called, *faults.verified_numbers})
        if fault := verb.caller_id_fault(self._id.calling, allowed):
            self._problem(f"{BAD_CALLER_ID}: {fault}")
            if faults.caller_id_ends_call:
                return None
            status = "failed"
        for noun in verb.nouns:
            self.dialled.append(noun.address)
            self._tell(Dialled(began_ms, noun.address, status))
        leg = f"CA{secrets.token_hex(16)}"
        ended = await self._call(verb.nouns[0], leg, status, limit_ms, keys)
        return self._about(ended, began_ms) | {"DialCallSid": leg}

    async def _call(self, noun: Noun, leg: str, status: str, limit_ms: int, keys: str) -> str:
        """Let the first of those who are called ring, and talk. Returns how that ends."""
        faults = self._faults
        answers, lasts_ms = status in BRIDGED, min(faults.dial_ms, limit_ms)
        rings_ms = min(faults.dial_ring_ms, lasts_ms) if answers else lasts_ms
        if await self._live(rings_ms, keys=keys) is Passed.HUNG_UP:
            status = "canceled"
        elif answers:
            answered_ms = self._clock.now_ms()
            self._tells(noun, leg, "answered", "in-progress")
            await self._live(lasts_ms - rings_ms, keys=keys)
            seconds = -(-(self._clock.now_ms() - answered_ms) // 1000)
            self._tells(noun, leg, "completed", "completed", CallDuration=str(seconds))
            return status
        self._tells(noun, leg, "completed", status)
        return status

    def _tells(self, noun: Noun, leg: str, event: str, status: str, **besides: str) -> None:
        if noun.status is None or event not in noun.events:
            return
        about = {
            "CallSid": leg,
            "ParentCallSid": self._id.call_sid,
            "AccountSid": self._id.account_sid,
            "From": self._id.called,
            "To": noun.address,
            "Direction": "outbound-dial",
            "CallStatus": status,
            "CallbackSource": "call-progress-events",
        }
        self._report(noun.status, about | besides)

    def _about(self, status: str, began_ms: int) -> dict[str, str]:
        """The parameters about a Dial that is over."""
        bridged = status in BRIDGED
        about = {"DialCallStatus": status, "DialBridged": str(bridged).lower()}
        if bridged:
            about["DialCallDuration"] = str(-(-(self._clock.now_ms() - began_ms) // 1000))
        return about
