"""Every switch of the simulated Twilio can be set, from a script and from the command line."""

import json
from dataclasses import fields
from enum import Enum

import pytest

from telephony.simulator.fault_table import FaultError, read_faults, switches, with_switches
from telephony.simulator.faults import AfterLoss, CallFaults, LineFaults
from telephony.simulator.script import parse

OTHERS = {
    "line.background": "murmur",
    "upgrade_signature": "wrong",
    "after_loss": "waits",
    "callbacks": "before",
    "ended_ringing": "completed",
    "status_order": "reversed",
    "conference_status": "completed",
    "dial_status": "busy",
    "pickup": "busy",
    "answered_by": "machine_end_beep",
    "status_events": ["initiated", "ringing"],
    "verified_numbers": ["+14155550111"],
}
"""Values that differ from the good day's, of the switches that are words."""


def other(name: str) -> object:
    """A value that is not the good day's."""
    good = switches()[name]
    match good:
        case bool():
            return not good
        case Enum() | str():
            return OTHERS[name]
        case int() | float():
            return 0.5 if name.endswith("_rate") else good + 7
        case (int(), int()):
            return [1, 2]
        case _:
            return OTHERS[name]


def value(faults: CallFaults, name: str) -> object:
    here, _, field = name.rpartition(".")
    found = getattr(faults.line if here else faults, field)
    return list(found) if isinstance(found, tuple) else found


def test_all_switches_are_there() -> None:
    names = {field.name for field in fields(CallFaults)} - {"line"}
    assert switches().keys() == names | {f"line.{field.name}" for field in fields(LineFaults)}


@pytest.mark.parametrize("name", switches())
def test_a_switch_is_set_by_a_table_and_by_the_command_line(name: str) -> None:
    wanted = other(name)
    here, _, field = name.rpartition(".")
    table = {here: {field: wanted}} if here else {field: wanted}
    assert value(read_faults("faults", table), name) == wanted
    if isinstance(wanted, list):
        text = ",".join(str(each) for each in wanted)
    else:
        text = wanted if isinstance(wanted, str) else json.dumps(wanted)
    set_here = with_switches(CallFaults(), [f"{name}={text}"])
    assert value(set_here, name) == wanted
    assert set_here != CallFaults()


def test_a_script_brings_its_faults_and_the_command_line_goes_before_them() -> None:
    script = parse(
        """steps = [{hang_up = true}]
        [faults]
        after_loss = "ends"
        connect_ms = [0, 10]
        line = {odd_sizes = true}
        """
    )
    assert script.faults == CallFaults(
        line=LineFaults(odd_sizes=True), connect_ms=(0, 10), after_loss=AfterLoss.ENDS
    )
    changed = with_switches(script.faults, ["after_loss=waits", "line.drop_rate=0.1"])
    assert changed.after_loss is AfterLoss.WAITS
    assert changed.line == LineFaults(odd_sizes=True, drop_rate=0.1)
    assert changed.connect_ms == (0, 10)


@pytest.mark.parametrize(
    ("switch", "said"),
    [
        ("ping_ms", "expected name=value, such as ping_ms=500, got 'ping_ms'"),
        ("pings=1", "--fault pings: expected one of connect_ms, .*line.stop, got 'pings'"),
        ("line=1", "expected one of"),
        ("ping_ms=soon", "--fault ping_ms: Expected `int`, got `str`, got 'soon'"),
        ("ping_ms=-1", "expected 0 or more, got -1"),
        ("line.stall_rate=2", "expected a chance of 0 to 1, got 2"),
        ("connect_ms=10", "length 2"),
        ("connect_ms=10,5", r"expected the least first, then the most, got \[10, 5\]"),
        ("after_loss=dies", "Invalid enum value 'dies'"),
        ("dial_status=gone", "expected one of completed, .*, got 'gone'"),
        ("status_events=ended", "Invalid enum value 'ended'"),
        ("stream_callbacks=no", "Expected `bool`"),
    ],
)
def test_a_switch_that_cannot_be_set_so_is_said(switch: str, said: str) -> None:
    with pytest.raises(FaultError, match=said):
        with_switches(CallFaults(), [switch])


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ("1", "faults: expected a table of switches, got 1"),
        ("{line = 1}", r"faults.line: expected a table of switches, got 1"),
        ("{line = {stall = 1}}", "faults.line.stall: expected one of"),
        ("{connect_ms = 5}", "faults.connect_ms: Expected `array`, got `int`"),
    ],
)
def test_a_script_whose_faults_cannot_be_set_is_refused(faults: str, said: str) -> None:
    with pytest.raises(FaultError, match=said):
        parse(f"faults = {faults}\nsteps = [{{hang_up = true}}]")
