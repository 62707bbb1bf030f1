"""What the model is told about a tool call that gave no plain result."""

LATE = "This takes longer. Say that you are still at it; the result comes by itself."
LASTS = (
    "It still runs, and nobody knows yet whether it will be done. Do not call it again. Tell the "
    "caller that you cannot be sure yet; the result comes by itself once it is over."
)
NOT_STORED = "Nothing was done, because it could not be recorded. The caller may try again later."
WAITED = "A caller waits for what you look up or do for them."
CAME_OF_IT = {
    "completed": "They have talked.",
    "answered": "They have talked.",
    "busy": "The line is busy.",
    "no-answer": "Nobody answered.",
    "failed": "Nobody could be reached.",
    "declined": "They were told of the caller, and cannot take the call now.",
    "not-taken": "Somebody answered, and did not take the call.",
    "voicemail": "Only an answering machine answered.",
    "caller-left": "The caller hung up while they waited.",
}
"""What came of a transfer, by the outcome of its step."""
KEYS_SENT = "The keys were pressed. Say nothing; listen to what comes, and go by that."
KEYS_LOST = (
    "The keys were not pressed: which ones is not kept. Say nothing; listen to what comes: if it "
    "asks for them, press them again."
)
KEYS_UNKNOWN = (
    "Nobody knows whether the keys were pressed. Say nothing; listen to what comes: if it asks for "
    "them again, press them again."
)
BACK = "The caller is back with you: tell them, and ask what you can do for them."
BACK_UNKNOWN = (
    "The caller is back with you, and nobody knows whether anybody was reached. Ask whether they "
    "still want to be put through."
)
NOT_KEPT = (
    "This was not done: the line was renewed meanwhile, and what the caller had said for it is not "
    "kept. Ask the caller for it again."
)
UNKNOWN_HINT = (
    "Nobody knows whether this was done: the line was renewed meanwhile. Do not call it again. "
    "Tell the caller that you cannot be sure."
)
