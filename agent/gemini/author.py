"""Has a Gemini text model write JSON by a schema, through google-genai's `generate_content`.

Source: google-genai 3.4.0, `models.py`; what its calls raise was measured.
"""

from collections.abc import Callable, Mapping
from typing import Any

import anyio.lowlevel
import httpx
from google import genai
from google.genai import types
from google.genai.errors import APIError

from agent.summary.writer import NotWritten, Written

TIMEOUT_MS = 60_000
MOST_TOKENS = 8_192
"""Of the answer and what is thought for it."""

PASSING = frozenset({408, 425, 429})
"""The statuses below 500 after which the same request may succeed."""


_MINIMAL = {"candidates": [{"content": {"role": "model", "parts": [{"text": "{}"}]}}]}


async def warm_up() -> None:
    """Build the SDK's models for text now, and import what the HTTP library waits with. Otherwise
    the first summary would stop the calls of this process for 100 ms. Nothing is sent.
    """
    await anyio.lowlevel.checkpoint()  # the library imports its half of anyio at the first request
    answering = httpx.MockTransport(lambda _: httpx.Response(200, json=_MINIMAL))
    async with httpx.AsyncClient(transport=answering) as http:
        options = types.HttpOptions(httpx_async_client=http)
        client = genai.Client(enterprise=False, api_key="none", http_options=options)
        await GeminiAuthor(client, "none", str).write("", "", {"type": "object"})
        await client.aio.aclose()
        client.close()


class GeminiAuthor:
    """A text model.

    Args:
        client: The SDK's client; whoever made it closes it.
        model: The model's name.
        safe: Makes a reason safe to log.
    """

    def __init__(self, client: genai.Client, model: str, safe: Callable[[str], str]) -> None:
        self.model = model
        self._client = client
        self._safe = safe

    async def write(self, instruction: str, text: str, schema: Mapping[str, Any]) -> Written:
        """See `agent.summary.writer.Author`. It tries once."""
        config = types.GenerateContentConfig(
            http_options=types.HttpOptions(timeout=TIMEOUT_MS),
            system_instruction=instruction,
            response_mime_type="application/json",
            response_json_schema=dict(schema),
            temperature=0.1,
            max_output_tokens=MOST_TOKENS,
        )
        try:
            answer = await self._client.aio.models.generate_content(
                model=self.model, contents=text, config=config
            )
        except APIError as error:
            passing = error.code in PASSING or error.code >= 500
            why = self._safe(f"HTTP {error.code} {error.status or ''} {error.message or ''}")
            raise NotWritten(why, passing=passing) from error
        except (httpx.HTTPError, OSError) as error:
            raise NotWritten(
                self._safe(f"{type(error).__name__}: {error}"), passing=True
            ) from error
        except ValueError as error:  # an answer that is not JSON; its text may quote it
            raise NotWritten(f"unreadable ({type(error).__name__})", passing=True) from error
        usage = answer.usage_metadata or types.GenerateContentResponseUsageMetadata()
        wrote = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
        return Written(answer.text or "", usage.prompt_token_count or 0, wrote)
