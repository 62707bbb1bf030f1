"""Who calls whom, and what Twilio says about it in each request."""

from dataclasses import dataclass

from telephony.simulator.twiml import Stream

CALLER = "+14155550123"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose call it is.

    Args:
        call_sid: CA and 32 hex digits.
        account_sid: AC and 32 hex digits.
        auth_token: What all is signed with.
        public_url: What the server is known as, without a slash at its end.
        caller: The number that calls.
        called: The number called.
        voice_path: The number's webhook, below the public URL.
        status_path: The number's status callback.
    """

    call_sid: str
    account_sid: str
    auth_token: str
    public_url: str
    caller: str = CALLER
    called: str = "+14155550199"
    voice_path: str = "/twilio/voice"
    status_path: str = "/twilio/status"

    def params(self, status: str) -> dict[str, str]:
        """What every voice request says; places are unknown, and one parameter is news."""
        sides = {"From": self.caller, "Caller": self.caller}
        sides |= {"To": self.called, "Called": self.called}
        places = ("City", "State", "Zip", "Country")
        return {
            "CallSid": self.call_sid,
            "AccountSid": self.account_sid,
            "CallStatus": status,
            "ApiVersion": "2010-04-01",
            "Direction": "inbound",
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
