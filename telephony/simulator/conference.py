"""Conferences: who takes part, when one starts and ends, and who hears whom. Pure.

    WAITING ── two take part, and one of them starts it ──▶ STARTED ── the last one, or one who
       └────────── the last one leaves ──▶ OVER ◀────────── ends it, leaves ──┘

Until it starts, everybody hears their own music, and nobody is heard. Each call says and hears a
frame of 20 ms at a time, at its own pace: what one says waits for each of the others. So no frame
is lost or changed where one person speaks; where several do, their frames are mixed.

Source: Twilio's documentation (TwiML Conference, Conference resource; read in November 2026). The
order of events when a conference ends is a guess.
"""

import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from telephony.simulator.conference_element import Terms
from telephony.simulator.ear import is_loud
from telephony.simulator.elements import Request
from telephony.simulator.hearing import SILENCE, SILENT_FRAME, Air, Heard, Played, Source
from telephony.simulator.keys import mixed
from telephony.simulator.tones import BEEP

LATE_FRAMES = 50
"""How many frames wait for a call that hears too slowly; older ones are lost."""


@dataclass(frozen=True, slots=True)
class ConferenceEvent:
    """An event of a conference, to be sent to its status callback if that asked for it.

    Args:
        word: The event in `statusCallbackEvent`: start, end, join or leave.
        params: The parameters of the callback, without account and time.
    """

    word: str
    params: Mapping[str, str]


class Seat:
    """A call's place in a conference: an `Air`, until the conference or its part in it is over.

    Attributes:
        music: What is heard until the conference starts; the calling code sets it.
    """

    def __init__(self, conference: "Conference", call_sid: str, terms: Terms) -> None:
        self.music: Air = Played(())
        self.call_sid, self.terms = call_sid, terms
        self.inbox: dict[Source, deque[bytes]] = {}
        self._conference = conference

    @property
    def over(self) -> bool:
        """Whether the call is not in the conference any more."""
        return self._conference.seats.get(self.call_sid) is not self

    def say(self, frame: bytes) -> None:
        """Say 20 ms of µ-law to all others, once the conference has started."""
        if self._conference.started and not self.terms.muted:
            self._conference.spread(self, Source("person", self.call_sid), frame)

    def hear(self) -> Heard:
        """The next 20 ms: music, or all others."""
        if not self._conference.started:
            return self.music.hear()
        frames = {source: box.popleft() for source, box in self.inbox.items() if box}
        loud = {source: frame for source, frame in frames.items() if frame != SILENT_FRAME}
        if not loud:
            return SILENCE
        frame, *others = loud.values()
        for other in others:
            frame = mixed(frame, other)
        return Heard(frame, tuple(source for source, each in loud.items() if is_loud(each)))


@dataclass(slots=True)
class Conference:
    """One conference, from its first call to its end.

    Attributes:
        name: What documents call it.
        sid: CF and 32 hex digits.
        started: Whether people hear each other.
        seats: Who takes part, by CallSid.
        status: What is told how it goes, of the first one who has that.
        events: What of it is told.
        told: Every event so far.
        untold: Those that still have to be sent; the calling code takes them.
    """

    name: str
    sid: str = field(default_factory=lambda: f"CF{secrets.token_hex(16)}")
    started: bool = False
    seats: dict[str, Seat] = field(default_factory=dict)
    status: Request | None = None
    events: tuple[str, ...] = ()
    told: list[ConferenceEvent] = field(default_factory=list)
    untold: deque[ConferenceEvent] = field(default_factory=deque)

    def enter(self, call_sid: str, terms: Terms) -> Seat:
        """Let a call take part."""
        seat = self.seats[call_sid] = Seat(self, call_sid, terms)
        if self.status is None and terms.status is not None:
            self.status, self.events = terms.status, terms.events
        self._tell("join", "participant-join", seat)
        starts = any(each.terms.starts for each in self.seats.values())
        if not self.started and starts and len(self.seats) > 1:
            self.started = True
            self._tell("start", "conference-start", None)
        if self.started and terms.beep in {"true", "onEnter"}:
            self.beep(seat)
        return seat

    def leave(self, seat: Seat, reason: str) -> bool:
        """Let a call go. Returns whether the conference is over, so that all others must go too.

        Args:
            seat: Its place; one that is over already changes nothing.
            reason: Why, as `ReasonParticipantLeft`.
        """
        if seat.over:
            return not self.seats
        del self.seats[seat.call_sid]
        self._tell("leave", "participant-leave", seat, ReasonParticipantLeft=reason)
        if self.seats and not seat.terms.ends:
            if seat.terms.beep in {"true", "onExit"}:
                self.beep(seat)
            return False
        why = "participant-with-end-conference-on-exit-left" if seat.terms.ends else ""
        for other in tuple(self.seats.values()):
            del self.seats[other.call_sid]
            self._tell(
                "leave", "participant-leave", other, ReasonParticipantLeft="conference_ended"
            )
        self._tell(
            "end",
            "conference-end",
            None,
            ReasonConferenceEnded=why or "last-participant-left",
            CallSidEndingConference=seat.call_sid,
        )
        return True

    def spread(self, seat: Seat, source: Source, frame: bytes) -> None:
        """Let all others hear a frame."""
        for other in self.seats.values():
            if other is not seat:
                other.inbox.setdefault(source, deque(maxlen=LATE_FRAMES)).append(frame)

    def beep(self, seat: Seat) -> None:
        """Let all others hear the beep."""
        for at in range(0, len(BEEP), len(SILENT_FRAME)):
            self.spread(seat, Source("beep"), BEEP[at : at + len(SILENT_FRAME)])

    def _tell(self, word: str, event: str, seat: Seat | None, **more: str) -> None:
        params = {
            "ConferenceSid": self.sid,
            "FriendlyName": self.name,
            "StatusCallbackEvent": event,
            "SequenceNumber": str(len(self.told) + 1),
            **more,
        }
        if seat is not None:
            params |= {
                "CallSid": seat.call_sid,
                "Muted": str(seat.terms.muted).lower(),
                "Hold": "false",
                "Coaching": "false",
                "StartConferenceOnEnter": str(seat.terms.starts).lower(),
                "EndConferenceOnExit": str(seat.terms.ends).lower(),
            }
            if seat.terms.label:
                params["ParticipantLabel"] = seat.terms.label
        self.told.append(ConferenceEvent(word, params))
        self.untold.append(self.told[-1])


class Conferences:
    """The conferences of an account.

    Attributes:
        held: Every conference so far, oldest first.
    """

    def __init__(self) -> None:
        self.held: list[Conference] = []
        self._running: dict[str, Conference] = {}

    def enter(self, name: str, call_sid: str, terms: Terms) -> tuple[Conference, Seat]:
        """Let a call take part in the conference of this name, which begins if there is none."""
        conference = self._running.get(name)
        if conference is None:
            conference = self._running[name] = Conference(name)
            self.held.append(conference)
        return conference, conference.enter(call_sid, terms)

    def leave(self, conference: Conference, seat: Seat, reason: str) -> None:
        """Let a call go. A conference that is over is forgotten: its name begins a new one."""
        over = conference.leave(seat, reason)
        if over and self._running.get(conference.name) is conference:
            del self._running[conference.name]
