"""The rows of the fault table that `make faults` does not measure, and where each is tested.

A place is a test (`file::function`), a recorded call, or a make target. `lacks` says what no place
covers. A row without any place is not built yet. A test checks that every place exists.
"""

from dataclasses import dataclass

ALL_ROWS = range(1, 74)
"""As many as faults.md has, and one for MCP servers."""

CALLS = "fixtures/calls"
CONVERSATION = "tests/agent/conversation"
END_TO_END = "tests/end_to_end"
STREAMS = f"{END_TO_END}/test_strangers_streams.py"
WEBHOOKS = f"{END_TO_END}/test_strangers_webhooks.py"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """One row that is tested somewhere else, in part, or not yet.

    Args:
        number: As in faults.md.
        fault: What is done, in a few words.
        places: Where it is tested.
        lacks: What of the row no place shows; "" where nothing is missing.
    """

    number: int
    fault: str
    places: tuple[str, ...] = ()
    lacks: str = ""

    def __str__(self) -> str:
        return "; ".join([*self.places, *([self.lacks] if self.lacks else [])])


ELSEWHERE = (
    Elsewhere(
        28,
        "5 million fuzzed frames",
        (
            "tests/telephony/twilio/test_messages.py::test_no_text_and_no_bytes_make_it_raise",
            "tests/telephony/twilio/test_messages.py::test_no_damage_to_a_documented_message_makes_it_raise",
            "tests/agent/gemini/test_messages.py::test_values_that_are_new_to_the_sdk_are_survived",
            "tests/properties/test_call_machine.py::test_any_order_and_mix_of_events_leaves_the_invariants_whole",
        ),
        "hundreds of examples a run, not millions; memory is not looked at",
    ),
    Elsewhere(
        31,
        "1000 half-open handshakes",
        (
            f"{END_TO_END}/test_two_workers.py::test_a_stranger_who_sends_slowly_does_not_keep_a_worker_from_stopping",
        ),
        "not built yet: a deadline for headers, a limit for each address",
    ),
    Elsewhere(
        32,
        "a stream without a start",
        (f"{END_TO_END}/test_bad_input.py::test_a_stream_that_does_not_start_is_closed",),
    ),
    Elsewhere(
        33,
        "a missing, forged, expired or foreign token",
        (f"{STREAMS}::test_a_stream_without_its_calls_token_is_closed_and_dials_nobody",),
    ),
    Elsewhere(
        34,
        "a token replayed",
        (
            "tests/contracts/test_store_taking.py::test_of_a_thousand_that_redeem_one_token_at_once_one_is_accepted",
            f"{STREAMS}::test_of_fifty_streams_with_one_token_exactly_one_is_accepted",
        ),
    ),
    Elsewhere(
        35,
        "10 000 webhooks with a bad signature",
        (
            f"{WEBHOOKS}::test_a_webhook_that_twilio_did_not_sign_gets_403_and_leaves_nothing_behind",
        ),
        "one at a time; their load on running calls is not measured",
    ),
    Elsewhere(
        36,
        "a signed webhook replayed 100 times",
        (
            f"{WEBHOOKS}::test_a_webhook_that_comes_a_hundred_times_is_one_call_one_record_one_session",
        ),
    ),
    Elsewhere(
        37,
        "forwarded headers that lie",
        (f"{WEBHOOKS}::test_what_a_request_claims_of_its_host_makes_no_difference",),
    ),
    Elsewhere(38, "strangers at the console", lacks="not built yet: a console"),
    Elsewhere(39, "1000 arrivals for fewer places", lacks="not built yet: a limit of calls"),
    Elsewhere(40, "twice the rated load", lacks="not built yet: a limit of calls"),
    Elsewhere(
        55,
        "planted secrets",
        (
            "tests/agent/gemini/test_session_opening.py::test_the_key_is_in_no_reason_and_no_log",
            "tests/telephony/test_settings.py::test_no_message_holds_a_secret",
            "tests/telephony/server/test_twilio_rest.py::test_twilio_out_of_reach_is_said_without_a_secret",
        ),
        "not all outputs of one run at once",
    ),
    Elsewhere(56, "100 000 short calls", ("make soak",), "an hour of real time is not run"),
    Elsewhere(
        61,
        "a checkpoint of another version",
        (
            f"{CONVERSATION}/test_checkpoint.py::test_a_checkpoint_of_the_next_release_keeps_what_is_known_of_it",
            f"{CONVERSATION}/test_checkpoint.py::test_a_field_that_another_release_does_not_write_has_its_default",
            "tests/contracts/test_store_taking.py::test_an_unreadable_checkpoint_costs_the_checkpoint_and_not_the_call",
        ),
    ),
    Elsewhere(
        65,
        "a stream that comes 4 s after its webhook",
        (
            f"{END_TO_END}/test_two_workers.py::test_a_call_that_is_on_its_way_back_is_no_orphan_any_more",
            f"{END_TO_END}/test_stream_broken.py::test_a_resume_tells_the_call_that_waits_after_a_stop_that_it_goes_on",
            "tests/telephony/call/test_machine_life.py::test_a_call_that_twilio_says_goes_on_after_a_stop_waits_for_its_next_stream",
        ),
    ),
    Elsewhere(
        67,
        "a stop and an invalid close at once",
        (
            f"{END_TO_END}/test_stream_broken.py::test_a_stop_in_one_segment_with_a_bad_close_counts",
            "tests/telephony/call/test_machine_life.py::test_the_close_behind_a_stop_changes_nothing",
            f"{CALLS}/stop-alone.call",
        ),
    ),
    Elsewhere(
        70,
        "an audio part of odd length",
        (
            "tests/agent/gemini/test_messages.py::test_however_parts_are_cut_no_sample_of_a_reply_is_lost",
            "tests/telephony/audio/test_resample.py::test_a_reply_loses_no_sample_and_leaves_none_for_the_next",
        ),
    ),
)
