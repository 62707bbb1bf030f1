"""Tells the operator in the log about refused webhooks.

A stranger who tries addresses causes the same refusals as a wrong setting. So there is one warning,
and then at most one a minute, which says how many others there were since the last one.
"""

import structlog

EVERY_MS = 60_000

HINTS = {
    "no signature": "A request without a signature does not come from Twilio. If you sent it "
    "yourself: only Twilio and `offhook simulate call` sign what they send.",
    "forged signature": "If this was Twilio, callers hear an error. Then PUBLIC_URL is not the "
    "address that the number calls, or TWILIO_AUTH_TOKEN is not the token of the number's account; "
    "`offhook doctor` says which.",
    "other account": "If this was your call, TWILIO_ACCOUNT_SID is not the account that has the "
    "number; `offhook doctor` checks it.",
    "wrong path": "If this was Twilio, callers hear an error. What the number calls has a slash "
    "too many, or capital letters; `offhook number link` sets it.",
}
"""A hint for each reason of a refusal that a setting can solve."""

log = structlog.get_logger(__name__)


class Refusals:
    """Logs refused webhooks; call `webhook` for each one."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url
        self._told_ms: int | None = None
        self._untold = 0

    def webhook(self, why: str, path: str, now_ms: int) -> None:
        """A webhook was refused, for one of the reasons of `admission.Refused`."""
        if why not in HINTS:
            return
        if self._told_ms is not None and now_ms - self._told_ms < EVERY_MS:
            self._untold += 1
            return
        log.warning(
            "webhook refused",
            why=why,
            path=path,
            public_url=self._public_url,
            others_since=self._untold,
            hint=HINTS[why],
        )
        self._told_ms, self._untold = now_ms, 0
