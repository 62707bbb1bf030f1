"""Gemini Live through google-genai: one connection, one conversation's session at a time.

Modules, lowest first: `settings`, `quirks`, `connect_config` (persona and handle to a setup),
`plain_words`, `reply_audio` (what two messages may cut in two), `messages` (the server's messages
to events), `outbox` (what waits to be sent), `connection` (what passes between a session and the
SDK), `session`, `breaker` (whether to dial; pure), `guarded` (a session behind the breaker).

Laws: an expected failure becomes one event, `SessionRefused` or `SessionLost`, and everything
else is raised; reading never stops while a session lives, because `interrupted` and `goAway` come
down the same socket as the audio; the API key is in no event, error or log line. May import
`agent.conversation` and google-genai, and is the only room that knows the SDK.

Resources:
    SDK client (TLS context, headers)   acquired by `GeminiLive()`    released by `aclose()`
    WebSocket                           acquired by `run()`           released before it returns
    sender task                         acquired by `run()`           ends with its TaskGroup
"""
