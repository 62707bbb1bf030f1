"""A caller who talks over the agent again and again, on two lines at once."""

from telephony.audio.formats import ULAW_SILENCE
from tests.end_to_end.barge_ins import ANSWERS, BARGE_INS, live, ulaw_of


async def test_each_of_twenty_barge_ins_is_one_clear_with_nothing_stale_behind_it() -> None:
    lived = await live()
    clips = [ulaw_of(name).rstrip(ULAW_SILENCE) for name in ("greeting", *ANSWERS)]
    assert lived.stale() == 0
    assert lived.least_coverage == 1
    for report, record, stretches in zip(
        lived.reports, lived.records, lived.stretches(), strict=True
    ):
        assert report.problems == ()
        assert report.warnings == {}
        assert len(stretches) == 1 + BARGE_INS
        assert all(stretches)
        assert stretches[-1].rstrip(ULAW_SILENCE) in clips

        assert record is not None
        *cut, last = [entry for entry in record.lines if entry.role == "agent"]
        assert last.heard == last.text
        for entry in cut:
            assert entry.text.startswith(entry.heard)
            assert entry.heard != entry.text
