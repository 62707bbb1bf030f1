"""What models and telephone lines cost, by date.

Modules:
    prices  the prices of each model and of each kind of line, with the date from which they hold
    ahead   what a call must have reserved before it may begin, and before it may go on

Imports `agent.conversation`, and reads nothing. What a call has cost is counted by
`agent.conversation.meter`; here is only what a token and a minute cost.
"""
