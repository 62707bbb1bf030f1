"""Understands what the agent says, and compares it with the caller's script.

The words are recognised in the sound that was heard; nothing is asked of the server. Only phrases
of a phrase book are known, so the words of a real model stay unknown. Recognising takes up to 70
ms, so it runs in a thread, and a call in real time does not wait for it.

    resource   acquired          released
    thread     `Understanding`   `conclude`, which waits for the last turn
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import soxr

from agent.simulator.ear import Ear, Phrase
from agent.simulator.voice import AGENT_RATE_HZ, EAR_RATE_HZ, agent_clip, texts
from telephony.audio.formats import PHONE_RATE_HZ, PHONE_SAMPLES_PER_MS
from telephony.audio.g711 import decode
from telephony.simulator.report import AgentHeard, AgentQuiet, CallerSpoke, CallEvent
from telephony.simulator.script import Script, Utterance

NOT_UNDERSTOOD = frozenset({"sorry"})
"""The phrases of a simulated agent that did not understand, or has no answer."""

type Book = Mapping[str, Phrase]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one turn of the agent.

    Args:
        at_ms: When the turn was first heard.
        name: The phrase's name in the book, or None where no phrase was recognised.
        text: Its text, as far as it was heard.
        whole: Whether all of it was heard.
    """

    at_ms: int
    name: str | None
    text: str
    whole: bool


def book(says: Iterable[str] = ()) -> Book:
    """A phrase book: all clips of the agent, and the other phrases of an agent's script.

    Args:
        says: The phrases, in the form of `agent.simulator.voice.agent_clip`.
    """
    clips = [name.removeprefix("agent/") for name in texts() if name.startswith("agent/")]
    return {say: _phrase(say) for say in dict.fromkeys([*clips, *says])}


class Understanding:
    """Listens to one call: give it each event of the call, and `conclude` after the last.

    Args:
        script: The caller's script.
        known: The phrases that the caller knows; None for the agent's clips.
        not_understood: The phrases of an agent that has no answer.
        tell: Called in the event loop with each turn's words, in order.
    """

    def __init__(
        self,
        script: Script,
        *,
        known: Book | None = None,
        not_understood: Collection[str] = NOT_UNDERSTOOD,
        tell: Callable[[Words], None] | None = None,
    ) -> None:
        self._book = book() if known is None else known
        self._ear = Ear(self._book)
        self._not_understood = not_understood
        self._tell = tell
        says = ((n, step.deed, step.answer) for n, step in enumerate(script.steps, start=1))
        self._steps = [(n, deed, answer) for n, deed, answer in says if isinstance(deed, Utterance)]
        self._said_ms: list[int] = []
        self._began_ms = 0
        self._turns: list[Future[Words]] = []
        self._thread = ThreadPoolExecutor(1, "understanding")

    def __call__(self, event: CallEvent) -> None:
        """Take the next event of the call."""
        match event:
            case AgentHeard():
                self._began_ms = event.at_ms
            case AgentQuiet():
                turn = self._thread.submit(self._understand, self._began_ms, event.ulaw)
                self._turns.append(turn)
                if self._tell is not None:
                    loop = asyncio.get_running_loop()
                    turn.add_done_callback(
                        lambda done: loop.call_soon_threadsafe(self._pass_on, done)
                    )
            case CallerSpoke():
                self._said_ms.append(event.at_ms)
            case _:
                pass

    async def conclude(self) -> tuple[str, ...]:
        """Understand the last turn. Returns a sentence for each departure from the script."""
        turns = [await asyncio.wrap_future(turn) for turn in self._turns]
        self._thread.shutdown()
        until_ms = [*self._said_ms[1:], None]
        problems = []
        for (n, said, wanted), from_ms, to_ms in zip(
            self._steps, self._said_ms, until_ms, strict=False
        ):
            answers = [
                turn
                for turn in turns
                if turn.at_ms >= from_ms and (to_ms is None or turn.at_ms < to_ms)
            ]
            if problem := self._problem(answers, wanted):
                problems.append(f"step {n}: the caller said “{said.text or said.name}”, {problem}")
        return tuple(problems)

    def _problem(self, answers: list[Words], wanted: str | None) -> str:
        heard = " ".join(answer.text or "(words that are not known)" for answer in answers)
        names = {answer.name for answer in answers}
        if wanted is not None:
            if wanted in names:
                return ""
            expected = f"and “{self._book[wanted].text}” was expected as the answer"
            return f"{expected}; heard: “{heard}”" if heard else f"{expected}; nothing was heard"
        if names & set(self._not_understood):
            return f"and the agent did not understand or has no answer; heard: “{heard}”"
        return ""

    def _pass_on(self, turn: Future[Words]) -> None:
        if self._tell is not None:
            self._tell(turn.result())

    def _understand(self, at_ms: int, ulaw: bytes) -> Words:
        pcm = _resampled(decode(ulaw), PHONE_RATE_HZ)
        heard = self._ear.hear(pcm)
        heard_ms = len(ulaw) // PHONE_SAMPLES_PER_MS
        if heard.name is None and heard_ms >= SHORTEST_MS:
            # Perhaps the beginning of a long phrase that the caller interrupted.
            begun = {name: _begun(phrase, len(pcm)) for name, phrase in self._book.items()}
            heard = Ear(begun).hear(pcm)
        if heard.name is None:
            return Words(at_ms, None, "", whole=False)
        phrase = self._book[heard.name]
        length_ms = len(phrase.pcm) / EAR_RATE_HZ / 2 * 1000
        share = min(1.0, heard_ms / length_ms + END_SHARE)
        if share == 1.0:
            return Words(at_ms, heard.name, phrase.text, whole=True)
        words = phrase.text.split()
        shown = " ".join(words[: max(1, round(share * len(words)))])
        return Words(at_ms, heard.name, f"{shown} …", whole=False)


SHORTEST_MS = 400
"""A shorter piece of a phrase holds no word by which to recognise it."""

END_SHARE = 0.1
"""A clip has a little silence around its words, which is not heard as a part of the turn."""


def _phrase(say: str) -> Phrase:
    clip = agent_clip(say)
    return Phrase(clip.text, _resampled(clip.pcm, AGENT_RATE_HZ))


def _begun(phrase: Phrase, size: int) -> Phrase:
    return Phrase(phrase.text, phrase.pcm[:size])


def _resampled(pcm: bytes, rate_hz: int) -> bytes:
    samples = soxr.resample(np.frombuffer(pcm, dtype="<i2"), rate_hz, EAR_RATE_HZ)
    return np.asarray(samples, dtype="<i2").tobytes()
