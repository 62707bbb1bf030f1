"""What was measured of a call, as spans with the raw events that each figure comes from.

The figures are those of `telephony.call.measures`, which the log, the metrics and the call's record
have too. Here each gets its two ends.
"""

from collections.abc import Sequence
from typing import assert_never

from agent.conversation.events import Interrupted
from telephony.call.commands import MeasureReply, MeasureSpeech, SendClear, SendMedia
from telephony.call.events import LineLives, StreamStarted
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
from telephony.call.measures import Measures
from telephony.replay.recording import Step
from telephony.timeline.draft import Drafts
from telephony.timeline.lived import Lived
from telephony.timeline.model import Kind
from telephony.timeline.trail import Ref, Trail
from telephony.twilio.messages import Mark, Media

SOUND = (Media, LineLives)
"""What tells that the caller's line lives, and what is on it."""

PLAYED = (Mark, SendClear)
"""What tells that the agent was heard so far, and no further."""

_STARTED = (StreamStarted,)

CLOSE_MS = 20
"""A mark that came back so close to a moment tells of it."""

BEFORE_CLEAR_MS = 3_000
"""So long before a clear the caller may have begun to speak that it is for."""


class Measured:
    """Reads off what was measured on one worker.

    Args:
        worker: Its number.
        lived: What it lived.
        trail: The raw events of the whole call.
        drafts: Where it is drawn.
    """

    def __init__(self, worker: int, lived: Lived, trail: Trail, drafts: Drafts) -> None:
        self._worker, self._lived, self._trail, self._drafts = worker, lived, trail, drafts
        self._came: dict[int, Ref] = {}
        self._sent: dict[int, Ref] = {}
        self._cuts: list[int] = []
        self._speech: list[MeasureSpeech] = []
        self._spoken: list[MeasureSpeech] = []

    def draw(self) -> None:
        """Draw all of it."""
        measures = Measures()
        for number, step in enumerate(self._lived.steps):
            self._note(number, step)
            for finding in measures.step(step.event, step.now_ms, step.commands):
                self._draw(finding, number, step)
        for at_ms in self._cuts:
            self._draw_cut(at_ms)

    def _note(self, number: int, step: Step) -> None:
        self._spoken = []
        for place, command in enumerate(step.commands, 1):
            match command:
                case MeasureReply(reply=reply):
                    self._came[reply] = Ref(self._worker, number, 0)
                case SendMedia(reply=reply) if reply and reply not in self._sent:
                    self._sent[reply] = Ref(self._worker, number, place)
                case MeasureSpeech():
                    self._spoken.append(command)
                case _:
                    pass
        self._speech += self._spoken

    def _draw(self, finding: Finding, number: int, step: Step) -> None:
        match finding:
            case Answered():
                self._draw_answered(finding, step.now_ms)
            case Heard():
                self._draw_heard(finding, Ref(self._worker, number, 0))
            case TalkedOver():
                self._draw_talk_over(finding)
            case Cut():
                self._cuts.append(finding.at_ms)
            case HeldInVain():
                began_ms = step.now_ms - finding.ms
                refs = (self._near(began_ms, SendClear), self._media(number, step))
                self._figure("hold", began_ms, step.now_ms, refs, "held, and gone on with")
            case Silence():
                self._draw_silence(finding, number, step)
            case Gap():
                began_ms = step.now_ms - finding.ms
                refs = (self._played(began_ms), self._media(number, step))
                self._figure("gap", began_ms, step.now_ms, refs, f"the {finding.late} was late")
            case _:
                assert_never(finding)

    def _draw_answered(self, answer: Answered, now_ms: int) -> None:
        ended_ms, came_ms = now_ms - answer.response_ms, now_ms - answer.sending_ms
        ended, came = self._near(ended_ms, *SOUND), self._came.get(answer.reply)
        sent, label = self._sent.get(answer.reply), f"reply {answer.reply}"
        self._add("model", ended_ms, came_ms, (ended, came), label)
        self._add("sending", came_ms, now_ms, (came, sent), label)
        self._figure("response", ended_ms, now_ms, (ended, sent), label)

    def _draw_heard(self, heard: Heard, mark: Ref) -> None:
        answer, label = heard.answer, f"reply {heard.answer.reply}"
        sent = self._sent.get(answer.reply)
        if sent is None:
            return
        sent_ms = self._lived.steps[sent.step].now_ms
        ended_ms, heard_ms = sent_ms - answer.response_ms, sent_ms + heard.playing_ms
        ended = self._near(ended_ms, *SOUND)
        self._add("playing", sent_ms, heard_ms, (sent, mark), label)
        self._figure("heard", ended_ms, heard_ms, (ended, sent, mark), label)

    def _draw_talk_over(self, found: TalkedOver) -> None:
        until_ms = found.from_ms + found.ms
        by_caller = any(said.began_ms == found.from_ms for said in self._spoken)
        to_caller = any(said.ended_ms == until_ms for said in self._spoken)
        begins = self._near(found.from_ms, *(SOUND if by_caller else (SendMedia,)))
        ends = self._near(until_ms, *SOUND) if to_caller else self._played(until_ms)
        self._figure("talk_over", found.from_ms, until_ms, (begins, ends), "both spoke")

    def _draw_silence(self, found: Silence, number: int, step: Step) -> None:
        until_ms = found.from_ms + found.ms
        if found.after == "agent":
            begins = self._played(found.from_ms)
        else:
            begins = self._near(found.from_ms, *(SOUND if found.after == "caller" else _STARTED))
        if any(said.began_ms == until_ms for said in self._spoken):
            ends = self._near(until_ms, *SOUND)
        else:
            ends = self._media(number, step) or Ref(self._worker, number, 0)
        after = "" if found.after == "nobody" else f"after the {found.after}"
        self._figure("silence", found.from_ms, until_ms, (begins, ends), after or "nobody spoke")

    def _draw_cut(self, at_ms: int) -> None:
        """A barge-in lasts from when the caller began to speak to the clear."""
        clear = self._near(at_ms, SendClear)
        lately = [
            said
            for said in self._speech
            if at_ms - BEFORE_CLEAR_MS <= said.began_ms <= at_ms <= said.ended_ms + BEFORE_CLEAR_MS
        ]
        if lately:
            began_ms = max(said.began_ms for said in lately)
            first = self._near(began_ms, *SOUND)
        else:
            began_ms, first = at_ms, None
        interrupted = self._near(at_ms, Interrupted)
        if interrupted is not None and self._ms(interrupted) - at_ms not in range(-300, 1):
            interrupted = None
        refs = (first, interrupted, clear)
        self._figure("barge_in", began_ms, at_ms, refs, "the agent was stopped")

    def _media(self, number: int, step: Step) -> Ref | None:
        """The first audio of a reply that was sent in a step."""
        for place, command in enumerate(step.commands, 1):
            if isinstance(command, SendMedia) and command.reply:
                return Ref(self._worker, number, place)
        return None

    def _played(self, ms: int) -> Ref | None:
        """What tells that the agent was heard until then: a mark or a clear, or else what was sent
        last, which was played to its end by then.
        """
        found = self._near(ms, *PLAYED)
        if found is not None and abs(self._ms(found) - ms) <= CLOSE_MS:
            return found
        return self._trail.before(self._lived.opened_ms + ms, SendMedia, worker=self._worker)

    def _ms(self, ref: Ref) -> int:
        return self._lived.steps[ref.step].now_ms

    def _near(self, ms: int, *kinds: type) -> Ref | None:
        return self._trail.nearest(self._lived.opened_ms + ms, *kinds, worker=self._worker)

    def _add(
        self, kind: Kind, from_ms: int, until_ms: int, refs: Sequence[Ref | None], text: str
    ) -> None:
        base = self._lived.opened_ms
        self._drafts.add(kind, base + from_ms, base + until_ms, refs, text=text)

    def _figure(
        self, kind: Kind, from_ms: int, until_ms: int, refs: Sequence[Ref | None], label: str
    ) -> None:
        base = self._lived.opened_ms
        self._drafts.figure(kind, base + from_ms, base + until_ms, refs, label=label)
