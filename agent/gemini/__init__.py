"""Gemini through google-genai: Live, one connection at a time, which is one session; and text.

Modules, lowest first:
    settings        what is needed to connect: key, model, address, timeouts
    quirks          a table of the differences between models
    declarations    declares Python functions as tools
    connect_config  turns a persona and a handle into the SDK's configuration
    plain_words     [pure] removes a transcriber's own marks from a transcription
    reply_audio     [pure] turns the audio parts of a reply into samples
    messages        [pure] turns one message of the server into events
    outbox          the queue of messages to one session
    audio_messages  [pure] the two frequent messages, written and read without the SDK
    wire            the SDK's WebSocket, which tells when TLS is set up
    audio_wire      the same, with a short way for frequent messages
    connection      one open connection, as the SDK holds it
    author          has a text model write JSON by a schema
    session         runs one session, from connecting to its end
    breaker         [pure] a circuit breaker: may a model be dialled now?
    guarded         runs sessions behind the breaker

Laws: an expected failure becomes one event, `SessionRefused` or `SessionLost`; everything else is
raised. Reading never stops while a session lives, because `interrupted` and `goAway` arrive on the
same socket as the audio. The API key is in no event, error or log line. This room may import
`agent.conversation`, `agent.summary` and google-genai, and is the only room that knows the SDK.

Resources:
    SDK client (TLS context, headers)   acquired by `GeminiLive()`    released by `aclose()`
    WebSocket                           acquired by `run()`           released before it returns
    sender task                         acquired by `run()`           ends with its TaskGroup
"""
