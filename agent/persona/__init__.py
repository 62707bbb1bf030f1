"""Reads persona files: one TOML file makes an agent.

Modules, in the order in which they build on each other:
    agents    an agent: its persona, the numbers it answers, its hours; and all agents together
    hours     opening hours: intervals for each weekday, in a time zone
    places    finds the line of a key in a TOML file
    schema    the keys of a file, their types and their limits
    mistakes  says what is wrong with a file: line, key, what was expected, what came, the fix
    reading   files into agents, or their mistakes
    example   the file that `offhook persona new` writes

Imports `agent.conversation` and pydantic. Reads files, and nothing else. What a file says reaches a
model only as the persona's owner wrote it; a caller's words never come here.
"""
