"""A collector that answers gets each span once; one that hangs or refuses costs only the spans."""

import socket
from collections import Counter
from typing import Any

from telephony.server.trace_export import TraceExport
from telephony.server.tracing import Kind, Span
from tests.collector import collecting

SPAN = Span(
    "chat a-model",
    "0af7651916cd43dd8448eb211c80319c",
    "b7ad6b7169203331",
    "00f067aa0ba902b7",
    Kind.CLIENT,
    1_700_000_000_000,
    1_700_000_001_250,
    {"gen_ai.provider.name": "gcp.gemini", "offhook.line": 3, "offhook.cut": True, "usd": 0.5},
)


def exported(url: str, spans: int, **options: Any) -> Counter[str]:
    """What became of so many spans."""
    fates: Counter[str] = Counter()
    export = TraceExport(
        url, {"x-key": "secret"}, lambda fate, n: fates.update({fate: n}), **options
    )
    for _ in range(spans):
        export.send(SPAN)
    export.close(30)
    return fates


def test_each_span_arrives_once_as_the_protocol_has_it() -> None:
    with collecting() as collector:
        fates = exported(f"http://127.0.0.1:{collector.server_port}", 600)
    assert fates == {"exported": 600}
    assert len(collector.spans) == 600
    assert len(collector.posts) == 3
    assert {(path, key) for path, key, _ in collector.posts} == {("/v1/traces", "secret")}
    assert collector.spans[0] == {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "parentSpanId": "00f067aa0ba902b7",
        "name": "chat a-model",
        "kind": 3,
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000001250000000",
        "attributes": [
            {"key": "gen_ai.provider.name", "value": {"stringValue": "gcp.gemini"}},
            {"key": "offhook.line", "value": {"intValue": "3"}},
            {"key": "offhook.cut", "value": {"boolValue": True}},
            {"key": "usd", "value": {"doubleValue": 0.5}},
        ],
    }


def test_spans_that_a_collector_refuses_are_counted_and_posted_once() -> None:
    with collecting(503) as collector:
        fates = exported(f"http://127.0.0.1:{collector.server_port}", 5)
    assert fates == {"dropped": 5}
    assert len(collector.spans) == 5


def test_a_collector_that_hangs_takes_no_room_beyond_the_queue_and_every_span_is_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        url = f"http://127.0.0.1:{hangs.getsockname()[1]}"
        fates = exported(url, 5_000, room=10, timeout_s=0.2)
    assert fates == {"dropped": 5_000}


def test_nobody_who_closes_waits_for_a_collector_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        url = f"http://127.0.0.1:{hangs.getsockname()[1]}"
        export = TraceExport(url, {}, lambda _fate, _n: None, room=1, timeout_s=3600)
        for _ in range(10):
            export.send(SPAN)
        export.close(0.1)
