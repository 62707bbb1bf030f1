"""One phone call as a pure state machine: the heart of the project.

Modules, lowest first:
    ending      the reasons why a call ended
    events      the events that happen to a call
    commands    the commands that a call gives
    vault       keeps what a caller types in secret, and keeps it from the call
    idling      decides whether the line delivers nothing in silence
    gaps        places each piece of media in the caller's time
    overheard   how loud the agent is at the caller's ear
    echo        learns how much of the agent's voice comes back
    talk_over   decides whether the caller talks over the agent
    ear         decides whether the caller's sound may be speech
    activity    tells a model that detects no speech itself when the caller speaks
    unanswered  caller audio that the model has not answered yet
    uplink      caller → model: chunks, resampled
    microphone  the caller's audio and the session that hears it; made of the last six
    utterance   what the caller says without a pause, for who measures
    waiting     the sounds that a waiting caller hears
    downlink    model → caller: the samples of each reply, cut into messages
    playout     how much the caller has heard, from marks and the clock
    player      what the caller hears of the agent; made of the last two and `overheard`
    plain_frame tells after which steps no deadline is looked at
    caller      what comes from the caller, and what they hear; has microphone and player
    figures     what is found of a call while it is measured
    measures    measures a call from its events and commands, as an observer
    outbox      the messages that wait to be written to the phone
    screening   decides by somebody's words whether they screen a call that was placed
    presence    whether there is a stream, and how long a call waits for one
    hand_over   decides when a call leaves a worker that stops
    machine     class `Call`: `step(event, now_ms)` → commands, `deadline_ms()`

Laws: nothing here awaits, reads a clock, draws a random number, logs, or does I/O. May import
`telephony.audio`, `telephony.twilio.messages` and `agent.conversation`, and no other room.
"""
