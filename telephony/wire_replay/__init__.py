"""`offhook replay --wire`: replays a recorded call against a real server over real sockets.

Both ends send what was recorded, at the recorded times: Twilio's end over signed HTTP and a
WebSocket, Gemini's end over a TLS WebSocket to the real SDK. What the server sends is compared with
what the call does in a pure replay.

Modules, lowest first:
    audio     [pure] compares audio sent in real time with recorded audio
    call_time [pure] the time that both ends share
    carried   [pure] everything that a server sent to both ends, and stored
    compare   [pure] compares two of these, and knows which differences are allowed
    frames    [pure] turns recorded events back into Twilio's messages
    cues      [pure] splits a recording by who has to say what, and when
    phone     [pure] Twilio's end of one stream
    model     [pure] Gemini's end of all sessions
    twilio    [edge] sends webhooks and streams at their times
    run       [edge] runs a server and both ends in one process
    judge     replays many recordings both ways at once, and judges them

Laws: nothing is sent before its time, nor before the thing that it answers: a mark's echo waits for
the mark, and for the clear behind which it came; a reply waits for the text that asked for it; and
nobody speaks on before the server has taken a stream. A recording holds one worker's part of a
call, so a recording that needs a second worker or another store is refused, with the reason. May
import `telephony.server`, `telephony.simulator`, `agent.simulator`, and what these may import.
"""
