"""What to do once Twilio has found out who answered a call: a person, or a machine. Pure.

Twilio listens for as long as a machine speaks, and tells what it heard when the machine has
finished: a beep, silence, or something else. Only that is believed. A person who pauses is at
times taken for a machine that begins to speak, which is another word, and ends no call.

Source: Twilio's documentation, answering machine detection (read in October 2026).
"""

from agent.persona.outbound import OnMachine

FINISHED = frozenset({"machine_end_beep", "machine_end_silence", "machine_end_other"})
"""A machine has finished speaking: now it records."""

FAX = "fax"


def act_on(answered_by: str, wanted: OnMachine) -> OnMachine:
    """What to do.

    Args:
        answered_by: Twilio's `AnsweredBy`.
        wanted: What the agent does when a machine has answered.

    Returns:
        ``"talk"``: nothing, the call goes on; ``"hang_up"``; or ``"voicemail"``: leave the message.
    """
    if answered_by == FAX:
        return "talk" if wanted == "talk" else "hang_up"
    return wanted if answered_by in FINISHED else "talk"
