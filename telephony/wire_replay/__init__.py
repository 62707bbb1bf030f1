"""`offhook replay --wire`: a recorded call, lived again by a real server over real sockets.

Both ends speak what was recorded, when it was recorded: Twilio's over signed HTTP and a WebSocket,
Gemini's over a TLS WebSocket, to the SDK. What the server sends is held against what the call does.

Modules, lowest first:
    audio     [pure] audio of real time held against recorded audio
    carried   [pure] what a server sent to both ends, and stored
    compare   [pure] two of these: what differs, and what may
    frames    [pure] Twilio's messages, of the events they once were
    cues      [pure] who has to say what, and when
    phone     [pure] Twilio's end of one stream
    model     [pure] Gemini's end of all sessions
    twilio    [edge] webhooks and streams at their times
    run       [edge] server and both ends in one go
    judge     recordings, each replayed both ways and judged, many at once

Laws: nothing is sent before its time, nor before what it answers: a mark's echo waits for the mark,
a reply for the text that asked for it. A recording holds one worker's part of a call; what only a
second worker or another store could have caused is refused, with the reason. May import
`telephony.server`, `telephony.simulator`, `agent.simulator`, and what these may.
"""
