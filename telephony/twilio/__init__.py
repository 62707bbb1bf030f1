"""Twilio's formats: the messages of a Media Stream, TwiML, signatures and one-time tokens.

Modules: `messages` (JSON text ↔ messages), `twiml` (the documents we answer with), `numbers`
(what counts as a caller's number), `signature` (X-Twilio-Signature, and the token that ties a
stream to an answered call), `challenge` (which server is this).

Laws: pure; no I/O, no clock (time comes in as an argument), no environment. May import the
standard library, msgspec and the `twilio` library's pure parts.
"""
