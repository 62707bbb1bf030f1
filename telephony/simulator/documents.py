"""Requests a TwiML document, and the fallback's document if that fails.

If the request or the document fails (11200, 11205, 12100, 12300 and the like), Twilio asks the
number's fallback URL at once, with `ErrorCode` and `ErrorUrl`, at any point of a call. If there is
no fallback, or it fails too, the caller hears that there was an application error.

Source: Twilio's documentation (availability and reliability, voice TwiML; read in October 2026).
"""

from collections.abc import Callable, Mapping

from telephony.simulator import twiml
from telephony.simulator.elements import Request, TwimlError
from telephony.simulator.webhooks import WebhookError, Webhooks

NOT_XML, NOT_TWIML = 12100, 12300
"""Beside these, a document that says what cannot be done is nobody's to mend."""


class Documents:
    """Where a call's documents come from.

    Args:
        webhooks: How workers are asked.
        fallback: Who is asked where that fails.
        problem: Is told of each failure, in words.
    """

    def __init__(
        self, webhooks: Webhooks, fallback: Request | None, problem: Callable[[str], None]
    ) -> None:
        self._webhooks, self._fallback, self._problem = webhooks, fallback, problem

    async def ask(
        self, request: Request, params: Mapping[str, str], extra: Mapping[str, str], token: str = ""
    ) -> tuple[twiml.Verb, ...] | None:
        """The verbs to go on with; None where there are none to be had.

        Args:
            request: Where.
            params: What every request of the call says.
            extra: What only this one says, and not the fallback's.
            token: The idempotency token, to deliver something again.
        """
        try:
            return await self._get(request, {**params, **extra}, token)
        except (WebhookError, TwimlError) as error:
            self._problem(str(error))
            retrieval = error.code < NOT_XML or error.code in {NOT_XML, NOT_TWIML}
            if self._fallback is None or not retrieval:
                return None
            about = {"ErrorCode": str(error.code), "ErrorUrl": request.url.partition("#")[0]}
        try:
            return await self._get(self._fallback, {**params, **about}, "")
        except (WebhookError, TwimlError) as error:
            self._problem(f"fallback: {error}")
            return None

    def read(self, document: str, url: str) -> tuple[twiml.Verb, ...] | None:
        """The verbs of a document that is there already; None where it cannot be used.

        Args:
            document: As the REST API got it.
            url: Where relative URLs are taken from.
        """
        try:
            return twiml.parse(document.encode(), "text/xml", url)
        except TwimlError as error:
            self._problem(str(error))
            return None

    async def tell(self, request: Request, params: Mapping[str, str]) -> None:
        """Ask, and do nothing with the answer."""
        try:
            await self._webhooks.send(request, params)
        except WebhookError as error:
            self._problem(str(error))

    async def _get(
        self, request: Request, params: Mapping[str, str], token: str
    ) -> tuple[twiml.Verb, ...]:
        response = await self._webhooks.send(request, params, token=token)
        if "content-length" not in response.headers:
            raise TwimlError(NOT_XML, "a document has a Content-Length, and is not sent in chunks")
        content_type = response.headers.get("content-type", "")
        return twiml.parse(response.content, content_type, request.url.partition("#")[0])
