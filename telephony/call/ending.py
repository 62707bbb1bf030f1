"""The reasons why a call ended on a worker: a closed set.

A reason is stored as `ended_reason`, is in recordings, and is a label of `offhook_calls_ended`.
"""

from enum import StrEnum

TERMINAL_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""Twilio's words for a call that is over."""

GOES_ON = "in-progress"
"""Twilio's word for a call that was answered and is not over."""

LOST = frozenset({"broken", "idle", "stuck"})
"""The ways in which a stream ends that neither side ended."""


class NotBegun(StrEnum):
    """The reasons why a call was not begun at all. No model was dialled for it; the reason is
    stored as its `ended_reason`."""

    BLOCKED = "blocked"
    """The agent's owner has blocked the caller. Of such a call nothing is posted."""

    CLOSED = "closed"
    """It came outside the agent's hours."""

    NO_BUDGET = "no_budget"
    """What the caller or all callers may cost in a day does not suffice for its first minute."""


class NotReached(StrEnum):
    """The reasons why a call that we placed reached nobody. No model was dialled for it."""

    BUSY = "busy"
    """Somebody is on the telephone, or has declined the call."""

    NO_ANSWER = "no_answer"
    """Nobody answered for as long as it rang."""

    UNREACHABLE = "unreachable"
    """The number cannot be reached; Twilio says `failed`."""

    CANCELED = "canceled"
    """The call was called off before anybody answered."""


NOT_REACHED = {
    "busy": NotReached.BUSY,
    "no-answer": NotReached.NO_ANSWER,
    "failed": NotReached.UNREACHABLE,
    "canceled": NotReached.CANCELED,
}
"""Twilio's words for a placed call that nobody answered."""


class EndedReason(StrEnum):
    """The reasons. `final` says whether the call itself is over."""

    AGENT_HANGUP = "agent_hangup"
    """The agent ended it, after its goodbye was heard."""

    CALLER_HANGUP = "caller_hangup"
    """Twilio says that the call is over, or its stream stopped and no other followed."""

    CUT_OFF = "cut_off"
    """Neither side ended it: its stream broke, or its worker died. A caller who dials again soon
    continues the conversation."""

    FAILED = "failed"
    """A bug of offhook ended it here; another worker may continue it from the stored data."""

    HANDED_OVER = "handed_over"
    """This worker stops, and another one continues the call."""

    LIMIT = "limit"
    """It lasted or cost as much as the persona allows, and the agent has said goodbye."""

    MACHINE = "machine"
    """An answering machine took a call that we placed, and the agent wants to leave no message."""

    MODEL_QUOTA = "model_quota"
    """The model's quota for this key was exceeded three times in a row. As for all reasons that
    begin with `model`, the caller is transferred or hears an apology."""

    MODEL_REFUSED = "model_refused"
    """Gemini refuses the key, the model or the setup."""

    MODEL_UNAVAILABLE = "model_unavailable"
    """No session could be opened within the time limit."""

    MODEL_UNREACHABLE = "model_unreachable"
    """Gemini's host name is not found, or TLS fails."""

    NOT_ATTACHED = "not_attached"
    """A webhook came, but no stream followed on this worker."""

    PUT_THROUGH = "put_through"
    """The agent lets the caller go, who is put through to somebody else; the call may come back."""

    SILENCE = "silence"
    """The caller said nothing, was asked whether they are still there, and said nothing."""

    STREAM_LOST = "stream_lost"
    """The stream broke, and no other followed here; the call may go on at another worker."""

    TAKEN_OVER = "taken_over"
    """Another worker has taken it."""

    TRANSFERRED = "transferred"
    """The agent put the caller through, and the call ended after that. Of a warm transfer, the
    target had accepted. Of another one, somebody had answered."""

    TOO_MANY_RESUMES = "too_many_resumes"
    """Its stream breaks again and again; the caller is transferred or hears an apology."""

    VOICEMAIL = "voicemail"
    """An answering machine took a call that we placed, and gets the agent's message."""

    @property
    def final(self) -> bool:
        """True when the call itself is over; False when it goes on, or may go on, elsewhere."""
        return self in _FINAL


_FINAL = frozenset(
    {
        EndedReason.AGENT_HANGUP,
        EndedReason.CALLER_HANGUP,
        EndedReason.CUT_OFF,
        EndedReason.LIMIT,
        EndedReason.MACHINE,
        EndedReason.MODEL_QUOTA,
        EndedReason.MODEL_REFUSED,
        EndedReason.MODEL_UNAVAILABLE,
        EndedReason.MODEL_UNREACHABLE,
        EndedReason.SILENCE,
        EndedReason.TOO_MANY_RESUMES,
        EndedReason.TRANSFERRED,
        EndedReason.VOICEMAIL,
    }
)


FOR_A_MACHINE = frozenset({EndedReason.MACHINE, EndedReason.VOICEMAIL})
"""How a call is to end that a machine has answered, unless that machine only screens calls."""


def over_after(how: str) -> EndedReason:
    """Why a call is over that Twilio says is over; `how` its stream ended, "" if it had not."""
    return EndedReason.CUT_OFF if how in LOST else EndedReason.CALLER_HANGUP
