"""What can go wrong, each on its own. In virtual time."""

from dataclasses import replace

import pytest

from agent.simulator.behaviour import EXACT, Behaviour
from agent.simulator.client import TALKATIVE, VirtualClient
from agent.simulator.faults import (
    Close,
    Fault,
    Freeze,
    GoAway,
    IgnoreSpeech,
    Outage,
    PhantomInterrupted,
    RefuseConnect,
    Reset,
    Send,
    ShortTurn,
    SlowSetup,
)
from agent.simulator.model import DEFAULT_PATH, GeminiServer, Refusal
from agent.simulator.script import parse
from agent.simulator.session import State
from agent.simulator.voice import clip, texts


def greeted(behaviour: Behaviour = EXACT) -> VirtualClient:
    made = VirtualClient(GeminiServer(None, behaviour))
    made.greet()
    made.received.clear()
    return made


@pytest.mark.parametrize("fault", [Close(1008, "The operation was aborted."), Reset()])
def test_a_connection_that_ends_sends_nothing_more(fault: Fault) -> None:
    made = greeted()
    made.say("Are you there?")
    made.run(1_200)
    made.inject(fault)
    assert made.ended == fault
    assert made.session.state is State.OVER
    sent = len(made.received)
    made.run(5_000)
    assert len(made.received) == sent


def test_a_freeze_is_silent_and_then_everything_comes() -> None:
    made = greeted()
    made.say("Are you there?")
    made.run(1_200)
    before = made.pcm
    made.inject(Freeze(10_000))
    made.run(9_999)
    assert made.pcm == before
    made.run(1)
    assert made.pcm == clip("agent/still-here").pcm
    assert made.outline[-3:] == ["generationComplete", "turnComplete", "handle"]


def test_speech_during_a_freeze_is_answered_after_it() -> None:
    made = greeted()
    made.inject(Freeze(10_000))
    made.speak("table")
    assert made.received == []
    made.run(20_000)
    assert made.said == texts()["agent/times"]


def test_going_away_is_announced_and_done() -> None:
    made = greeted()
    made.inject(GoAway(1_500))
    assert made.of("goAway") == [{"timeLeft": "1.5s"}]
    made.run(1_499)
    assert made.ended is None
    made.run(1)
    assert made.ended == EXACT.lifetime_close


def test_a_connection_lives_its_lifetime_and_says_so_before() -> None:
    made = VirtualClient(GeminiServer(None, replace(EXACT, lifetime_ms=590_000, go_away_ms=50_000)))
    made.run(600_000)
    assert made.when("goAway") == [540_000]
    assert made.of("goAway") == [{"timeLeft": "50s"}]
    assert made.ended == Close(1008, "The operation was aborted.")


def test_a_connection_may_end_without_a_word_before() -> None:
    end = Close(1011, "Deadline expired before operation could complete.")
    behaviour = replace(EXACT, lifetime_ms=9_000, go_away_ms=None, lifetime_close=end)
    made = VirtualClient(GeminiServer(None, behaviour))
    made.run(10_000)
    assert made.outline == ["setupComplete", "handle"]
    assert made.ended == end


@pytest.mark.parametrize("code", [409, 429, 503])
def test_a_handshake_is_refused_once_with_a_status(code: int) -> None:
    server = GeminiServer(None, EXACT)
    server.inject(RefuseConnect(code, "no"), 0)
    assert server.connect(0) == Refusal(code, "no")
    assert not isinstance(server.connect(0), Refusal)


def test_a_setup_is_refused_once_with_a_close_code() -> None:
    server = GeminiServer(None, EXACT)
    server.inject(RefuseConnect(1011, "no"), 0)
    assert VirtualClient(server).ended == Close(1011, "no")
    assert VirtualClient(server).ended is None


def test_in_an_outage_connections_come_to_nothing_and_after_it_they_do_not() -> None:
    server = GeminiServer(None, EXACT)
    server.inject(Outage(duration_ms=1_000, share=1.0), 500)
    ended = [VirtualClient(server, now_ms=at_ms).ended for at_ms in (600, 1_499, 1_500)]
    assert [end is None for end in ended] == [False, False, True]


def test_an_outage_may_accept_connections_and_break_them_off() -> None:
    server = GeminiServer(None, EXACT)
    server.inject(Outage(duration_ms=1_000, share=1.0, breaks_off_ms=2_000), 0)
    client = VirtualClient(server)
    client.run(EXACT.setup_ms[0] + 1_999)
    assert client.outline[0] == "setupComplete"
    assert client.ended is None
    client.run(1)
    assert client.ended == Close()


def test_an_outage_strikes_its_share() -> None:
    server = GeminiServer(None, EXACT)
    server.inject(Outage(share=0.85), 0)
    struck = sum(VirtualClient(server).ended is not None for _ in range(200))
    assert 150 < struck < 190


def test_one_session_too_many_is_refused_until_another_ends() -> None:
    server = GeminiServer(None, replace(EXACT, max_sessions=2))
    clients = [VirtualClient(server) for _ in range(3)]
    assert [client.ended for client in clients[:2]] == [None, None]
    assert clients[2].ended == Close(1011, EXACT.over_quota.reason)
    clients[0].leave()
    assert VirtualClient(server).ended is None


def test_a_quota_may_refuse_the_handshake() -> None:
    too_many = RefuseConnect(429, "RESOURCE_EXHAUSTED")
    server = GeminiServer(None, replace(EXACT, max_sessions=1, over_quota=too_many))
    VirtualClient(server)
    assert server.connect(0) == Refusal(429, "RESOURCE_EXHAUSTED")


def test_a_slow_setup_is_that_much_later() -> None:
    server = GeminiServer(None, EXACT)
    server.inject(SlowSetup(3_000), 0)
    slow, next_one = VirtualClient(server), VirtualClient(server)
    for client in (slow, next_one):
        client.run(5_000)
    assert (slow.when("setupComplete"), next_one.when("setupComplete")) == ([3_400], [400])


def test_an_empty_turn_is_complete_without_a_word_and_a_nudge_answers_what_was_said() -> None:
    made = greeted()
    made.inject(ShortTurn())
    made.speak("half-past", silence_ms=3_000)
    assert made.outline[-3:] == ["no handle", "turnComplete", "handle"]
    assert made.pcm == b""
    made.say("Go on.")
    made.run(5_000)
    assert made.said == texts()["agent/name"]


def test_a_short_turn_tells_no_words_that_it_does_not_say() -> None:
    made = greeted(replace(EXACT, chunk_ms=1_000))
    made.inject(ShortTurn(240))
    made.speak("morgan")
    made.run(3_000)
    assert len(made.said.split()) == 1


def test_a_short_turn_is_complete_in_mid_sentence() -> None:
    made = greeted()
    made.inject(ShortTurn(700))
    made.speak("half-past", silence_ms=4_000)
    assert made.pcm == clip("agent/name").pcm[: 700 * 48]
    assert texts()["agent/name"].startswith(made.said)
    assert made.outline[-3:] == ["modelTurn", "turnComplete", "handle"]


def test_a_phantom_interruption_comes_with_nobody_speaking() -> None:
    made = greeted()
    made.inject(PhantomInterrupted())
    made.run(100)
    assert made.outline == ["interrupted", "turnComplete"]


def test_a_phantom_interruption_ends_a_reply() -> None:
    made = greeted()
    made.say("Are you there?")
    made.run(1_100)
    made.inject(PhantomInterrupted())
    sent = made.pcm
    made.run(5_000)
    assert made.outline[-3:] == ["interrupted", "turnComplete", "handle"]
    assert made.pcm == sent != clip("agent/still-here").pcm


def test_ignored_speech_is_neither_transcribed_nor_answered_and_the_next_is() -> None:
    made = greeted()
    made.inject(IgnoreSpeech())
    made.speak("morgan", silence_ms=4_000)
    assert made.received == []
    made.speak("half-past", silence_ms=4_000)
    assert made.understood == [texts()["caller/half-past"]]
    assert made.said == texts()["agent/name"]


def test_any_message_can_be_sent() -> None:
    made = greeted()
    made.inject(Send({"somethingNew": {"a": 1}}))
    assert [message for _, message in made.received] == [{"somethingNew": {"a": 1}}]


def test_faults_come_together_and_at_their_time_in_a_script() -> None:
    script = parse(
        """
        faults = [{ kind = "go-away", at_ms = 900, time_left_ms = 60000 }]
        [[turns]]
        say = "a1"
        faults = [
            { kind = "short-turn", said_ms = 500 },
            { kind = "phantom-interrupted", at_ms = 200 },
            { kind = "freeze", at_ms = 250, duration_ms = 4000 },
        ]
        """
    )
    made = VirtualClient(GeminiServer(script, EXACT))
    made.run(1_400)
    assert made.when("goAway") == [400 + 900]
    made.greet()
    made.speak("morgan", silence_ms=1_000)
    replied_ms = made.session.heard[0].ended_ms + 1_000
    made.run(8_000)
    assert made.when("interrupted") == [replied_ms + 200]
    assert made.when("sessionResumptionUpdate")[-1] == replied_ms + 215
    assert made.ended is None


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/v1beta/models", "key", 404),
        (DEFAULT_PATH, "", 403),
        (DEFAULT_PATH, "wrong", 403),
    ],
)
def test_a_wrong_path_or_key_is_refused(path: str, key: str, status: int) -> None:
    server = GeminiServer(None, replace(EXACT, keys=frozenset({"right"})))
    refusal = server.connect(0, path=path, key=key)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status
    assert not isinstance(server.connect(0, key="right"), Refusal)


def test_a_server_that_keeps_nothing_forgets_the_sessions_that_are_over() -> None:
    server = GeminiServer(None, EXACT, keep=False)
    for _ in range(5):
        made = VirtualClient(server, TALKATIVE)
        made.leave()
    VirtualClient(server)
    assert [session.state for session in server.sessions] == [State.SETTING_UP]
