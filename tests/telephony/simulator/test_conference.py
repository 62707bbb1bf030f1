"""A conference: who is in it, who hears whom, and what is told of it."""

from telephony.simulator.conference import Conference, Conferences, Seat
from telephony.simulator.conference_element import Terms
from telephony.simulator.hearing import SILENCE, SILENT_FRAME, Heard, Played, Source
from telephony.simulator.keys import key_tone
from telephony.simulator.tones import BEEP

ANN, BEN, CAT = "CA1", "CA2", "CA3"
WAITS, STARTS = Terms(starts=False, ends=True, beep="false"), Terms(ends=True, beep="false")
TONES = {sid: key_tone(key)[:160] for sid, key in ((ANN, "1"), (BEN, "5"), (CAT, "9"))}
MUSIC = Source("music", "https://voice.example.com/hold.wav")


def says(seat: Seat) -> None:
    seat.say(TONES[seat.call_sid])


def words(conference: Conference) -> list[tuple[str, str]]:
    return [
        (each.params["StatusCallbackEvent"], each.params.get("CallSid", ""))
        for each in conference.told
    ]


def test_one_who_waits_hears_music_and_nobody_until_somebody_starts_the_conference() -> None:
    conference = Conference("a name")
    ann = conference.enter(ANN, WAITS)
    ann.music = Played([(MUSIC, TONES[CAT], 0)])
    says(ann)
    assert ann.hear() == ann.hear() == Heard(TONES[CAT], (MUSIC,))
    ben = conference.enter(BEN, WAITS)
    says(ann)
    assert (conference.started, ben.hear()) == (False, SILENCE)
    cat = conference.enter(CAT, STARTS)
    assert conference.started
    assert ann.hear() == cat.hear() == SILENCE, "nothing that was said before is heard"


def test_one_alone_who_may_start_a_conference_waits_too() -> None:
    conference = Conference("a name")
    ann = conference.enter(ANN, STARTS)
    ann.music = Played([(MUSIC, TONES[CAT], 0)])
    assert ann.hear().sources == (MUSIC,)
    conference.enter(BEN, WAITS)
    assert conference.started


def test_each_hears_the_others_frame_by_frame_and_not_oneself() -> None:
    conference = Conference("a name")
    ann, ben = conference.enter(ANN, WAITS), conference.enter(BEN, STARTS)
    for _ in range(3):
        says(ann)
    ann.say(SILENT_FRAME)
    assert [ben.hear() for _ in range(5)] == [
        *[Heard(TONES[ANN], (Source("person", ANN),))] * 3,
        SILENCE,
        SILENCE,
    ]
    assert ann.hear() == SILENCE
    cat = conference.enter(CAT, STARTS)
    says(ann)
    says(cat)
    both = ben.hear()
    assert set(both.sources) == {Source("person", ANN), Source("person", CAT)}
    assert both.frame not in {TONES[ANN], TONES[CAT], SILENT_FRAME}
    assert cat.hear().sources == (Source("person", ANN),)


def test_nobody_hears_one_who_is_muted() -> None:
    conference = Conference("a name")
    ann = conference.enter(ANN, Terms(muted=True, beep="false"))
    ben = conference.enter(BEN, STARTS)
    says(ann)
    says(ben)
    assert (ben.hear(), ann.hear().sources) == (SILENCE, (Source("person", BEN),))


def test_the_others_hear_a_beep_where_one_enters_with_one() -> None:
    conference = Conference("a name")
    ann = conference.enter(ANN, WAITS)
    ben = conference.enter(BEN, Terms(beep="onEnter"))
    assert ann.hear() == Heard(BEEP[:160], (Source("beep"),))
    assert ben.hear() == SILENCE


def test_a_conference_ends_for_all_when_one_leaves_who_ends_it() -> None:
    conference = Conference("a name")
    ann, ben = conference.enter(ANN, WAITS), conference.enter(BEN, STARTS)
    assert conference.leave(ben, "participant_hung_up")
    assert (ann.over, ben.over) == (True, True)
    assert words(conference) == [
        ("participant-join", ANN),
        ("participant-join", BEN),
        ("conference-start", ""),
        ("participant-leave", BEN),
        ("participant-leave", ANN),
        ("conference-end", ""),
    ]
    end = conference.told[-1].params
    assert end["ReasonConferenceEnded"] == "participant-with-end-conference-on-exit-left"
    assert end["CallSidEndingConference"] == BEN
    assert [each.params["SequenceNumber"] for each in conference.told] == list("123456")
    assert conference.leave(ann, "participant_hung_up")
    assert len(conference.told) == 6, "one who is out already leaves without a word"


def test_others_go_on_when_one_leaves_who_does_not_end_it() -> None:
    conference = Conference("a name")
    ann, ben = conference.enter(ANN, WAITS), conference.enter(BEN, Terms(beep="false"))
    assert not conference.leave(ben, "participant_hung_up")
    assert (ann.over, conference.started, ann.hear()) == (False, True, SILENCE)


def test_a_name_begins_a_new_conference_once_the_old_one_is_over() -> None:
    conferences = Conferences()
    first, ann = conferences.enter("a name", ANN, WAITS)
    same, ben = conferences.enter("a name", BEN, STARTS)
    other, _ = conferences.enter("another", CAT, STARTS)
    assert first is same is not other
    conferences.leave(first, ben, "participant_hung_up")
    second, again = conferences.enter("a name", ANN, WAITS)
    assert second.sid != first.sid
    conferences.leave(first, ann, "participant_hung_up")
    assert (again.over, second.started) == (False, False)
    assert conferences.held == [first, other, second]
