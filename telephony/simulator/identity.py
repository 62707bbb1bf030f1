"""The caller and the called number: what Twilio says about them in each request."""

from dataclasses import dataclass

from telephony.simulator.elements import Request
from telephony.simulator.twiml import Stream

CALLER = "+14155550123"

RETRIES = "#rc=3&rp=ct,rt,5xx&ct=2000&rt=4000"
"""How a number is linked: the same as `offhook number link` sets, and written down again."""


@dataclass(frozen=True, slots=True)
class NumberWebhooks:
    """What Twilio's number calls: its voice webhook, and, if it has them, its fallback and its
    status callback.
    """

    voice: Request
    fallback: Request | None = None
    status: Request | None = None


def linked(public_url: str) -> NumberWebhooks:
    """What a number has that is linked to a server."""
    voice = Request(f"{public_url}/twilio/voice{RETRIES}")
    return NumberWebhooks(voice, voice, Request(f"{public_url}/twilio/status{RETRIES}"))


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose call it is.

    Args:
        call_sid: CA and 32 hex digits.
        account_sid: AC and 32 hex digits.
        auth_token: What all is signed with.
        public_url: What the server is known as, without a slash at its end.
        caller: The other party: a number, ``client:…``, ``sip:…``, or a word where it is withheld.
        called: Our number.
        outbound: The call was placed by REST: our number calls, and the other party is called.
        webhooks: What our number calls; None for those of a linked one.
    """

    call_sid: str
    account_sid: str
    auth_token: str
    public_url: str
    caller: str = CALLER
    called: str = "+14155550199"
    outbound: bool = False
    webhooks: NumberWebhooks | None = None

    @property
    def number(self) -> NumberWebhooks:
        """What our number calls."""
        return self.webhooks or linked(self.public_url)

    @property
    def calling(self) -> str:
        """Who calls, as `From` says."""
        return self.called if self.outbound else self.caller

    def params(self, status: str) -> dict[str, str]:
        """What every voice request says; places are unknown, and one parameter is news."""
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
        """What a status callback of a stream says, but for the error and the time."""
        return {
            "CallSid": self.call_sid,
            "AccountSid": self.account_sid,
            "StreamSid": stream_sid,
            "StreamName": stream.name or stream_sid,
            "StreamEvent": event,
        }
