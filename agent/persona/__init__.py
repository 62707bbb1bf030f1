"""Reads persona files: one TOML file makes an agent.

Modules, in the order in which they build on each other:
    hours     opening hours: intervals for each weekday, in a time zone
    outbound  which calls an agent may place
    places    finds the line of a key in a TOML file
    sms_schema  the keys of `[sms.NAME]`, and where its messages go
    menu      what callers choose by a key before the agent answers
    agents    an agent: its persona, the numbers it answers, its hours; and all agents together
    outbound_schema  the keys of `[outbound]`
    schema    the keys of a file, their types and their limits
    built_in  the tools of offhook's own in a file, and whom callers may be put through to
    secure    what callers type in secret, and which tool gets it
    tooling   the tools of a file: what the model is told of, and what runs them
    remote    adds the tools of MCP servers, as the servers told them
    asking    asks these servers, once
    mistakes  says what is wrong with a file: line, key, what was expected, what came, the fix
    reading   files into agents, or their mistakes
    example   the file that `offhook persona new` writes

Imports `agent.conversation`, `agent.gemini` for its converter of functions, `agent.summary`,
`agent.tools` and pydantic. Reads files, and imports the modules that they name. What a file says
reaches a model only as the persona's owner wrote it; a caller's words never come here.
"""
