"""The conversation as a pure state machine: events of the model come in, commands go out.

Modules, lowest first:
    later       marks fields that old recordings do not have
    deadlines   the earliest of several times
    secret_digits digits that a caller types and nobody is to see
    declaration what a tool is: its name, its parameters, what it is allowed, and its results
    built_in_tools the tools that are ours: to end the call, to put a caller through, and others
    arguments   checks the arguments of a tool call against its parameters
    links       what a telephone makes a link of, and what of it says where it leads
    segments    how long a text message is
    sms         text messages by template: what is refused, and what is written
    turn_taking who finds out that the caller speaks, and which silence ends their turn
    persona     who the agent is: instructions, voice, greeting, limits, tools
    words       finds which words of a reply were heard, and which words of the caller are new
    seam        finds where a reply can be left between two words
    reply       one reply, from its first piece to its transcript line
    onset       finds when the caller began to speak
    pieces      the words of the caller that are no line yet, and whether more of them comes
    transcript  the transcript, as lines
    tool_events the events of tool calls
    speech      the events of the ear: the caller begins, is sure to speak, has ended
    listener_events the events of the listener and of the conversation's own life
    events      the events of model sessions, and all events together
    next_step   what is to happen with the line: how it is asked for, claimed and settled
    checkpoint  the state that outlives a worker
    listener_commands the commands about the listener: to player, microphone and vault
    commands    the commands to the model, to tools and to the store, and all commands together
    meter       what the conversation costs
    turns       what the model is doing, and whose turn it is
    alike       tells whether masked arguments may be those of a new call
    hints       what the model is told about a tool call that gave no plain result
    tool_call   one call of a tool: where it stands, what it gave, who is told
    tools       the ledger of tool calls, which outlives a worker
    message     the messages that the agent has taken, and what the model is told of them
    debt        what the caller still waits for: a greeting, an answer, the rest of a reply
    choice      decides between the model and the fallback model
    resumption  decides how and when to dial the model again
    renewal     decides when to leave a session before the server ends it
    link        the present model session
    sessions    the sessions, one after the other; made of the last four
    pace        how long this model usually thinks
    barge_in    decides what to do when the caller talks over the agent
    playing     the replies that are heard, or wait to be: how far, and whether they are held
    remedies    what can be wrong with a silent model, and what is done about it
    liveness    notices when the model does not answer
    receiving   the reply that comes: numbered, received whole, broken off or cut
    replies     the turns: what the model tells of them, the caller's words, and barge-in
    repetition  leaves out what a resumed session says again
    crossed     leaves out an answer to a nudge that is no longer needed
    rest        leaves out the repeated beginning of a reply that goes on in a new session
    sieve       what is new of what a session tells; made of the last three
    changeover  from one session to the next: what is kept of a reply, and who is dialled
    parting     decides when a conversation comes to its end: silence, length, the agent hangs up
    keys        tells the model of the keys that a caller presses
    consent     whether a conversation is recorded, and what the caller said to it
    hang_up     the agent ends the call: once its goodbye was heard
    tool_results tells the model what came of its tool calls
    overdue     what is due about a tool call that is still open, and when
    transfer    the agent puts the caller through: once its words were heard
    collect     the agent collects digits that the caller types
    secure_entries a caller types what nobody is to see, before a tool runs
    send_digits the agent presses keys
    objections  what speaks against a tool call: it is refused
    tool_use    has a tool call run once that nothing speaks against; sees that its result is told
    parts       puts these parts together, for a new conversation or one that goes on
    machine     class `Conversation`: `step(event, now_ms)` → commands, `deadline_ms()`

Laws: nothing here awaits, reads a clock, draws a random number, logs, or does I/O. Time comes in
as `now_ms` (monotonic, since the call was opened on this worker). May import the standard
library's pure parts, and nothing else.
"""
