"""What models and telephone lines cost, by date.

Modules:
    prices  the prices of each model and of each kind of line, with the date from which they hold

Imports `agent.conversation`, and reads nothing. What a call has cost is counted by
`agent.conversation.meter`; here is only what a token and a minute cost.
"""
