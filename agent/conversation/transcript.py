"""What was said, as append-only lines.

A line is written once, when it is final, and never changes afterwards. The caller's is when the
agent's reply to it begins; if the last words of it had not come by then, when that reply is. The
agent's is when its reply was heard to the end or was cut; or a little later, while the rest of the
question that it answers still comes. While a reply plays, its entry keeps what was generated; the
line's `heard` is cut at what was heard.

The transcript also knows which lines a resumed model session lacks. A turn is answered when its
reply was received whole, or was talked over; what the caller said since is sent again as audio,
so its lines are not given to the session as text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from agent.conversation.onset import WORD_MS, Onset
from agent.conversation.pieces import PIECES_APART_MS, Pieces
from agent.conversation.reply import Reply
from agent.conversation.words import without_repetition

LATELY = 4
"""How many utterances of each side may be said again."""

UNWRITTEN = "…"
"""What stands in the transcript for words that were spoken and not transcribed."""

type Role = Literal["caller", "agent"]


@dataclass(frozen=True, slots=True)
class Line:
    """One final entry of the transcript.

    Args:
        n: Number of the line in the call, from 1, without gaps, over all workers.
        role: Who spoke.
        text: What was said. For the agent: all that was generated, also what nobody heard.
        heard: What the other side heard of it. For the agent: `text` cut at the word the
            caller was hearing when the reply was cut. For the caller: the same as `text`.
        at_ms: When the utterance began, in ms since the call was opened on its first worker: the
            caller's by the sound on the line, the agent's when its first audio came.
        epoch: Which ownership of the call wrote the line; 0 for what was said in an earlier call
            of the caller, which was cut off.
    """

    n: int
    role: Role
    text: str
    heard: str
    at_ms: int
    epoch: int


class Transcript:
    """The lines of a conversation, and the entries that are still open.

    Args:
        lines: What earlier workers wrote, in order.
        known_lines: How many of these the resumable session knows.
        elapsed_ms: How long the call had lasted when this worker opened it; added to `now_ms`.
        onset: When the caller was heard.
    """

    def __init__(
        self, lines: Iterable[Line], known_lines: int, elapsed_ms: int, onset: Onset
    ) -> None:
        self.lines = list(lines)
        self.epoch = 0
        self._elapsed_ms = elapsed_ms
        self._inherited = len(self.lines)
        self._left_open: tuple[str, int] | None = None
        self._told_ms = [-1] * self._inherited
        self.replies: list[Reply] = []  # that are no line yet
        self._onset = onset
        self._over: list[tuple[str, str, int]] = []
        """Of each reply that is over and no line yet: its text, what was heard, when it began."""
        self._pieces = Pieces()
        self._caller_began_ms = self._caller_told_ms = 0
        self._said_before = ""
        self._answered_ms, self._over_by_ms = -1, 0
        self._answered_by_session = False
        self._known_inherited = min(known_lines, self._inherited)
        self._known_ms = -1

    def elapsed_ms(self, now_ms: int) -> int:
        """Time since the call was opened on its first worker."""
        return self._elapsed_ms + now_ms

    def owned(self, epoch: int) -> None:
        """What is written from now on is written under this ownership."""
        self.epoch = epoch

    # What an earlier worker left.

    def left_open(self, words: str, began_ms: int) -> None:
        """The caller's last words, which began `began_ms` into the call, are no line yet."""
        self._left_open = words, began_ms

    def take_up(self) -> list[Line]:
        """What was left open becomes a line, as if the earlier worker had written it."""
        if self._left_open is None:
            return []
        line = self._line_left_open()
        self._left_open = None
        self.lines.append(line)
        self._told_ms.append(-1)
        self._inherited += 1
        return [line]

    def _line_left_open(self) -> Line:
        words, began_ms = self._left_open or ("", 0)
        return Line(len(self.lines) + 1, "caller", words, words, began_ms, self.epoch)

    # The agent's entries.

    def begin(self, reply: Reply) -> None:
        """A reply comes."""
        self.replies.append(reply)

    def finish(self, reply: Reply, now_ms: int) -> list[Line]:
        """It will not be heard further: make it a line.

        A question that was transcribed only while its answer came is a line before it. If its rest
        still comes, piece by piece, both are lines when it has (`settle`), after a second at most.
        """
        self.replies.remove(reply)
        if not self._over:
            self._over_by_ms = now_ms + PIECES_APART_MS
        self._over.append((reply.text, reply.heard_text, reply.began_ms))
        if self._caller_told_ms > reply.began_ms:
            return self._finish_over()
        return self.settle(now_ms)

    def _finish_over(self) -> list[Line]:
        over, self._over = self._over, []
        out: list[Line] = []
        for text, heard, at_ms in over:
            out += self._append("agent", text, heard, told_ms=at_ms, began_ms=at_ms)
        return out

    # The caller's entry.

    def caller_said(self, text: str, told_ms: int, now_ms: int | None = None) -> None:
        """A piece of the caller's words has come, or counts as having come, at `told_ms`; in truth
        at `now_ms`, if that is another time.
        """
        if not self._pieces.text:
            self._caller_told_ms = told_ms
            self._caller_began_ms = self._onset.of_words(told_ms, again=bool(self._said_before))
        self._pieces.add(text, told_ms if now_ms is None else now_ms)

    @property
    def open_words(self) -> tuple[str, int | None]:
        """The caller's words that are no line yet, and when they began, in ms into the call."""
        words = self._pieces.words
        return words, self.elapsed_ms(self._caller_began_ms) if words else None

    @property
    def caller_is_written(self) -> bool:
        """Whether the caller's last words are known: they are open here, or the last line."""
        return bool(self._pieces.words) or [x.role for x in self.lines[-1:]] == ["caller"]

    @property
    def last_said_ms(self) -> int | None:
        """When the last reply that was heard began, in ms since the conversation began, or None."""
        said = (line.at_ms for line in reversed(self.lines) if line.role == "agent" and line.heard)
        return next(said, None)

    @property
    def question_is_written(self) -> bool:
        """Whether what the caller said last stands here, be it before an answer that was cut."""
        last = self.lines[-1] if self.lines else None
        cut = last is not None and last.role == "agent" and last.heard != last.text
        if self.caller_is_written or last is None or not cut:
            return self.caller_is_written
        return self._onset.sounded_since(last.at_ms - self.elapsed_ms(0)) < WORD_MS

    @property
    def wordless(self) -> bool:
        """Whether there is no line, and none will be of a reply."""
        return not (self.lines or self.replies or self._over)

    @property
    def rest_by_ms(self) -> int | None:
        """By when the rest of the caller's words has come, if any is to come, or None."""
        return self._pieces.rest_by_ms

    def deadline_ms(self) -> int | None:
        """When `settle` is due, or None."""
        next_by_ms = self._pieces.next_by_ms if self._over else None
        return None if next_by_ms is None else min(next_by_ms, self._over_by_ms) + 1

    def settle(self, now_ms: int | None = None) -> list[Line]:
        """Replies whose question still came when they were over become lines, once it has come by
        the pace of its pieces; or now, if no time is given: what comes is another utterance.
        """
        due_ms = self.deadline_ms()
        waits = now_ms is not None and due_ms is not None and now_ms < due_ms
        return self.finish_caller() if self._over and not waits else []

    def finish_question(self, now_ms: int) -> list[Line]:
        """The answer begins: what the caller has said so far becomes a line, unless the rest of it
        may still come; then it does with its answer.
        """
        return [] if self._pieces.go_on(now_ms) else self.finish_caller()

    def finish_caller(self) -> list[Line]:
        """What the caller said becomes a line, less what was one before; and what waits for it."""
        text = self._pieces.take()
        if text and self._said_before:
            text = without_repetition(self._said_before, text)
            self._said_before = ""
        told_ms, began_ms = self._caller_told_ms, self._caller_began_ms
        said = self._append("caller", text, text, told_ms=told_ms, began_ms=began_ms)
        return said + self._finish_over()

    def expect_repetition(self) -> None:
        """The caller's unanswered audio will be sent, and so transcribed, again."""
        pairs = zip(self.lines, self._told_ms, strict=True)
        unanswered = [
            line.text
            for line, told_ms in pairs
            if line.role == "caller" and told_ms > self._answered_ms
        ]
        self._said_before = " ".join(unanswered)

    def lately(self, role: Role) -> list[str]:
        """What one side said in the last answered turns, also of an answer that is still heard."""
        pairs = zip(self.lines, self._told_ms, strict=True)
        said = [x.text for x, told_ms in pairs if x.role == role and told_ms <= self._answered_ms]
        if role == "agent":
            replies = (reply for reply in self.replies if not reply.receiving)
            said += [reply.text for reply in replies if reply.began_ms <= self._answered_ms]
        return said[-LATELY:]

    # What a model session knows.

    def answered_up_to(self, reply_began_ms: int) -> None:
        """A reply that began then has answered all that was said before."""
        self._answered_ms = max(self._answered_ms, reply_began_ms)
        self._answered_by_session = True

    def session_opened(self, *, fresh: bool) -> None:
        """A new session knows what its handle knew, or nothing."""
        self._answered_by_session = False
        if fresh:
            self._known_inherited, self._known_ms = 0, -1

    def handed_out(self) -> None:
        """A handle was given out. It holds what the session answered; lines that were given to
        the session as text are sure to be in it only once it has answered something.
        """
        if self._answered_by_session:
            self._known_inherited, self._known_ms = self._inherited, self._answered_ms

    @property
    def known_lines(self) -> int:
        """How many lines, from the first, the resumable session knows."""
        count = self._known_inherited
        if count == self._inherited:
            for told_ms in self._told_ms[count:]:
                if told_ms > self._known_ms:
                    break
                count += 1
        return count

    def unknown(self) -> tuple[Line, ...]:
        """The answered lines that a session resumed from the handle lacks; of a fresh one, all.

        With them a reply that was received whole and is still being heard.
        """
        lines = [
            line
            for i, (line, told_ms) in enumerate(zip(self.lines, self._told_ms, strict=True))
            if (i >= self._known_inherited if i < self._inherited else told_ms > self._known_ms)
            and told_ms <= self._answered_ms
        ]
        for reply in self.replies:
            whole = not reply.receiving and reply.text
            if whole and self._known_ms < reply.began_ms <= self._answered_ms:
                at_ms = self.elapsed_ms(reply.began_ms)
                n = len(self.lines) + 1
                lines.append(Line(n, "agent", reply.text, reply.text, at_ms, self.epoch))
        if self._left_open is not None:
            lines.append(self._line_left_open())
        return tuple(lines)

    def _append(
        self, role: Role, text: str, heard: str, *, told_ms: int, began_ms: int
    ) -> list[Line]:
        """Write a line. What it is an answer to, or is answered by, goes by when it was told."""
        if not text:
            return []
        at_ms = self.elapsed_ms(began_ms)
        line = Line(len(self.lines) + 1, role, text, heard, at_ms, self.epoch)
        self.lines.append(line)
        self._told_ms.append(told_ms)
        return [line]
