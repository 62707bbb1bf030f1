"""Sets what Twilio does when a number is called, through Twilio's REST API; and the doctor.

Modules, lowest first:
    webhooks   [pure] a number's webhooks at Twilio, the wanted ones, and the changes between them
    memory     keeps the webhooks that a number had before it was linked, in a file
    account    one Twilio account over REST, through the twilio library
    linking    links and unlinks a number
    terminal   prints numbers and changes
    commands   the commands `offhook number …`
    findings   [pure] the results of checks, and the order in which checks run
    reach      finds which server answers at a URL, and whether signatures arrive there
    agents     reads the persona files for the doctor, and asks their MCP servers
    checks     the doctor's checks
    doctor     `offhook doctor`: runs the checks and prints the results

Laws: a number's webhooks are saved before they are changed, and linking again never loses what was
saved. Unlinking changes only what linking set. The auth token is in no message. Only `account`
knows the twilio library. May import `telephony.server`, what that may import, and no simulator.
"""
