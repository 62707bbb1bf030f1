"""A call in a conference: it hears music, then the others; the conference's callbacks are sent.

music   a task of the group that `Conferring` is given; cancelled when the call leaves
"""

import asyncio
from collections.abc import Callable
from email.utils import format_datetime

from telephony.audio.formats import FRAME_MS
from telephony.simulator.clock import Clock
from telephony.simulator.conference import Conference, Conferences, Seat
from telephony.simulator.conference_element import Terms
from telephony.simulator.documents import Documents
from telephony.simulator.elements import Request
from telephony.simulator.hearing import Air, Played, Source
from telephony.simulator.identity import Identity
from telephony.simulator.off_line import Live, Passed
from telephony.simulator.status_callbacks import StatusCallbacks
from telephony.simulator.tones import MELODY, VOICE
from telephony.simulator.twiml import Play, Redirect, Say, Verb

MOVED, HUNG_UP = "participant_updated_via_api", "participant_hung_up"
"""Values of `ReasonParticipantLeft`; the first is a guess."""


class Conferring:
    """Lets one call take part in conferences; call `run` for each.

    Args:
        identity: The parties of the call.
        conferences: The conferences of the account.
        documents: Sends requests to workers, and fetches files.
        callbacks: Reports how a conference goes.
        live: Lets time pass in the call.
        clock: The call's clock.
        say_ms: How long Twilio takes to say a text.
        group: The TaskGroup for music.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        conferences: Conferences,
        documents: Documents,
        callbacks: StatusCallbacks,
        live: Live,
        clock: Clock,
        say_ms: Callable[[str], int],
        group: asyncio.TaskGroup,
    ) -> None:
        self._id, self._conferences, self._documents = identity, conferences, documents
        self._callbacks = callbacks
        self._live, self._clock, self._say_ms = live, clock, say_ms
        self._group = group

    async def run(self, name: str, terms: Terms, limit_ms: int, keys: str = "") -> None:
        """Take part in a conference until it or the call's part in it is over.

        Args:
            name: The conference's name.
            terms: On which terms.
            limit_ms: After how long the call leaves by itself.
            keys: The keys with which the call leaves.
        """
        conference, seat = self._conferences.enter(name, self._id.call_sid, terms)
        self._tell(conference)
        music = self._group.create_task(self._play(seat), name="music")
        passed = Passed.HUNG_UP
        try:
            passed = await self._live(limit_ms, keys=keys, air=seat)
        finally:
            music.cancel()
            reason = MOVED if passed is Passed.INTERRUPTED else HUNG_UP
            self._conferences.leave(conference, seat, reason)
            self._tell(conference)

    def _tell(self, conference: Conference) -> None:
        """Send the callbacks of all events that were not sent yet."""
        request = conference.status
        while conference.untold:
            event = conference.untold.popleft()
            if request is not None and event.word in conference.events:
                params = {
                    "AccountSid": self._id.account_sid,
                    "Timestamp": format_datetime(self._clock.now_utc()),
                    **event.params,
                }
                self._callbacks.report(request, params)

    async def _play(self, seat: Seat) -> None:
        """Find the music of somebody who waits: as the document of `waitUrl` says. Behind its end
        there is silence, unless it ends with a Redirect.
        """
        if seat.terms.silent_wait:
            return
        if seat.terms.wait is None:
            seat.music = Played([(Source("music", "twilio"), MELODY, 0)])
            return
        request: Request | None = seat.terms.wait
        while request is not None:
            verbs = await self._documents.wait(request, self._id.params("in-progress"))
            seat.music = await self._music(verbs)
            request = next((each.request for each in verbs if isinstance(each, Redirect)), None)
            while request is not None and not seat.music.over:
                await self._clock.wait(asyncio.Event(), self._clock.now_ms() + FRAME_MS)

    async def _music(self, verbs: tuple[Verb, ...]) -> Air:
        sounds: list[tuple[Source, bytes, int]] = []
        for verb in verbs:
            match verb:
                case Play(url, "", loop):
                    sounds.append((Source("music", url), await self._documents.file(url), loop))
                case Say(text, loop):
                    seconds = -(-self._say_ms(text) // 1000)
                    sounds.append((Source("voice", text), VOICE * seconds, loop))
                case Redirect():
                    break  # it is asked once all this was heard
                case _:
                    expected = "a wait document holds Play, Say and Redirect"
                    self._documents.problem(f"{expected}, not {type(verb).__name__}")
        return Played(sounds)
