"""The part of Twilio's REST API that offhook uses: account, numbers, calls, messages. Pure.

    GET  /2010-04-01/Accounts/{AC}.json
    GET  /2010-04-01/Accounts/{AC}/IncomingPhoneNumbers.json         in pages
    GET  /2010-04-01/Accounts/{AC}/IncomingPhoneNumbers/{PN}.json
    POST /2010-04-01/Accounts/{AC}/IncomingPhoneNumbers/{PN}.json
    GET  /2010-04-01/Accounts/{AC}/Calls/{CA}.json
    POST /2010-04-01/Accounts/{AC}/Calls.json                       place a call
    POST /2010-04-01/Accounts/{AC}/Calls/{CA}.json                  Url and Method, or Twiml: go on
                                                                    with these; Status: end
    POST /2010-04-01/Accounts/{AC}/Messages.json                    send a text message
    GET  /2010-04-01/Accounts/{AC}/Messages.json                    all of them, the newest first
    GET  /2010-04-01/Accounts/{AC}/Messages/{SM}.json

Source: Twilio's documentation, IncomingPhoneNumber and Call resources, "Twilio API responses",
error codes (read in October 2026). The error codes for a refused Status, and for a Url beside a
Twiml, are guesses.
"""

import base64
import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from telephony.simulator.conference import Conferences
from telephony.simulator.elements import Request
from telephony.simulator.rest_calls import PlacedCall, Wrong, read_placed
from telephony.simulator.rest_messages import SentMessage, read_message, resource
from telephony.simulator.rest_numbers import Number, bought, change, page_of

_URL = re.compile(r"https?://[^\s/]+\S*").fullmatch

_PATH = re.compile(
    r"/2010-04-01/Accounts/(?P<account>\w+)(?P<numbers>/IncomingPhoneNumbers(?:/(?P<sid>\w+))?)?"
    r"(?P<calls>/Calls(?:/(?P<call>\w+))?)?(?P<messages>/Messages(?:/(?P<message>\w+))?)?\.json"
).fullmatch


TWIML_LIMIT_CHARS = 4000

UNANSWERED = frozenset({"queued", "ringing"})

INVALID_PARAMETER, INVALID_URL, NOT_IN_PROGRESS = 20422, 21205, 21220


class RunningCall(Protocol):
    """A call that can be redirected to another document, or ended."""

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        ...

    @property
    def status(self) -> str:
        """Twilio's status of it now."""
        ...

    def redirect(self, request: Request) -> None:
        """Continue with the document at this URL."""
        ...

    def run_document(self, document: str) -> None:
        """Continue with this document."""
        ...

    def end(self) -> None:
        """Hang up."""
        ...

    def cancel(self) -> None:
        """Hang up if nobody has answered yet."""
        ...


@dataclass(frozen=True, slots=True)
class RestRequest:
    """One request, as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    authorization: str
    repeated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Every value of each field of the form, for those that may come more than once."""


@dataclass(frozen=True, slots=True)
class RestAnswer:
    """The answer to a request."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answer."""


type Fault = RestAnswer | Hang
"""A fault in place of an answer."""


@dataclass(frozen=True, slots=True)
class FaultOf:
    """A fault of certain requests; `rest_faults` reads it from words.

    Args:
        fault: What is answered.
        pattern: A regular expression; it has to match all of a request's method and path, such as
            ``POST .*/Calls/CA[0-9a-f]+``.
        takes_effect: The request takes effect, and only its answer is lost.
    """

    fault: Fault
    pattern: str = ".*"
    takes_effect: bool = False


class RestAccount:
    """The account, and its answers.

    Args:
        sid: The account's SID.
        auth_token: The account's token.

    Attributes:
        numbers: The numbers by SID, with Twilio's field names.
        conferences: The conferences of its calls.
        calls: The calls by SID; the code that places them puts them here.
        on_placed: Rings a telephone when a call is placed; None if calls cannot be placed.
        messages: The messages that were taken, oldest first.
        opted_out: The numbers that want no messages.
        landlines: The numbers that take no messages.
        on_message: Delivers a message that was taken; None to leave it queued.
        faults: The faults of the next requests, in order.
        faults_of: The faults of certain requests; each is used once.
        requests: All answered requests, oldest first.
        clock_ahead_s: How far Twilio's clock is ahead of this machine's.
    """

    def __init__(self, sid: str, auth_token: str) -> None:
        self.sid, self.auth_token = sid, auth_token
        self.numbers: dict[str, Number] = {}
        self.calls: dict[str, RunningCall] = {}
        self.conferences = Conferences()
        self.on_placed: Callable[[PlacedCall], None] | None = None
        self.messages: list[SentMessage] = []
        self.opted_out: set[str] = set()
        self.landlines: set[str] = set()
        self.on_message: Callable[[SentMessage], None] | None = None
        self.faults: deque[Fault] = deque()
        self.faults_of: list[FaultOf] = []
        self.requests: list[RestRequest] = []
        self.clock_ahead_s = 0
        self._good = "Basic " + base64.b64encode(f"{sid}:{auth_token}".encode()).decode()

    def add(self, phone_number: str, **fields: str) -> str:
        """Add a number as if just bought, with some `fields` set. Returns its SID."""
        sid = f"PN{len(self.numbers) + 1:032x}"
        self.numbers[sid] = bought(sid, self.sid, phone_number, fields)
        return sid

    def answer(self, request: RestRequest) -> RestAnswer | Hang:
        """Answer a request."""
        self.requests.append(request)
        if self.faults:
            return self.faults.popleft()
        for each in self.faults_of:
            if re.fullmatch(each.pattern, f"{request.method} {request.path}"):
                self.faults_of.remove(each)
                if each.takes_effect:
                    self._answer(request)
                return each.fault
        return self._answer(request)

    def _answer(self, request: RestRequest) -> RestAnswer:
        if request.authorization != self._good:
            return refusal(401, 20003, "Authenticate")
        path = _PATH(request.path)
        missing = refusal(404, 20404, f"The requested resource {request.path} was not found")
        if path is None or path["account"] != self.sid:
            return missing
        if path["messages"]:
            alone = not (path["numbers"] or path["calls"])
            return (self._message(request, path["message"]) if alone else None) or missing
        if path["sid"] in self.numbers:
            return self._number(request, self.numbers[path["sid"]])
        if path["call"] in self.calls and not path["numbers"]:
            return self._call(request, path["call"], self.calls[path["call"]])
        if path["calls"] == "/Calls" and request.method == "POST" and not path["numbers"]:
            return missing if self.on_placed is None else self._place(request, self.on_placed)
        if path["calls"] or request.method != "GET" or path["sid"] is not None:
            return missing
        if path["numbers"]:
            return _json(page_of(tuple(self.numbers.values()), request.path, request.query))
        return _json({"sid": self.sid, "friendly_name": "Simulated", "status": "active"})

    @property
    def _ours(self) -> frozenset[str]:
        return frozenset(str(one["phone_number"]) for one in self.numbers.values())

    def show(self, message: SentMessage) -> None:
        """Show a message that was taken with another status."""
        places = [at for at, each in enumerate(self.messages) if each.sid == message.sid]
        self.messages[places[0]] = message

    def _message(self, request: RestRequest, sid: str | None) -> RestAnswer | None:
        """Send, list or show messages; None if there is no such message."""
        if sid is None and request.method == "POST":
            return self._send(request)
        shown = [
            resource(each, self.sid)
            for each in self.messages
            if sid in {None, each.sid} and request.query.get("To", each.to) == each.to
        ]
        if request.method != "GET" or (sid is not None and not shown):
            return None
        if sid is not None:
            return _json(shown[0])
        page = {"page": 0, "page_size": len(shown), "uri": request.path, "next_page_uri": None}
        return _json({"messages": shown[::-1], **page})

    def _send(self, request: RestRequest) -> RestAnswer:
        opted_out, landlines = frozenset(self.opted_out), frozenset(self.landlines)
        read = read_message(request.form, self._ours, opted_out, landlines)
        if isinstance(read, Wrong):
            return refusal(400, read.code, read.message)
        self.messages.append(read)
        if self.on_message is not None:
            self.on_message(read)
        return RestAnswer(201, json.dumps(resource(read, self.sid)))

    def _place(self, request: RestRequest, on_placed: Callable[[PlacedCall], None]) -> RestAnswer:
        read = read_placed(request.form, request.repeated, self._ours)
        if isinstance(read, Wrong):
            return refusal(400, read.code, read.message)
        on_placed(read)
        about = {"sid": read.sid, "account_sid": self.sid, "to": read.to, "from": read.calling}
        about |= {"status": "queued", "direction": "outbound-api"}
        return RestAnswer(201, json.dumps(about))

    def _number(self, request: RestRequest, number: Number) -> RestAnswer:
        wrong = change(number, request.form) if request.method == "POST" else None
        return _json(number) if wrong is None else refusal(400, wrong.code, wrong.message)

    def _call(self, request: RestRequest, sid: str, call: RunningCall) -> RestAnswer:
        if request.method == "POST":
            if call.over:
                return refusal(400, NOT_IN_PROGRESS, "Call is not in-progress. Cannot redirect.")
            if (refused := _update(request.form, call)) is not None:
                return refused
        return _json({"sid": sid, "account_sid": self.sid, "status": call.status})


def _update(form: Mapping[str, str], call: RunningCall) -> RestAnswer | None:
    """Update a call. Returns None, or the reason why that is impossible."""
    status, url, twiml = (form.get(name, "") for name in ("Status", "Url", "Twiml"))
    if status not in {"", "completed", "canceled"}:
        return refusal(400, INVALID_PARAMETER, f"Status is completed or canceled, not {status}")
    if url and twiml:
        return refusal(400, INVALID_PARAMETER, "Url and Twiml exclude each other")
    if len(twiml) > TWIML_LIMIT_CHARS:
        return refusal(
            400, INVALID_PARAMETER, f"Twiml has more than {TWIML_LIMIT_CHARS} characters"
        )
    if url and not _URL(url):
        return refusal(400, INVALID_URL, f"Url is not a valid URL: {url}")
    if form.get("Method", "POST") not in {"GET", "POST"}:
        return refusal(400, INVALID_PARAMETER, f"Method is GET or POST, not {form['Method']}")
    if not (status or url or twiml):
        return refusal(400, INVALID_URL, "expected a Url, a Twiml or a Status")
    if not status and call.status in UNANSWERED:
        return refusal(400, NOT_IN_PROGRESS, "Call is not in-progress. Cannot redirect.")
    if status == "completed":
        call.end()
    elif status == "canceled":
        call.cancel()
    elif twiml:
        call.run_document(twiml)
    elif url:
        call.redirect(Request(url, "GET" if form.get("Method") == "GET" else "POST"))
    return None


def refusal(status: int, code: int, message: str, **headers: str) -> RestAnswer:
    """An error in Twilio's form. "_" in a header's name stands for "-"."""
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return RestAnswer(
        status,
        json.dumps(body),
        {name.replace("_", "-"): value for name, value in headers.items()},
    )


def _json(resource: object) -> RestAnswer:
    return RestAnswer(200, json.dumps(resource))
