"""Sessions behind the breaker: real SDK, real TLS sockets, a server that breaks off."""

from agent.conversation.commands import OpenModel
from agent.conversation.events import SessionLost, SessionReady, SessionRefused
from agent.conversation.persona import DEFAULT_PERSONA
from agent.gemini.breaker import FAILURES, OPEN_MS, State
from agent.gemini.guarded import GuardedLive
from tests.agent.gemini.conftest import Answer, Connection, Dial, Diary, whole


class Clock:
    """Time that only a test moves."""

    def __init__(self) -> None:
        self.now_ms = 0

    def __call__(self) -> int:
        return self.now_ms


async def break_off(connection: Connection) -> None:
    """Accept, and then be gone."""
    await connection.set_up()
    await connection.hang_up(1011, "Internal error encountered.")


async def test_a_service_that_breaks_off_is_left_alone_and_asked_again_later(
    answer: Answer, dial: Dial
) -> None:
    gemini, clock, told = await answer(break_off), Clock(), list[State]()
    live = GuardedLive(dial(gemini), clock, lambda state, _: told.append(state))
    for _ in range(FAILURES):
        events = await whole(live, Diary())
        assert [type(event) for event in events] == [SessionReady, SessionLost]
    assert (live.state(), told) == (State.OPEN, [State.OPEN])

    [refused] = await whole(live, Diary())
    assert isinstance(refused, SessionRefused)
    assert (refused.code, refused.retry_after_ms, refused.unreachable) == (0, OPEN_MS, False)
    assert len(gemini.requests) == FAILURES

    clock.now_ms = OPEN_MS
    await whole(live, Diary())
    assert len(gemini.requests) == FAILURES + 1
    assert told == [State.OPEN, State.HALF_OPEN, State.OPEN]


async def test_a_model_that_is_down_does_not_keep_anybody_from_the_other(
    answer: Answer, dial: Dial
) -> None:
    gemini, told = await answer(break_off), list[tuple[State, bool]]()
    live = GuardedLive(dial(gemini), Clock(), lambda *change: told.append(change))
    for _ in range(FAILURES):
        await whole(live, Diary())
    assert told == [(State.OPEN, False)]
    second = OpenModel(9, DEFAULT_PERSONA, fallback=True)
    assert isinstance((await whole(live, Diary(), second))[0], SessionReady)
    assert live.state(fallback=True) is State.CLOSED
