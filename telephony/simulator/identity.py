"""The caller and the called number: what Twilio says about them in each request."""

from dataclasses import dataclass

from telephony.simulator.elements import Request
from telephony.simulator.twiml import Stream

CALLER = "+14155550123"
CALLED = "+14155550199"

RETRIES = "#rc=3&rp=ct,rt,5xx&ct=2000&rt=4000"
"""The fragment that `offhook number link` sets, written here again for independence."""


@dataclass(frozen=True, slots=True)
class NumberWebhooks:
    """A number's webhooks: the voice webhook, and perhaps a fallback and a status callback."""

    voice: Request
    fallback: Request | None = None
    status: Request | None = None


def linked(public_url: str) -> NumberWebhooks:
    """The webhooks of a number that is linked to a server."""
    voice = Request(f"{public_url}/twilio/voice{RETRIES}")
    return NumberWebhooks(voice, voice, Request(f"{public_url}/twilio/status{RETRIES}"))


@dataclass(frozen=True, slots=True)
class Identity:
    """The parties of a call, and its account.

    Args:
        call_sid: CA and 32 hex digits.
        account_sid: AC and 32 hex digits.
        auth_token: The token that signs all requests.
        public_url: The server's public URL, without a slash at its end.
        caller: The other party: a number, ``client:…``, ``sip:…``, or a word if withheld.
        called: Our number.
        outbound: Whether the call was placed by REST, so that our number calls the other party.
        webhooks: Our number's webhooks; None for those of a linked number.
        ring_limit_ms: How long a call that was placed by REST rings at most.
        answered_by: What is told whether a machine has answered it; None for nothing.
        waits_for_machine: Whether that is found out before the first document is asked for.
    """

    call_sid: str
    account_sid: str
    auth_token: str
    public_url: str
    caller: str = CALLER
    called: str = CALLED
    outbound: bool = False
    webhooks: NumberWebhooks | None = None
    ring_limit_ms: int = 60_000
    answered_by: Request | None = None
    waits_for_machine: bool = False

    @property
    def number(self) -> NumberWebhooks:
        """Our number's webhooks."""
        return self.webhooks or linked(self.public_url)

    @property
    def calling(self) -> str:
        """The calling party, which is in `From`."""
        return self.called if self.outbound else self.caller

    def params(self, status: str) -> dict[str, str]:
        """The parameters of every voice request. Places are empty, one parameter is invented."""
        to = self.caller if self.outbound else self.called
        sides = {"From": self.calling, "Caller": self.calling, "To": to, "Called": to}
        places = ("City", "State", "Zip", "Country")
        return {
            "CallSid": self.call_sid,
            "AccountSid": self.account_sid,
            "CallStatus": status,
            "ApiVersion": "2010-04-01",
            "Direction": "outbound-api" if self.outbound else "inbound",
            "StirVerstat": "TN-Validation-Passed-A",
            "NotInTheDocumentation": "1",
            **sides,
            **{f"{side}{place}": "" for side in sides for place in places},
        }

    def stream_params(self, stream: Stream, stream_sid: str, event: str) -> dict[str, str]:
        """The parameters of a stream's status callback, without error and time."""
        return {
            "CallSid": self.call_sid,
            "AccountSid": self.account_sid,
            "StreamSid": stream_sid,
            "StreamName": stream.name or stream_sid,
            "StreamEvent": event,
        }
