"""The reasons why a call ended on a worker: a closed set.

A reason is stored as `ended_reason`, is in recordings, and is a label of `offhook_calls_ended`.
"""

from enum import StrEnum

TERMINAL_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""Twilio's words for a call that is over."""

GOES_ON = "in-progress"
"""Twilio's word for a call that was answered and is not over."""

LOST = frozenset({"broken", "idle", "stuck"})
"""How a stream ends that nobody ended."""


class EndedReason(StrEnum):
    """The word for each way. `final` tells whether the call itself is over."""

    CALLER_HANGUP = "caller_hangup"
    """Twilio says that the call is over, or its stream stopped and no other followed."""

    CUT_OFF = "cut_off"
    """It is over and nobody ended it: its stream broke, or its worker died. Who dials again soon
    goes on."""

    FAILED = "failed"
    """A bug of ours ended it here; another worker may take it from what is stored."""

    HANDED_OVER = "handed_over"
    """This worker is to stop; another one goes on."""

    MODEL_QUOTA = "model_quota"
    """Too many sessions or requests for this key, three times in a row. The caller hears an
    apology, as with all that begin with `model`."""

    MODEL_REFUSED = "model_refused"
    """What was asked for is not to be had: the key, the model or the setup is not taken."""

    MODEL_UNAVAILABLE = "model_unavailable"
    """No session could be had within the budget."""

    MODEL_UNREACHABLE = "model_unreachable"
    """Its name is not found, or TLS fails."""

    NOT_ATTACHED = "not_attached"
    """A webhook came and no stream followed it here."""

    STREAM_LOST = "stream_lost"
    """The stream broke and none followed it here; the call may be back on another worker."""

    TAKEN_OVER = "taken_over"
    """Another worker has taken it."""

    TOO_MANY_RESUMES = "too_many_resumes"
    """Its stream breaks again and again; the caller hears an apology."""

    @property
    def final(self) -> bool:
        """True when the call itself is over; False when it goes on, or may go on, elsewhere."""
        return self in _FINAL


_FINAL = frozenset(
    {
        EndedReason.CALLER_HANGUP,
        EndedReason.CUT_OFF,
        EndedReason.MODEL_QUOTA,
        EndedReason.MODEL_REFUSED,
        EndedReason.MODEL_UNAVAILABLE,
        EndedReason.MODEL_UNREACHABLE,
        EndedReason.TOO_MANY_RESUMES,
    }
)


def over_after(how: str) -> EndedReason:
    """Why a call is over that Twilio says is over; `how` its stream ended, "" if it had not."""
    return EndedReason.CUT_OFF if how in LOST else EndedReason.CALLER_HANGUP
