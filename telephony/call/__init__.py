"""One phone call, as a pure state machine: the heart of the project.

Modules, lowest first:
    ending      why a call ended
    events      what happens to a call
    commands    what it asks of the world
    gaps        where in the caller's time a piece of media belongs
    ear         what is made of the caller's sound
    unanswered  what the caller said and the model has not answered, as audio
    uplink      caller → model: chunks, resampled
    microphone  what comes from the caller; made of the last four
    waiting     what a caller hears who waits
    downlink    model → caller: the samples of each reply, cut into messages
    playout     Twilio's side of a stream: what was heard, by marks and by the clock
    player      what the caller hears of the agent; made of the last two
    outbox      what waits to be written
    presence    whether there is a stream, and how long a call waits for one
    hand_over   when to leave a worker that stops
    machine     class `Call`: `step(event, now_ms)` → commands, `deadline_ms()`

Laws: nothing here awaits, reads a clock, draws a random number, logs, or does I/O. May import
`telephony.audio`, `telephony.twilio.messages` and `agent.conversation`, and nothing else of ours.
"""
