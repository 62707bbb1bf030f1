"""The rows that `make test` leaves out because other tests cover the same fault.

`make faults` measures them all. With its smallest numbers such a row would only repeat a test of
whole calls, or of the store on a real server, which asserts more.
"""

END_TO_END = "tests/end_to_end"
GONE_ON = (
    f"{END_TO_END}/test_worker_lost.py::test_a_worker_is_killed_and_another_goes_on_with_the_same_conversation",
)
NO_LINE_LOST = (
    f"{END_TO_END}/test_store_away.py::test_calls_go_on_and_begin_without_redis_and_no_line_is_lost_or_doubled",
)
REAL_SERVER = "tests/contracts/test_real_redis.py"

REPEATED = {
    1: GONE_ON,
    2: GONE_ON,
    20: NO_LINE_LOST,
    22: (
        f"{REAL_SERVER}::test_a_full_server_is_out_of_memory_and_keeps_what_it_has",
        f"{REAL_SERVER}::test_a_replica_is_read_only",
        f"{REAL_SERVER}::test_a_server_that_wants_a_password_is_not_authenticated",
        "tests/agent/store/test_failures.py::test_an_error_of_the_server_has_its_own_word",
        *NO_LINE_LOST,
    ),
    24: (
        f"{REAL_SERVER}::test_a_forgotten_script_is_sent_along_and_not_loaded_first",
        "tests/contracts/test_store_expiry.py::test_scripts_the_server_has_forgotten_are_sent_again",
    ),
    25: (
        f"{END_TO_END}/test_stream_broken.py::test_a_stream_that_breaks_in_whatever_way_is_resumed_with_the_same_session",
    ),
    57: (
        "tests/worlds/test_early_notices.py::test_every_session_is_used_for_a_good_part_of_its_time_and_nothing_is_cut",
    ),
    58: (
        "tests/worlds/test_silent_lines.py::test_five_silent_minutes_are_one_stream_and_cut_nothing",
    ),
    59: (
        f"{END_TO_END}/test_store_away.py::test_a_call_goes_on_though_the_store_is_frozen_when_its_stream_comes_back",
        "tests/telephony/server/test_ownership.py::test_a_held_call_goes_on_here_though_the_store_is_away_when_its_stream_comes_back",
    ),
    71: (
        f"{END_TO_END}/test_own_store.py::test_a_caller_whose_worker_was_killed_dials_again_and_the_conversation_goes_on",
        f"{END_TO_END}/test_own_store.py::test_a_second_server_on_the_same_state_dir_says_so_in_one_sentence_and_exits_with_2",
    ),
    72: (
        f"{END_TO_END}/test_own_store.py::test_a_call_is_kept_in_the_state_dir_and_found_by_the_next_start",
        f"{END_TO_END}/test_lost_calls.py::test_a_call_that_waits_after_its_worker_was_killed_is_redirected_once_and_goes_on",
    ),
}
"""Each row's number, and where the same fault is seen."""
