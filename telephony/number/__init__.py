"""The number: what Twilio does when it is called, set through Twilio's REST API; and a doctor.

Modules, lowest first:
    webhooks   [pure] a number as Twilio has it, what it should be, and the changes between
    memory     what a number had before it was linked, in a file
    account    one Twilio account over REST, through the twilio library, unmodified
    linking    link and unlink: memory and account together
    terminal   what it prints
    commands   `offhook number …`: thin
    findings   [pure] what a check may say, and how checks depend on each other
    reach      whom a request reaches, and whether its signature arrives
    checks     the doctor's checks
    doctor     `offhook doctor`

Laws: what stood at a number is remembered before it is changed, and nothing that is remembered is
lost by linking again; unlinking touches only what linking set. The auth token is in no message.
Only `account` knows the twilio library. May import `telephony.server`, what that may import, and
no simulator.
"""
