"""The tools of our own that need the telephone: `send_sms`.

What the model asks for was checked by the conversation, and is checked here again: nothing is sent
but the owner's words, and to nobody but the other party of the call, or whom the owner has named.
"""

import secrets
from collections.abc import Callable, Mapping

import structlog

from agent.conversation.built_in_tools import SEND_SMS, TAKE_MESSAGE
from agent.conversation.declaration import Status
from agent.conversation.persona import Persona
from agent.conversation.segments import segments
from agent.conversation.sms import Template, written
from agent.persona.sms_schema import Route
from agent.store.base import StoreAway
from agent.store.promises import Store
from agent.tools.outcome import PERHAPS_DONE, Outcome
from agent.tools.toolbox import Runnable, Toolbox
from telephony.dialling.numbers import Kind, look_up
from telephony.server.asked_once import DoneOrNot
from telephony.server.extras import Extras
from telephony.server.patience import patiently
from telephony.server.personas import Personas
from telephony.server.texting import NO_TEXTS, NOT_NOW, NOT_THERE, NotSent, Text, send
from telephony.settings import Settings

GET_TEXTS = frozenset({Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE, Kind.VOIP})
"""The kinds of lines that may get text messages."""

NO_NUMBER = "It was not sent: the caller's number is not known. Do not ask for one."
log = structlog.get_logger(__name__)

SENT = "It is on its way. Tell the caller; whether it arrives, nobody can know yet."


def look_at(settings: Settings, personas: Personas) -> None:
    """Log at the start which tools of the agents lack a setting."""
    agents = [agent.persona for agent in personas.last_good]
    if settings.twilio_account_sid is None and any(persona.sms for persona in agents):
        log.warning("TWILIO_ACCOUNT_SID is not set: no text messages are sent")
    takes = any(tool.name == TAKE_MESSAGE for persona in agents for tool in persona.tools)
    if settings.webhook_url is None and takes:
        log.warning("WEBHOOK_URL is not set: messages that are taken are in the transcripts alone")


def toolbox_of(
    settings: Settings, store: Store, personas: Personas, extras: Extras | None = None
) -> Callable[[Persona, str], Toolbox]:
    """What gives the tools of one call, by who answers it and its CallSid."""

    def tools(persona: Persona, call_sid: str) -> Toolbox:
        agent = personas.last_good.named(persona.name)
        ours: dict[str, Runnable] = {}
        if persona.sms:
            ours[SEND_SMS] = SmsTool(settings, store, call_sid, persona.sms, agent.sms, extras)
        return agent.toolbox.with_tools(ours) if ours else agent.toolbox

    return tools


class SmsTool:
    """Sends the text messages of one call.

    Args:
        settings: Those of Twilio's REST API.
        store: Where the call's record has the caller.
        call_sid: The call.
        templates: What may be sent.
        routes: From where to whom, by the name of a template.
        extras: Where it is stored what they cost; None for nowhere.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        call_sid: str,
        templates: tuple[Template, ...],
        routes: Mapping[str, Route],
        extras: Extras | None = None,
    ) -> None:
        self._settings, self._store, self._call_sid = settings, store, call_sid
        self._templates, self._routes, self._extras = templates, routes, extras

    async def run(self, arguments: Mapping[str, object]) -> Outcome:
        """Send a message, once. Raises nothing but what a cancellation raises."""
        try:
            template, words = written(self._templates, arguments)
        except ValueError as wrong:
            return Outcome(Status.ERROR, retryable=True, hint=f"It was not sent. {wrong}.")
        route = self._routes.get(template.name)
        if route is None:
            problem = "its template is no longer in the persona file"
            return Outcome(Status.ERROR, hint=NOT_NOW, problem=problem)
        if self._settings.twilio_account_sid is None:
            problem = "TWILIO_ACCOUNT_SID is not set, which text messages need"
            return Outcome(Status.ERROR, hint=NOT_NOW, problem=problem)
        try:
            to = route.to or await self._caller()
        except StoreAway as away:
            problem = f"the caller is not known while the store is away ({away.why})"
            return Outcome(Status.ERROR, retryable=True, hint=NOT_NOW, problem=problem)
        if why := "" if route.to else refused(to, route):
            return Outcome(Status.ERROR, hint=why)
        return await self._send(Text(to, route.ours, words))

    async def _caller(self) -> str:
        """The other party of the call; "" if nobody knows."""
        record = await patiently(self._store.look_up(self._call_sid))
        return "" if record is None else record.caller

    async def _send(self, text: Text) -> Outcome:
        try:
            await send(self._settings, text)
        except NotSent as error:
            return Outcome(
                Status.ERROR, retryable=error.retryable, hint=error.words, problem=error.why
            )
        except DoneOrNot as unknown:
            await self._costs(text)
            return Outcome(Status.UNKNOWN, hint=PERHAPS_DONE, problem=unknown.why)
        await self._costs(text)
        return Outcome(Status.OK, hint=SENT)

    async def _costs(self, text: Text) -> None:
        if self._extras is not None:
            await self._extras.text(self._call_sid, secrets.token_hex(8), segments(text.body))


def refused(to: str, route: Route) -> str:
    """Why the other party of a call is not texted, for the agent; "" if they may be.

    Args:
        to: Their number in E.164, or another address; "" if it is withheld.
        route: From where, and which countries may be texted.
    """
    if not to:
        return NO_NUMBER
    number, ours = look_up(to), look_up(route.ours)
    if number is None or number.kind not in GET_TEXTS or to == route.ours:
        return NO_TEXTS
    allowed = route.regions or {"" if ours is None else ours.region}
    return "" if number.region and number.region in allowed else NOT_THERE
