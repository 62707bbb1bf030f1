"""Twilio's formats: the messages of a Media Stream, TwiML, signatures and one-time tokens.

    messages   parses and writes the messages of a Media Stream
    urls       names the URLs of our webhooks, and reads their queries
    twiml      writes the TwiML documents that the server answers with
    conference writes the TwiML documents of a warm transfer
    numbers    recognises telephone numbers in webhooks
    signature  checks X-Twilio-Signature, and one-time tokens that tie a stream to a call
    challenge  proves which server answers, for the doctor

Laws: this room is pure: no I/O, no clock (time is an argument), no environment. May import the
standard library, msgspec and the `twilio` library's pure parts.
"""
