"""What was said: speech, replies, turns, and each word where it was heard.

The agent's words have their places by the text that came with the audio, as `conversation.words`
places them; what was never heard stands where it would have been. The caller's words come without
times: they are spread evenly over the speech that the ear heard.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from agent.conversation import words
from agent.conversation.commands import AppendLine
from agent.conversation.events import CallerSaid
from agent.conversation.transcript import Line
from telephony.call.commands import MeasureSpeech
from telephony.call.events import LineLives
from telephony.timeline.draft import Drafts
from telephony.timeline.ear import Ear, Number
from telephony.timeline.lived import Generated, Lived
from telephony.timeline.model import Speaker
from telephony.timeline.trail import Ref, Trail
from telephony.twilio.messages import Media

WORD = re.compile(r"\S+")

BEGUN_MS = 500
"""So much earlier than its line the speech may begin that the line is of."""


@dataclass(slots=True)
class Spoken:
    """A turn while it is collected; its `refs` are what it comes from, `at_ms` when it began."""

    line: Line
    role: Speaker
    at_ms: int
    from_ms: float
    until_ms: float
    refs: list[Ref] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Speech:
    from_ms: int
    until_ms: int
    refs: tuple[Ref | None, ...]


class Sayings:
    """Reads off what was said.

    Args:
        lived: The call, by worker.
        trail: Its raw events.
        ear: What was heard of the agent.
    """

    def __init__(self, lived: Sequence[Lived], trail: Trail, ear: Ear) -> None:
        self._lived, self._trail, self._ear = lived, trail, ear
        self._speech = list(self._all_speech())
        self._written_ms = {
            line.n: lived[worker].opened_ms + lived[worker].steps[ref.step].now_ms
            for worker, ref, line in self._lines()
        }
        self._replies = {
            (worker, number): reply
            for worker, each in enumerate(lived)
            for number, reply in each.replies.items()
        }
        self._untold = dict(self._replies)

    def draw(self, drafts: Drafts) -> list[Spoken]:
        """Draw all of it. Returns the turns, in order of their lines."""
        turns = [self._turn(worker, ref, line) for worker, ref, line in self._lines()]
        turn_of: dict[Number, int] = {}
        callers = [turn for turn, _ in turns if turn.role == "caller"]
        for turn, reply in turns:
            if reply is not None:
                turn_of[reply] = turn.line.n
                self._draw_words(turn, reply, drafts)
            elif turn.role == "caller":
                self._draw_callers_words(turn, callers, drafts)
        for speech in self._speech:
            turn_n = next((t.line.n for t in callers if speech in self._speech_of(t, callers)), 0)
            drafts.add("speech", speech.from_ms, speech.until_ms, speech.refs, turn=turn_n)
        for number in self._ear.replies:
            for run in self._ear.runs(number):
                until_ms = run[-1].heard_ms + run[-1].ms
                refs = [piece.ref for piece in run]
                if number[1] == 0:
                    drafts.add("wait", run[0].heard_ms, until_ms, refs, text="please wait")
                    continue
                turn_n = turn_of.get(number, 0)
                text = f"reply {number[1]}"
                drafts.add("reply", run[0].heard_ms, until_ms, refs, text=text, turn=turn_n)
        return [turn for turn, _ in turns]

    def _all_speech(self) -> Iterator[_Speech]:
        for each in self._lived:
            for step in each.steps:
                for command in step.commands:
                    if isinstance(command, MeasureSpeech):
                        begins = each.opened_ms + command.began_ms
                        ends = each.opened_ms + command.ended_ms
                        sound = (Media, LineLives)
                        first = self._trail.nearest(begins, *sound)
                        yield _Speech(begins, ends, (first, self._trail.nearest(ends, *sound)))

    def _lines(self) -> Iterator[tuple[int, Ref, Line]]:
        for worker, each in enumerate(self._lived):
            for number, step in enumerate(each.steps):
                for place, command in enumerate(step.commands, 1):
                    if isinstance(command, AppendLine):
                        yield worker, Ref(worker, number, place), command.line

    def _turn(self, worker: int, ref: Ref, line: Line) -> tuple[Spoken, Number | None]:
        at_ms = self._lived[worker].at_ms(line)
        turn = Spoken(line, line.role, at_ms, at_ms, at_ms, [ref])
        if line.role == "caller":
            return turn, None
        reply = self._reply_of(worker, line)
        if reply is not None:
            del self._untold[reply]
            runs = list(self._ear.runs(reply))
            if runs:
                turn.from_ms = runs[0][0].heard_ms
                turn.until_ms = runs[-1][-1].heard_ms + runs[-1][-1].ms
                turn.refs += [piece.ref for run in runs for piece in run]
        return turn, reply

    def _reply_of(self, worker: int, line: Line) -> Number | None:
        """Which reply a line is of: that with its words which began closest to it."""
        lived = self._lived[worker]
        began_ms = lived.at_ms(line) - lived.opened_ms
        alike = [
            (abs(its.reply.began_ms - began_ms), number)
            for number, its in self._untold.items()
            if number[0] == worker and its.reply.text == line.text
        ]
        return min(alike, default=(0, None))[1]

    # The agent's words.

    def _draw_words(self, turn: Spoken, number: Number, drafts: Drafts) -> None:
        its = self._replies[number]
        heard_words = len(turn.line.heard.split())
        for n, (text, from_ms, until_ms, said) in enumerate(_words_of(its)):
            begins, ends = self._ear.when(number, from_ms), self._ear.when(number, until_ms)
            said_ref = Ref(number[0], said, 0)
            if n < heard_words and begins is not None and ends is not None:
                refs = (said_ref, begins[1], ends[1])
                drafts.add("word", begins[0], ends[0], refs, text=text, turn=turn.line.n)
                continue
            # It was not heard: it stands where it would have been.
            late_ms = self._lived[number[0]].opened_ms + its.reply.began_ms
            at_ms = late_ms + from_ms if begins is None else begins[0]
            until = at_ms + until_ms - from_ms
            drafts.add("unheard", at_ms, until, (said_ref,), text=text, turn=turn.line.n)

    # The caller's words.

    def _speech_of(self, turn: Spoken, callers: Sequence[Spoken]) -> list[_Speech]:
        """The speech that a line of the caller's is of: from there to the caller's next line."""
        later = [each.at_ms for each in callers if each.at_ms > turn.at_ms]
        ends = min(later, default=None)
        return [
            speech
            for speech in self._speech
            if speech.until_ms > turn.at_ms
            and speech.from_ms < self._written_ms[turn.line.n]
            and speech.from_ms >= turn.at_ms - BEGUN_MS
            and (ends is None or speech.from_ms < ends - BEGUN_MS)
        ]

    def _draw_callers_words(self, turn: Spoken, callers: Sequence[Spoken], drafts: Drafts) -> None:
        speech = self._speech_of(turn, callers)
        now_ms = self._written_ms[turn.line.n]
        before = [self._written_ms[c.line.n] for c in callers if c.line.n < turn.line.n]
        since_ms = max(before, default=-1)
        said = [ref for at, ref in self._trail.all_of(CallerSaid) if since_ms < at <= now_ms]
        turn.refs += said
        if not speech:
            return
        turn.refs += [ref for each in speech for ref in each.refs if ref is not None]
        turn.from_ms, turn.until_ms = speech[0].from_ms, speech[-1].until_ms
        together = sum(each.until_ms - each.from_ms for each in speech)
        length = len(turn.line.text)
        for match in WORD.finditer(turn.line.text):
            begins = _along(speech, together * match.start() / length)
            ends = max(begins, _along(speech, together * match.end() / length))
            inside = next((s for s in reversed(speech) if s.from_ms <= begins), speech[0])
            drafts.add("word", begins, ends, (*said, *inside.refs), text=match[0], turn=turn.line.n)


def _along(speech: Sequence[_Speech], ms: float) -> float:
    """When so much had been spoken of some speech."""
    for each in speech:
        if ms <= each.until_ms - each.from_ms:
            return each.from_ms + ms
        ms -= each.until_ms - each.from_ms
    return speech[-1].until_ms


def _words_of(its: Generated) -> Iterator[tuple[str, float, float, int]]:
    """Each word of a reply: its text, where in the audio it begins and ends, in ms, and the step in
    which it came.
    """
    reply = its.reply
    runs = words.spans(reply.pieces, reply.received_ms, complete=not reply.receiving)
    whole, step_of = "", list[int]()
    for (_, piece), step in zip(reply.pieces, its.said, strict=False):
        whole += piece
        step_of += [step] * len(piece)
    for match in WORD.finditer(whole):
        from_ms, until_ms = _place(runs, match.start()), _place(runs, match.end())
        yield match[0], from_ms, max(from_ms, until_ms), step_of[match.start()]


def _place(runs: Sequence[tuple[float, float, int]], chars: int) -> float:
    """Where in the audio so many characters had been said."""
    for start_ms, end_ms, length in runs:
        if chars <= length:
            return start_ms + (end_ms - start_ms) * (chars / length if length else 0)
        chars -= length
    return runs[-1][1] if runs else 0.0
