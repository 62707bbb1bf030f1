"""Reads the faults of Twilio's REST API from words, such as those of the command line. Pure.

    update=429        the next request that changes a call is refused: too many requests
    place=503*3       so are the next three that place a call, but with an error of Twilio's
    message=lost      a message is sent, but the answer is an error
    message=21610     a message is refused with this error of Twilio's
    any=hang          the next request is never answered

Source: Twilio's documentation ("Twilio API responses", errors 20003 and 20429; read in November
2026).
"""

import re
from collections.abc import Sequence

from telephony.errors import UsageError
from telephony.simulator.rest import Fault, FaultOf, Hang, RestAnswer, refusal

REQUESTS = {
    "place": r"POST .*/Calls\.json",
    "update": r"POST .*/Calls/\w+\.json",
    "read": r"GET .*/Calls/\w+\.json",
    "message": r"POST .*/Messages\.json",
    "number": r"\w+ .*/IncomingPhoneNumbers.*",
    "any": r".*",
}

FAULTS: dict[str, Fault] = {
    "401": refusal(401, 20003, "Authenticate"),
    "404": refusal(404, 20404, "The requested resource was not found"),
    "429": refusal(429, 20429, "Too Many Requests", Retry_After="1"),
    "500": refusal(500, 20500, "An internal server error has occurred"),
    "503": RestAnswer(503, "<html>Service Unavailable</html>"),
    "hang": Hang(),
    "lost": RestAnswer(502, ""),
}
"""`lost` takes effect; nothing else does."""

_SWITCH = re.compile(r"(?P<request>\w+)=(?P<fault>\w+)(\*(?P<times>[1-9][0-9]?))?").fullmatch


def read_rest_faults(switches: Sequence[str]) -> list[FaultOf]:
    """The faults that the words name, in order.

    Raises:
        UsageError: A word is none of those above.
    """
    found: list[FaultOf] = []
    for switch in switches:
        read = _SWITCH(switch)
        fault = None if read is None else _fault(read["fault"])
        if read is None or fault is None or read["request"] not in REQUESTS:
            raise UsageError(
                f"--rest-fault: expected REQUEST=FAULT or REQUEST=FAULT*TIMES with a request of "
                f"{', '.join(REQUESTS)} and a fault of {', '.join(FAULTS)}, or "
                f"an error of Twilio's such as 21211, got {switch!r}"
            )
        lost = read["fault"] == "lost"
        each = FaultOf(fault, REQUESTS[read["request"]], takes_effect=lost)
        found += [each] * int(read["times"] or 1)
    return found


def _fault(word: str) -> Fault | None:
    if re.fullmatch(r"2[0-9]{4}", word):
        return refusal(400, int(word), f"Refused with error {word}")
    return FAULTS.get(word)
