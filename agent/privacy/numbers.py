"""Whether digits are the number of a card, of an account, of a person in the USA, of a telephone.

Sources: ISO/IEC 7812-1 (Luhn), ISO 13616 (IBAN), SSA's "Randomization" (2011), libphonenumber.
"""

import re
from collections.abc import Collection
from functools import cache, lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, ValidationResult

ANYWHERE = "US"
"""Where a telephone number is looked for if nobody knows where the agent is."""

SHORTEST_CARD, LONGEST = 13, 19
"""So many digits have the shortest number of a card and the longest number. Schemes allow 12, too,
and none is known to be issued so; telephone numbers of 12 digits are common.
"""

_CARDS = (
    (re.compile(r"4"), {13, 16, 19}),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), {16}),
    (re.compile(r"3[47]"), {15}),
    (re.compile(r"6011|64[4-9]|65|62"), {16, 17, 18, 19}),
    (re.compile(r"30[0-5]|309|36|3[89]"), {14, 15, 16, 17, 18, 19}),
    (re.compile(r"35"), {16, 17, 18, 19}),
    (re.compile(r"2131|1800"), {15}),
    (re.compile(r"50|5[6-8]|6"), set(range(SHORTEST_CARD, LONGEST + 1))),
)
"""How the numbers of each scheme begin, and how long they are."""

_SSN = re.compile(
    r"(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}|9\d{2}(5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\d{4}"
).fullmatch

_AMERICAN = re.compile(r"1?[2-9]\d{2}[2-9]\d{6}").fullmatch

_IBANS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 "
    "EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 "
    "IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 "
    "NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 "
    "TN24 TR26 UA29 VA22 VG24 XK20 "
)
_IBAN_LENGTHS = {each[:2]: int(each[2:]) for each in _IBANS.split()}
"""How long the account numbers of each country are."""

_IBAN_BEGINS = re.compile(r"[A-Z]{2}\d{2}").match


def is_card(number: str) -> bool:
    """Whether digits begin and are as long as the numbers of a card scheme, with the check digit of
    Luhn.
    """
    if not SHORTEST_CARD <= len(number) <= LONGEST or len(set(number)) == 1:
        return False
    fits = any(len(number) in lengths and begins.match(number) for begins, lengths in _CARDS)
    return fits and _luhn(number)


def begins_a_card(digits: str) -> bool:
    """Whether the number of a card may begin with these digits."""
    return any(begins.match(digits) for begins, _ in _CARDS)


def _luhn(number: str) -> bool:
    digits = [int(each) for each in reversed(number)]
    doubled = [sum(divmod(2 * each, 10)) for each in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def is_ssn(number: str) -> bool:
    """Whether nine digits are in the ranges of social security and taxpayer numbers."""
    return _SSN(number) is not None


def is_iban(account: str) -> bool:
    """Whether letters and digits are as long as the account numbers of their country, with its
    check digits by modulo 97.
    """
    if len(account) != iban_length(account) or not (account.isascii() and account.isalnum()):
        return False
    moved = account[4:] + account[:4]
    return int("".join(str(int(each, 36)) for each in moved)) % 97 == 1


def iban_length(begun: str) -> int:
    """How long an account number is that begins so; 0 for what is none."""
    if len(begun) < 4:
        return 4
    return _IBAN_LENGTHS.get(begun[:2], 0) if _IBAN_BEGINS(begun) else 0


def region_of(numbers: Collection[str]) -> str:
    """The country of the first of these numbers in E.164; `ANYWHERE` if there is none."""
    for number in numbers:
        try:
            return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ANYWHERE
        except NumberParseException:
            continue
    return ANYWHERE


@lru_cache(maxsize=1_024)
def is_reachable(number: str) -> bool:
    """Whether a telephone number with its country's code, without +, is possible."""
    try:
        return _is_possible(phonenumbers.parse(f"+{number}"))
    except NumberParseException:
        return False


@lru_cache(maxsize=1_024)
def is_in_use(number: str) -> bool:
    """Whether a telephone number with its country's code, without +, is in a range in use."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(f"+{number}"))
    except NumberParseException:
        return False


def is_american(number: str) -> bool:
    """Whether a number has the form of those of the USA and their neighbours."""
    return _AMERICAN(number) is not None


@lru_cache(maxsize=1_024)
def is_dialled(number: str, region: str, *, grouped: bool, led: bool = False) -> bool:
    """Whether a number can be dialled in a country.

    Args:
        number: Its digits.
        region: The ISO code of the country.
        grouped: Whether it is written as numbers are, so that it need not be in use.
        led: Whether it must begin with the zero that leads to another town, where there is one.
    """
    texts = [number, f"+{number}"]
    if led and not number.startswith("0") and _leads(region) == "0":
        texts.remove(number)
    for text in texts:
        try:
            parsed = phonenumbers.parse(text, region)
        except NumberParseException:
            continue
        if parsed.country_code == _country(region) and (
            phonenumbers.is_valid_number(parsed) or (grouped and _is_possible(parsed))
        ):
            return True
    return False


@cache
def _leads(region: str) -> str | None:
    return phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True)


@cache
def _country(region: str) -> int:
    return phonenumbers.country_code_for_region(region)


def _is_possible(parsed: PhoneNumber) -> bool:
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    return bool(reason == ValidationResult.IS_POSSIBLE)
