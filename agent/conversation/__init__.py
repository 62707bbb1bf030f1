"""The conversation itself, as a pure state machine: model events in, commands out.

Modules, lowest first:
    deadlines   the first of several times
    persona     who answers
    words       which words of a reply were heard, and which of the caller are new
    seam        where a reply can be left between two words
    reply       one reply, from its first piece to the line it becomes
    onset       when the caller was heard
    transcript  what was said, as lines
    events      what a session of the model tells, and what whoever has the listener tells
    checkpoint  what outlives a worker
    commands    what is asked of the world
    turns       what the model is doing, and who holds the floor
    debt        what the caller is owed
    choice, resumption, renewal, link
                which model, how to reach it, when to leave a session, and the present one
    sessions    the sessions one after the other, made of the last four
    pace        how long this model usually thinks
    barge_in    what happens when the caller talks over the agent
    liveness    whether the model does what it owes
    replies     the turns: replies, and the words of both sides
    repetition, crossed, rest
                what is said again after a resume, crosses a nudge, or follows a seam
    machine     class `Conversation`: `step(event, now_ms)` → commands, `deadline_ms()`

Laws: nothing here awaits, reads a clock, draws a random number, logs, or does I/O. Time comes in
as `now_ms` (monotonic, since the call was opened on this worker). May import the standard
library's pure parts, and nothing else.
"""
