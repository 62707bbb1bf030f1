"""Decides which calls may be placed, before Twilio hears of them. Pure.

Modules, lowest first:
    numbers      what a telephone number is: its country, its kind, its time zones
    do_not_call  a list of numbers that are never called
    machines     what to do once it is known whether a person or a machine has answered
    request      reads what `POST /calls` asks for
    rules        the rules, and which of them refuses a call

Laws: every call that is refused names the rule that refuses it. What is not known counts against
the call: a number without a known country, kind or time zone is not called. The time, the list and
the agent's policy come in as arguments; how often a number was called today is counted in the store
(`agent.store.dials`), in the same step that reserves the call. May import `agent.persona.hours`,
`agent.persona.outbound` and phonenumbers.
"""
