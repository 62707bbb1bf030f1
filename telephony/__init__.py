"""One phone call. This package may use `agent`; `agent` may not use it.

Rooms, lowest first:
    audio      [pure] G.711, resampling, level, WAV
    twilio     [pure] Twilio's formats: stream messages, TwiML, signatures and tokens
    call       [pure] the heart: one phone call as a state machine
    simulator  a caller and a Twilio that need no phone
    server     [edge] asyncio, FastAPI, uvicorn: webhooks, media sockets, the driver of a call
    number     [edge] Twilio's REST API: what a number does when it is called; the doctor

`settings` reads the environment, once. `cli` is thin: it parses, then calls a room.
"""
