"""The turns of one session, from the question to the answer that is kept in memory.

    asked ──▶ thought about ──think_ms──▶ said ──▶ generated ──assumed playback──▶ complete
                │ taken back: speech        │ interrupted: speech, activityStart,
                ▼ began again               ▼ clientContent
              asked, with more            complete 5 ms later; kept as far as it was sent

When a turn is over, its question and answer enter the memory; the handle comes after that. So a
handle never stands for the middle of a turn.

Source: order and times of gemini-3.8-live traces (interrupted → turnComplete + usage 5 ms later, no
generationComplete; otherwise turnComplete + usage at the end of the assumed playback, then the
handle).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import ceil

from agent.conversation.persona import goes_on, words_of
from agent.simulator import server_messages as say
from agent.simulator.agenda import Agenda
from agent.simulator.calls import Calls, known, told_in
from agent.simulator.client_messages import ToolResult
from agent.simulator.memory import CHARS_PER_TOKEN, Entry, Memory
from agent.simulator.reply import Asked, Piece, Reply, after, pieces
from agent.simulator.script import Call, TimedFault, Turn
from agent.simulator.server_messages import Message, Send
from agent.simulator.service import Service
from agent.simulator.voice import WORDS, agent_clip, texts

COMPLETE_AFTER_INTERRUPTED_MS = 5

IN_PROGRESS_MS = (500, 2_000)
"""When the first turn is closed as IN_PROGRESS, and how long after it the next."""


class Turns:
    """The turns of one session: who speaks, and how each turn ends.

    Attributes:
        memory: The history up to the last complete turn.
        short_turn_ms: If not None, the next turn is complete after this much audio.
        sent_ms: How much reply audio was sent in all.
        generated_ms: When the last generationComplete was sent, or None.
    """

    def __init__(
        self,
        service: Service,
        memory: Memory,
        agenda: Agenda,
        send: Send,
        plan: Callable[[tuple[TimedFault, ...], int], None],
        *,
        transcribe: bool,
        tools: Mapping[str, bool] | None = None,
    ) -> None:
        self.memory = memory
        self.short_turn_ms: int | None = None
        self.sent_ms = 0.0
        self.generated_ms: int | None = None
        self._service = service
        self._behaviour = service.behaviour
        self._agenda = agenda
        self._send = send
        self._plan = plan
        self._transcribe = transcribe
        self._calls = Calls(service, tools or {}, send)
        self._result_tokens = 0
        self._asked: list[Asked] = []
        self._reply: Reply | None = None
        self._turn = 0
        self._listening = False
        self._kept_silent = False
        self._thinking = False
        self._later: list[Asked] = []

    @property
    def blocked(self) -> bool:
        """Whether a BLOCKING call has no result."""
        return self._calls.blocks

    def transcription(self, asked: Asked) -> str:
        """The transcription of this: the script's, or else the words that were understood."""
        return self._choose([*self._asked, asked]).hear or asked.text

    def listen(self) -> None:
        """The user begins to speak. A question in thought is answered together with the new one."""
        self._listening = True
        if self._calls.blocks:
            self._calls.cancel(all_of_them=False)
            self._send(say.turn_complete(self.memory.tokens, 0))
        if self._reply is None:
            self._thinking = False
            self._agenda.strike(self._turn)

    def ask(self, asked: Asked, now_ms: int) -> None:
        """Think about this, and answer it, after a reply in progress."""
        self._listening = False
        if self._thinking and asked.duration_ms is None:
            match self._behaviour.text_in_thought:
                case "joins":
                    self._asked.append(asked)
                    return
                case "follows":
                    self._later.append(asked)
                    return
                case "restarts":
                    pass
        self._asked.append(asked)
        if self._reply is None and not self._calls.blocks:
            self._think(now_ms)

    def result(self, result: ToolResult, now_ms: int) -> None:
        """The client answers a call."""
        if self._behaviour.tool_use_tokens:
            self._result_tokens += len(json.dumps(result.response)) // CHARS_PER_TOKEN
        match self._calls.result(result):
            case "interim" if result.scheduling != "SILENT":
                late = Turn(self._service.script.on_text)
                self._calls.results.append((late, result.scheduling == "INTERRUPT"))
            case "silent" if self._reply is None and not self._asked:
                self._go_on(now_ms)
        self._speak_of_results(now_ms)

    def _speak_of_results(self, now_ms: int) -> None:
        """Speak of a result, as soon as nobody else speaks."""
        if not self._calls.results or self._listening or self._thinking or self._calls.blocks:
            return
        answer, interrupts = self._calls.results[0]
        if self._reply is not None:
            if interrupts:
                self._cut(self._reply, now_ms)  # which goes on with the result
            return
        self._turn += 1
        self._thinking = True
        due_ms = now_ms + self._service.pick_ms(self._behaviour.think_ms)
        self._agenda.note(due_ms, partial(self._begin_result, answer), self._turn)

    def _begin_result(self, answer: Turn, now_ms: int) -> None:
        self._calls.results.pop(0)
        self._thinking = False
        self._speak(answer, now_ms)

    def interrupt(self, now_ms: int, *, after_ms: int = 0) -> None:
        """Cut off the reply in progress, if there is one."""
        if (reply := self._reply) is None:
            return
        if after_ms:
            self._agenda.note(now_ms + after_ms, partial(self._cut, reply))
        else:
            self._cut(reply, now_ms)

    def interrupt_nothing(self, now_ms: int) -> None:
        """Send an `interrupted` without a cause; a reply in progress is cut off."""
        if self._reply is not None:
            self._cut(self._reply, now_ms)
            return
        self._send(say.server_content(interrupted=True))
        over = say.turn_complete(self.memory.tokens, 0, self.memory.audio_tokens)
        self._agenda.note(now_ms + COMPLETE_AFTER_INTERRUPTED_MS, partial(self._send_at, over))

    def append(self, entries: list[Entry]) -> None:
        """Add turns to the history as if they had happened."""
        for entry in entries:
            self.memory = self.memory.with_entry(entry.role, entry.text)

    def offer_handle(self, now_ms: int) -> None:
        """Send a handle for the present history, unless a reply has begun since."""
        if self._reply is None and not self._calls.any_open:
            self._send(say.handle_update(self._service.handles.issue(self.memory, now_ms)))

    def _answered(self) -> int:
        """How many answers the history holds. A greeting, even one cut off, does not count, and
        neither does what the model was told to say.
        """
        greeting = agent_clip(self._service.script.greeting).text
        answered, told = 0, False
        for entry in self.memory.entries:
            if entry.role == "user":
                told = words_of(entry.text) is not None
            elif not told and not greeting.startswith(entry.text):
                answered += 1
        return answered

    def _choose(self, waiting: list[Asked]) -> Turn:
        """The turn of the script that answers all of this."""
        script = self._service.script
        if waiting and (told_result := told_in(waiting[-1].text, script.turns, script.fallback)):
            return told_result
        typed = any(one.duration_ms is None for one in waiting)
        told = [words for one in waiting if (words := words_of(one.text)) is not None]
        if told and waiting[-1].duration_ms is None:
            return Turn(f"{WORDS}{told[-1]}")
        if typed and not self.memory.entries and self._greets(waiting):
            return Turn(script.greeting)
        phrases = [one.phrase for one in waiting if one.phrase]
        if typed and not phrases:
            if not self.memory.entries:
                return Turn(script.on_text)
            last = self.memory.entries[-1]
            phrase = phrase_of(last.text) if last.role == "user" else None
            if phrase is None:
                rest = script.rest(last.text) if last.role == "model" else None
                return rest or Turn(script.on_text)
            phrases = [phrase]
        return script.answer(phrases[-1] if phrases else None, self._answered())

    def _greets(self, waiting: list[Asked]) -> bool:
        """Whether a session without a history greets, when these texts are the first."""
        return self._behaviour.greets_anyway or not any(goes_on(one.text) for one in waiting)

    def _think(self, now_ms: int) -> None:
        turn = self._choose(self._asked)
        if turn.after and self._behaviour.rest == "nothing" and not self._kept_silent:
            self._kept_silent, self._asked = True, []
            return
        if self._behaviour.rest == "anew":
            turn = replace(turn, after="")
        self._agenda.strike(self._turn)
        self._turn += 1
        drawn_ms = self._service.pick_ms(self._behaviour.think_ms)
        think_ms = drawn_ms if turn.think_ms is None else turn.think_ms
        if self._behaviour.empty_messages:
            for message in ({}, say.server_content()):
                send = partial(self._send_at, message)
                self._agenda.note(now_ms + think_ms // 2, send, self._turn)
        if self._behaviour.other_messages:
            self._agenda.note(now_ms + think_ms // 3, self._send_others, self._turn)
        for told_ms in range(IN_PROGRESS_MS[0], self._behaviour.in_progress_ms, IN_PROGRESS_MS[1]):
            closed = say.server_content(turnComplete=True, interactionStatus="IN_PROGRESS")
            self._agenda.note(now_ms + told_ms, partial(self._send_at, closed), self._turn)
        think_ms += self._behaviour.in_progress_ms
        self._thinking = True
        self._agenda.note(now_ms + think_ms, partial(self._begin, turn), self._turn)

    def _begin(self, turn: Turn, now_ms: int) -> None:
        self._thinking = False
        self._plan(turn.faults, now_ms)
        if turn.call is not None and self._calls.knows(turn.call):
            failed = self._service.script.fallback
            answer = (
                None if self._behaviour.calls_again else known(self.memory.entries, turn, failed)
            )
            if answer is None:
                self._call(turn, turn.call, now_ms)
                return
            turn = answer
        self._speak(turn, now_ms)

    def _call(self, turn: Turn, call: Call, now_ms: int) -> None:
        """Call a tool before the answer; a model that may go on meanwhile does."""
        self._send(say.handle_update(""))
        self._calls.begin(call, turn)
        if turn.meanwhile is not None and not self._calls.blocks:
            self._speak(Turn(turn.meanwhile), now_ms)
            return
        for one in self._asked:
            self.memory = self.memory.with_entry("user", one.text, one.duration_ms)
        self._asked = []
        if not self._calls.blocks:
            self._send(say.turn_complete(self.memory.tokens, 0))

    def _speak(self, turn: Turn, now_ms: int) -> None:
        most_ms, self.short_turn_ms = self.short_turn_ms, None
        spoken = after(agent_clip(turn.say), turn.after)
        messages = pieces(spoken, self._behaviour, self._service.random, most_ms)
        reply = Reply(self._asked, messages, now_ms, most_ms is not None, turn.then)
        self._asked, self._reply = [], reply
        self._send(say.handle_update(""))
        for piece in messages:
            due_ms = now_ms + piece.offset_ms
            self._agenda.note(due_ms, partial(self._say, reply, piece), self._turn)
        if not messages:
            self._complete(reply, now_ms)

    def replay(self) -> None:
        """Send the last turn of the history again, if the behaviour says so."""
        if self._behaviour.replays == "nothing" or not self.memory.last:
            return
        asked = self.memory.entries[-2:-1]
        for entry in asked:
            if entry.role == "user":
                self._send(say.server_content(inputTranscription={"text": entry.text}))
        for piece in self.memory.last:
            self._send_piece(piece, silent=self._behaviour.replays == "words")
        self._send(say.server_content(generationComplete=True))
        self._send(say.turn_complete(self.memory.tokens, 0, self.memory.audio_tokens))

    def _say(self, reply: Reply, piece: Piece, now_ms: int) -> None:
        reply.sent.append(piece)
        self.sent_ms += piece.duration_ms
        self._send_piece(piece)
        if self._behaviour.other_messages:
            self._send_others(now_ms)
        if not reply.generated:
            return
        self.generated_ms = now_ms
        if reply.then is not None and self._calls.knows(reply.then):
            self._calls.begin(reply.then, None)
        if not reply.cut_short:
            self._send(say.server_content(generationComplete=True))
        played_ms = now_ms
        if self._behaviour.turn_complete_at == "playback end":
            played_ms = max(now_ms, ceil(reply.began_ms + reply.sent_ms))
        self._agenda.note(played_ms, partial(self._complete, reply), self._turn)

    def _send_piece(self, piece: Piece, *, silent: bool = False) -> None:
        content: Message = {} if silent else {"modelTurn": say.audio_part(piece.pcm)}
        if self._transcribe and piece.told:
            words = {"outputTranscription": {"text": piece.told}}
            if self._behaviour.output_transcription == "before":
                self._send(say.server_content(**words))
            else:
                content |= words
        if content:
            self._send(say.server_content(**content))

    def _complete(self, reply: Reply, now_ms: int) -> None:
        self._send(say.turn_complete(*self._close(reply)))
        self._go_on(now_ms)

    def _cut(self, reply: Reply, now_ms: int) -> None:
        if reply is not self._reply:
            return  # the turn was over before the interruption took effect
        self._agenda.strike(self._turn)
        self._calls.cancel(all_of_them=True)
        content: Message = {"interrupted": True}
        if self._behaviour.stale_audio and not reply.generated:
            content["modelTurn"] = say.audio_part(reply.pieces[len(reply.sent)].pcm)
        self._send(say.server_content(**content))
        over = partial(self._send_at, say.turn_complete(*self._close(reply)))
        self._agenda.note(now_ms + COMPLETE_AFTER_INTERRUPTED_MS, over)
        self._go_on(now_ms + COMPLETE_AFTER_INTERRUPTED_MS)

    def _close(self, reply: Reply) -> tuple[int, int, int, int]:
        """Add the sent part of a turn to memory; returns the tokens of its prompt and response, how
        many of the prompt were audio, and those of the results before it.
        """
        self._reply = None
        for one in reply.answers:
            self.memory = self.memory.with_entry("user", one.text, one.duration_ms)
        prompt_tokens, audio_tokens = self.memory.tokens, self.memory.audio_tokens
        if reply.sent:
            said = self.memory.with_entry("model", reply.said, reply.sent_ms)
            self.memory = replace(said, last=tuple(reply.sent))
        result_tokens, self._result_tokens = self._result_tokens, 0
        return prompt_tokens, self.memory.tokens - prompt_tokens, audio_tokens, result_tokens

    def _go_on(self, now_ms: int) -> None:
        handle_ms = self._service.pick_ms(self._behaviour.handle_ms)
        self._agenda.note(now_ms + handle_ms, self.offer_handle)
        self._asked, self._later = self._asked + self._later, []
        if self._asked and not self._listening:
            self._think(now_ms)
        else:
            self._speak_of_results(now_ms)

    def _send_others(self, _now_ms: int) -> None:
        self._send(say.usage(self.memory.tokens))
        self._send(say.unknown())

    def _send_at(self, message: Message, _now_ms: int) -> None:
        self._send(message)


def phrase_of(text: str) -> str | None:
    """The caller clip that says this, without the role, or None."""
    for name, spoken in texts().items():
        if name.startswith("caller/") and spoken == text:
            return name.removeprefix("caller/")
    return None
