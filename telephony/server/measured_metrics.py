"""The metrics of what is measured of calls: how soon callers are answered, and what they hear."""

from typing import assert_never

from prometheus_client import CollectorRegistry, Counter, Histogram

from telephony.call.figures import (
    Answered,
    Cut,
    Finding,
    Gap,
    Heard,
    HeldInVain,
    Silence,
    TalkedOver,
)

RESPONSE_BUCKETS_S = (0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 6, 10)
STAGE_BUCKETS_S = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 6, 10)
OVERLAP_BUCKETS_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5)
SILENCE_BUCKETS_S = (2.5, 3, 4, 5, 7.5, 10, 15, 20, 30, 60)
GAP_BUCKETS_S = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class MeasuredMetrics:
    """Counts findings. Their names begin with `offhook_`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def histogram(name: str, what: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(
                f"offhook_{name}_seconds", what, labels, buckets=buckets, registry=registry
            )

        self._response = histogram(
            "response",
            "Time from the end of a caller's speech to the first audio of the answer.",
            RESPONSE_BUCKETS_S,
        )
        self._ear_to_ear = histogram(
            "ear_to_ear",
            "Time from the end of a caller's speech to when the answer was heard, by its mark.",
            RESPONSE_BUCKETS_S,
        )
        self._stages = histogram(
            "response_stage",
            "The stages of that time: the model, sending, playing.",
            STAGE_BUCKETS_S,
            "stage",
        )
        self._talked_over = histogram(
            "talk_over", "How long caller and agent were heard at once.", OVERLAP_BUCKETS_S
        )
        self._held = histogram(
            "held_in_vain",
            "How long replies were held that then went on: the caller had said nothing.",
            OVERLAP_BUCKETS_S,
        )
        self._silence = histogram(
            "silence",
            "Silences of 2 s and more, by who had spoken last.",
            SILENCE_BUCKETS_S,
            "after",
        )
        self._gap = histogram(
            "reply_gap",
            "How long Twilio had nothing to play in the middle of a reply, by what was late.",
            GAP_BUCKETS_S,
            "late",
        )
        self._cut = Counter("offhook_barge_ins", "Replies that were cut.", registry=registry)

    def found(self, finding: Finding) -> None:
        """Count what was found of a call."""
        match finding:
            case Answered():
                self._response.observe(finding.response_ms / 1000)
                self._stages.labels("model").observe(finding.model_ms / 1000)
                self._stages.labels("sending").observe(finding.sending_ms / 1000)
            case Heard():
                self._ear_to_ear.observe(finding.ear_to_ear_ms / 1000)
                self._stages.labels("playing").observe(finding.playing_ms / 1000)
            case TalkedOver(ms):
                self._talked_over.observe(ms / 1000)
            case Cut():
                self._cut.inc()
            case HeldInVain(ms):
                self._held.observe(ms / 1000)
            case Silence(ms, after):
                self._silence.labels(after).observe(ms / 1000)
            case Gap(ms, late):
                self._gap.labels(late).observe(ms / 1000)
            case _:
                assert_never(finding)
