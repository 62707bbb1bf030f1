"""The prices of each model and of each kind of line, with the date from which they hold.

The models that offhook is made for have rows here. A price that changes gets a new row; the old
row stays, so that a recorded call costs what it cost. All other models of Google have the prices
that the package genai-prices knows; it is asked for a model's own name only, since it would take
the price of `gemini-3.8-flash` for any name that begins so.

Source: Google's price list for the Gemini API, and Twilio's for the United States, November 2026.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ClauseEquals, ClauseOr, ModelInfo, TieredPrices

from agent.conversation.meter import NANO, UNKNOWN, Tariff, Tariffs

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

TEXT_USD = 0.0083
"""A segment of a text message, without what some carriers take besides."""

_TOLL_FREE = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")


def tariffs(
    model: str,
    fallback: str | None,
    wall_time_ms: int,
    *,
    ours: str,
    theirs: str,
    outbound: bool,
) -> Tariffs:
    """What a call costs, as of a day.

    Args:
        model: The model's name, with or without ``models/``.
        fallback: The same of the second model, or None.
        wall_time_ms: Unix time, in ms.
        ours: Our number.
        theirs: The other party: a number, ``client:…`` or ``sip:…``.
        outbound: Whether we placed the call.

    Returns:
        The prices; those of `UNKNOWN`, with the line's, if a model has none for that day.
    """
    minute = round(minute_usd(ours, theirs, outbound=outbound) * NANO)
    wanted = replace(of_model(model, wall_time_ms), minute=minute)
    if fallback is None:
        return Tariffs(wanted)
    return Tariffs(wanted, replace(of_model(fallback, wall_time_ms), minute=minute))


def of_model(model: str, wall_time_ms: int) -> Tariff:
    """What a model costs, as of a day; `UNKNOWN` if it has no price for that day.

    Args:
        model: As for `tariffs`.
        wall_time_ms: As for `tariffs`.
    """
    at = datetime.fromtimestamp(wall_time_ms / 1000, UTC)
    name = model.removeprefix("models/")
    rows = [row for row in MODELS if row.model == name]
    if not rows:
        return _of_others(name, at)
    since = [row for row in rows if row.since <= at.date()]
    return max(since, key=lambda row: row.since).tariff if since else UNKNOWN


def nano(usd: float) -> int:
    """US dollars in nano-dollars."""
    return round(usd * NANO)


def minute_usd(ours: str, theirs: str, *, outbound: bool) -> float:
    """What a minute of the line costs, in US dollars."""
    if theirs.startswith(("client:", "sip:")):
        return SIP_USD
    if outbound:
        return OUTBOUND_USD
    return TOLL_FREE_USD if ours.startswith(_TOLL_FREE) else INBOUND_USD


_VERSION = re.compile(r"(-preview)?(-\d{2}-\d{4}|-\d{3})?$")
"""What may follow a model's name, and does not change its price."""


def _of_others(name: str, at: datetime) -> Tariff:
    """The prices that genai-prices has for one of Google's models."""
    try:
        provider, model = get_snapshot().find_provider_model(name, None, "google", None)
    except LookupError:
        return UNKNOWN
    names = {model.id, *_other_names(model)}
    if provider.id != "google" or not {name, _VERSION.sub("", name)} & names:
        return UNKNOWN
    prices = model.get_prices(at)
    text_in, text_out = _usd(prices.input_mtok), _usd(prices.output_mtok)
    if text_in is None or text_out is None:
        return UNKNOWN
    audio_in, audio_out = _usd(prices.input_audio_mtok), _usd(prices.output_audio_mtok)
    return Row(
        name,
        at.date(),
        text_in,
        text_in if audio_in is None else audio_in,
        text_out,
        text_out if audio_out is None else audio_out,
    ).tariff


def _other_names(model: ModelInfo) -> list[str]:
    clauses = model.match.or_ if isinstance(model.match, ClauseOr) else [model.match]
    return [clause.equals for clause in clauses if isinstance(clause, ClauseEquals)]


def _usd(price: Decimal | TieredPrices | None) -> float | None:
    """A price per million tokens; for short prompts, where it depends on the length."""
    if price is None:
        return None
    return float(price.base if isinstance(price, TieredPrices) else price)


def _nano(usd_a_million: float) -> int:
    return round(usd_a_million * NANO / MILLION)
