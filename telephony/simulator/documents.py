"""Requests a TwiML document, and the fallback's document if that fails.

If the request or the document fails (11200, 11205, 12100, 12300 and the like), Twilio asks the
number's fallback URL at once, with `ErrorCode` and `ErrorUrl`, at any point of a call. If there is
no fallback, or it fails too, the caller hears that there was an application error.

Source: Twilio's documentation (availability and reliability, voice TwiML; read in October 2026).
"""

from collections.abc import Callable, Mapping

from telephony.simulator import twiml
from telephony.simulator.elements import Request, TwimlError
from telephony.simulator.files import to_ulaw
from telephony.simulator.webhooks import WebhookError, Webhooks

NOT_XML, NOT_TWIML = 12100, 12300
"""The errors of a document for which Twilio asks the fallback."""


class Documents:
    """Requests a call's documents.

    Args:
        webhooks: Sends requests to workers.
        fallback: The request to make if one fails.
        problem: Called with a description of each failure.
    """

    def __init__(
        self, webhooks: Webhooks, fallback: Request | None, problem: Callable[[str], None]
    ) -> None:
        self._webhooks, self._fallback, self.problem = webhooks, fallback, problem
        self._files: dict[str, bytes] = {}

    async def ask(
        self, request: Request, params: Mapping[str, str], extra: Mapping[str, str], token: str = ""
    ) -> tuple[twiml.Verb, ...] | None:
        """The verbs to continue with; None if there is no valid document.

        Args:
            request: The URL and the method.
            params: The parameters of every request of the call.
            extra: Parameters of only this request, and not of the fallback's.
            token: The idempotency token, to deliver something again.
        """
        try:
            return await self._get(request, {**params, **extra}, token)
        except (WebhookError, TwimlError) as error:
            self.problem(str(error))
            retrieval = error.code < NOT_XML or error.code in {NOT_XML, NOT_TWIML}
            if self._fallback is None or not retrieval:
                return None
            about = {"ErrorCode": str(error.code), "ErrorUrl": request.url.partition("#")[0]}
        try:
            return await self._get(self._fallback, {**params, **about}, "")
        except (WebhookError, TwimlError) as error:
            self.problem(f"fallback: {error}")
            return None

    def read(self, document: str, url: str) -> tuple[twiml.Verb, ...] | None:
        """The verbs of a document; None if it cannot be used.

        Args:
            document: The document that the REST API received.
            url: The base for relative URLs.
        """
        try:
            return twiml.parse(document.encode(), "text/xml", url)
        except TwimlError as error:
            self.problem(str(error))
            return None

    async def tell(self, request: Request, params: Mapping[str, str]) -> None:
        """Send a request, and ignore the answer."""
        try:
            await self._webhooks.send(request, params)
        except WebhookError as error:
            self.problem(str(error))

    async def wait(self, request: Request, params: Mapping[str, str]) -> tuple[twiml.Verb, ...]:
        """The verbs of a document for a call that waits; none if there is no valid document."""
        try:
            return await self._get(request, params, "")
        except (WebhookError, TwimlError) as error:
            self.problem(f"waitUrl: {error}")
            return ()

    async def file(self, url: str) -> bytes:
        """The µ-law, 8 kHz, of a file that a document plays; b"" if it cannot be played.

        A file is fetched once in a call, as Twilio keeps it.
        """
        if url not in self._files:
            try:
                response = await self._webhooks.send(Request(url, "GET"), {})
                kind = response.headers.get("content-type", "")
                self._files[url] = to_ulaw(response.content, kind)
            except (WebhookError, TwimlError) as error:
                self.problem(str(error))
                return b""
        return self._files[url]

    async def _get(
        self, request: Request, params: Mapping[str, str], token: str
    ) -> tuple[twiml.Verb, ...]:
        response = await self._webhooks.send(request, params, token=token)
        if "content-length" not in response.headers:
            raise TwimlError(NOT_XML, "a document has a Content-Length, and is not sent in chunks")
        content_type = response.headers.get("content-type", "")
        return twiml.parse(response.content, content_type, request.url.partition("#")[0])
