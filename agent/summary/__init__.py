"""A summary of a call that is over: what was said, what came of it, and what has to be done.

Modules, lowest first:
    schema  what a summary holds, and what a persona adds to it
    writer  has a model write a summary of a transcript, and checks it

Laws: what callers said never enters the system instruction; it goes to the model as data, in JSON.
What the model writes is checked before it is kept. This room waits for one answer at a time and
does not come back later: whoever calls it decides when to try again. It may import
`agent.conversation` and pydantic.
"""
