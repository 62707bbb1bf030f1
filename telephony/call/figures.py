"""What is found of a call while it is measured (`measures`), and the figures that come of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Literal, assert_never

type Late = Literal["model", "mark", "worker"]
type Speaker = Literal["caller", "agent", "nobody"]


@dataclass(frozen=True, slots=True)
class Answered:
    """The first audio of an answer was sent.

    Args:
        reply: Its number.
        model_ms: From the end of the caller's speech to the model's first audio.
        sending_ms: From there to the first media.
    """

    reply: int
    model_ms: int
    sending_ms: int

    @property
    def response_ms(self) -> int:
        """From the end of the caller's speech to the first media."""
        return self.model_ms + self.sending_ms


@dataclass(frozen=True, slots=True)
class Heard:
    """The first audio of an answer was heard.

    Args:
        answer: What was known when it was sent.
        playing_ms: From the first media to when it was heard.
    """

    answer: Answered
    playing_ms: int

    @property
    def ear_to_ear_ms(self) -> int:
        """From the end of the caller's speech to when the answer was heard."""
        return self.answer.response_ms + self.playing_ms


@dataclass(frozen=True, slots=True)
class TalkedOver:
    """The caller and the agent were heard at once.

    Args:
        ms: For how long.
        from_ms: Since when, in the call's time.
    """

    ms: int
    from_ms: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A reply that may have been heard was stopped, and was not gone on with.

    Args:
        at_ms: When it was stopped, in the call's time: when the clear was sent.
    """

    at_ms: int


@dataclass(frozen=True, slots=True)
class HeldInVain:
    """A reply was gone on with after it was stopped; the agent was silent for so long."""

    ms: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Neither side spoke for so long, 2 s at least; a sound that asks to wait is no speech.

    Args:
        ms: How long.
        after: Who had spoken last on this stream.
        from_ms: Since when, in the call's time.
    """

    ms: int
    after: Speaker
    from_ms: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Twilio had nothing to play in the middle of a reply, as far as it is known here.

    Args:
        ms: For how long.
        late: What was late: the model's audio; the mark that would have told how much was played;
            or this worker, which had audio and was not called in time to send it.
    """

    ms: int
    late: Late


type Finding = Answered | Heard | TalkedOver | Cut | HeldInVain | Silence | Gap


@dataclass(slots=True)
class Figures:
    """The figures of one call on one worker.

    Args:
        turns: How many replies were begun.
        response_ms: Of each answer, `Answered.response_ms`.
        ear_to_ear_ms: Of each answer that was heard, `Heard.ear_to_ear_ms`.
        talked_over_ms: How long both sides were heard at once.
        barge_ins: How many replies were cut.
        held_in_vain: How many were held and gone on with.
        silence_ms: Each silence of 2 s and more.
        gap_ms: Each gap in a reply.
    """

    turns: int = 0
    response_ms: list[int] = field(default_factory=list)
    ear_to_ear_ms: list[int] = field(default_factory=list)
    talked_over_ms: int = 0
    barge_ins: int = 0
    held_in_vain: int = 0
    silence_ms: list[int] = field(default_factory=list)
    gap_ms: list[int] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Count what was found."""
        match finding:
            case Answered():
                self.response_ms.append(finding.response_ms)
            case Heard():
                self.ear_to_ear_ms.append(finding.ear_to_ear_ms)
            case TalkedOver(ms):
                self.talked_over_ms += ms
            case Cut():
                self.barge_ins += 1
            case HeldInVain():
                self.held_in_vain += 1
            case Silence(ms):
                self.silence_ms.append(ms)
            case Gap(ms=ms):
                self.gap_ms.append(ms)
            case _:
                assert_never(finding)

    def short(self) -> dict[str, int]:
        """What is logged and stored: counts, sums and percentiles; those not known are left out."""
        told = {"turns": self.turns}
        for name, values in (("response", self.response_ms), ("heard", self.ear_to_ear_ms)):
            if values:
                told[f"{name}_p50_ms"] = percentile(values, 50)
                told[f"{name}_p95_ms"] = percentile(values, 95)
        return told | {
            "barge_ins": self.barge_ins,
            "held_in_vain": self.held_in_vain,
            "talked_over_ms": self.talked_over_ms,
            "silences": len(self.silence_ms),
            "silence_ms": sum(self.silence_ms),
            "gaps": len(self.gap_ms),
        }


def percentile(values: Sequence[int], percent: int) -> int:
    """The smallest of the values that so many per cent of them do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else 0
