"""The prices of each model and of each kind of line, with the date from which they hold.

A price that changes gets a new row; the old row stays, so that a recorded call costs what it cost.

Source: Google's price list for the Gemini API, and Twilio's for the United States, November 2026.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from agent.conversation.meter import NANO, UNKNOWN, Tariff

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """What a model costs from a day on, in US dollars per million tokens."""

    model: str
    since: date
    text_in: float
    audio_in: float
    text_out: float
    audio_out: float

    @property
    def tariff(self) -> Tariff:
        """The same in nano-dollars per token."""
        return Tariff(
            text_in=_nano(self.text_in),
            audio_in=_nano(self.audio_in),
            text_out=_nano(self.text_out),
            audio_out=_nano(self.audio_out),
        )


MODELS = (
    Row("gemini-3.8-live", date(2026, 9, 1), 0.75, 3.00, 4.50, 12.00),
    Row("gemini-3.8-live-extended-thinking", date(2026, 9, 1), 0.75, 3.00, 4.50, 12.00),
)

INBOUND_USD = 0.0085
TOLL_FREE_USD = 0.022
OUTBOUND_USD = 0.014
SIP_USD = 0.004
"""A minute of a Twilio line, by its kind."""

_TOLL_FREE = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")


def tariff(model: str, wall_time_ms: int, *, ours: str, theirs: str, outbound: bool) -> Tariff:
    """What a call costs, as of a day.

    Args:
        model: The model's name, with or without ``models/``.
        wall_time_ms: Unix time, in ms.
        ours: Our number.
        theirs: The other party: a number, ``client:…`` or ``sip:…``.
        outbound: Whether we placed the call.

    Returns:
        The prices; those of `UNKNOWN`, with the line's, if the model has none for that day.
    """
    day = datetime.fromtimestamp(wall_time_ms / 1000, UTC).date()
    name = model.removeprefix("models/")
    rows = [row for row in MODELS if row.model == name and row.since <= day]
    found = max(rows, key=lambda row: row.since).tariff if rows else UNKNOWN
    return replace(found, minute=round(minute_usd(ours, theirs, outbound=outbound) * NANO))


def minute_usd(ours: str, theirs: str, *, outbound: bool) -> float:
    """What a minute of the line costs, in US dollars."""
    if theirs.startswith(("client:", "sip:")):
        return SIP_USD
    if outbound:
        return OUTBOUND_USD
    return TOLL_FREE_USD if ours.startswith(_TOLL_FREE) else INBOUND_USD


def _nano(usd_a_million: float) -> int:
    return round(usd_a_million * NANO / MILLION)
