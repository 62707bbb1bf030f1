"""Prints verdicts for people, for programs and for CI."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import msgspec

from telephony.call.figures import percentile
from telephony.replay.timeline import Timeline
from telephony.replay.verdict import Verdict

_CALLER, _AGENT = 34, 46
"""The widths of the timeline's first two columns."""

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def one_line(verdict: Verdict) -> str:
    """One line for a verdict among many."""
    if verdict.error:
        return f"BAD   {verdict.error}"
    word = "PASS" if verdict.passed else "DIFF"
    cut = "" if verdict.whole else "  (cut off)"
    return f"{word}  {verdict.path}  {_speed(verdict)}  hash {verdict.sha256[:16] or '-'}{cut}"


def details(verdict: Verdict) -> list[str]:
    """The reasons why it did not pass; empty if it passed."""
    if verdict.error or verdict.passed:
        return []
    lines = [f"  {each}" for each in verdict.broken]
    if verdict.bug:
        lines.append(f"  the call failed: {verdict.bug}")
    if verdict.hashes > 1:
        lines.append(f"  expected one hash, got {verdict.hashes}")
    if (found := verdict.difference) is not None:
        lines.append(f"  first difference at expect.jsonl:{found.line} (- expected, + got)")
        lines += [f"      {line}" for line in found.before]
        lines += [f"    - {line}" for line in found.expected or ["(nothing more)"]]
        lines += [f"    + {line}" for line in found.got or ["(nothing more)"]]
    return [*lines, f"  to see it again: {verdict.reproduce}"]


def on_the_wire(verdict: Verdict) -> list[str]:
    """The figures that may differ on the wire; empty if it was not replayed there."""
    if not verdict.measured:
        return []
    late = f"this process was held up for {verdict.stall_ms} ms at most"
    return [f"  on the wire: {each}" for each in [*verdict.measured, late]]


def updated(verdict: Verdict) -> list[str]:
    """The lines that an update changed."""
    if verdict.error or verdict.bug:
        return []
    what = f"{len(verdict.updated)} lines changed" if verdict.updated else "nothing changed"
    return [f"  golden: {what}", *(f"    {line}" for line in verdict.updated)]


def page(verdict: Verdict) -> list[str]:
    """The call as a timeline with its figures."""
    told = verdict.timeline
    if told is None:
        return []
    lines = [f"{'t (ms)':>8}  {'caller':<{_CALLER}}{'agent':<{_AGENT}}wire, model, store"]
    for row in told.rows:
        caller, agent = _fit(row.caller, _CALLER), _fit(row.agent, _AGENT)
        lines.append(f"{row.t:>8}  {caller:<{_CALLER}}{agent:<{_AGENT}}{row.wire}".rstrip())
    return [*lines, _figures(told)]


def total(verdicts: Sequence[Verdict]) -> str:
    """One line that sums up all verdicts."""
    passed = sum(verdict.passed for verdict in verdicts)
    bad = sum(bool(verdict.error) for verdict in verdicts)
    call_ms = sum(verdict.duration_ms for verdict in verdicts)
    cpu_ms = sum(verdict.cpu_ms for verdict in verdicts)
    speed = f"{call_ms / cpu_ms:.0f} times real time per core" if cpu_ms else "nothing replayed"
    return (
        f"{passed} passed, {len(verdicts) - passed - bad} different, {bad} bad; "
        f"{call_ms / 1000:.1f} s of calls in {cpu_ms / 1000:.2f} s of CPU: {speed}"
    )


def to_json(verdicts: Sequence[Verdict]) -> str:
    """All verdicts with all details, as JSON."""
    return msgspec.json.format(msgspec.json.encode(verdicts), indent=2).decode()


def to_junit(verdicts: Sequence[Verdict]) -> bytes:
    """All verdicts as JUnit XML, with a test case for each recording."""
    failures = sum(not (verdict.passed or verdict.error) for verdict in verdicts)
    errors = sum(bool(verdict.error) for verdict in verdicts)
    suite = ET.Element(
        "testsuite",
        name="offhook replay",
        tests=str(len(verdicts)),
        failures=str(failures),
        errors=str(errors),
    )
    for verdict in verdicts:
        time_s = f"{verdict.cpu_ms / 1000:.3f}"
        case = ET.SubElement(suite, "testcase", name=verdict.path, time=time_s)
        if verdict.error:
            ET.SubElement(case, "error", message=_xml(verdict.error))
        elif not verdict.passed:
            why = details(verdict)
            failure = ET.SubElement(case, "failure", message=_xml(why[0].strip()))
            failure.text = _xml("\n".join(why))
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))


def _speed(verdict: Verdict) -> str:
    if verdict.measured:
        return f"{verdict.duration_ms / 1000:.1f} s on the wire"
    speed = verdict.duration_ms / verdict.cpu_ms if verdict.cpu_ms else 0
    return f"{verdict.duration_ms / 1000:.1f} s in {verdict.cpu_ms:.0f} ms ({speed:.0f}x)"


def _figures(told: Timeline) -> str:
    came = told.measured
    return (
        f"response {_spread(came.response_ms)} | heard {_spread(came.ear_to_ear_ms)} | "
        f"barge-ins {came.barge_ins}, held in vain {came.held_in_vain}, "
        f"clear max {max(told.clear_ms, default=0)} ms, talked over {came.talked_over_ms} ms | "
        f"silences {len(came.silence_ms)}, {sum(came.silence_ms)} ms | "
        f"gaps {len(came.gap_ms)}, {sum(came.gap_ms)} ms | lines {told.stored}/{told.lines} stored"
    )


def _spread(values: Sequence[int]) -> str:
    p50, p95, most = (percentile(values, percent) for percent in (50, 95, 100))
    return f"p50 {p50} p95 {p95} max {most} ms of {len(values)}"


def _fit(text: str, width: int) -> str:
    return text if len(text) < width else text[: width - 3] + "… "


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
