"""A thread that posts spans to an OpenTelemetry collector, so that no call waits for it.

A collector that hangs must not cost a call anything. So spans wait in a bounded queue; if it is
full, or a post fails, they are dropped and counted. Nothing is posted twice.

    resource   acquired         released
    thread     `TraceExport`    `close`, or with the process: it is a daemon
    client     by the thread    by the thread

Source: OpenTelemetry Protocol 1.10, OTLP/HTTP with JSON (read in November 2026).
"""

import json
import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import Any, Literal

import httpx

from telephony.server.tracing import Span, Value
from telephony.settings import Settings

WAITING_SPANS = 2_048
"""How many spans can wait. A worker with 20 calls makes about ten in a second."""

BATCH_SPANS = 256
GATHER_S = 1.0
"""How long the thread waits for more spans before it posts."""

TIMEOUT_S = 5.0
"""How long each step of a post may take."""

LAST_SPANS_S = 1.0
"""How long a worker that stops waits until the last spans are posted."""

type Fate = Literal["exported", "dropped"]

_FAILED = 2
"""`STATUS_CODE_ERROR` of OTLP."""


class TraceExport:
    """Posts spans to a collector. `send` never waits; call `close` at the end.

    Args:
        endpoint: The collector's base URL, to which ``/v1/traces`` is added.
        headers: What each post carries besides, such as an API key.
        told: Called with what became of so many spans, from any thread.
        room: How many spans may wait.
        timeout_s: How long each step of a post may take.
    """

    def __init__(
        self,
        endpoint: str,
        headers: Mapping[str, str],
        told: Callable[[Fate, int], None],
        *,
        room: int = WAITING_SPANS,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._url, self._headers, self._told = f"{endpoint}/v1/traces", headers, told
        self._timeout_s = timeout_s
        self._spans: queue.Queue[Span | None] = queue.Queue(room)
        self._thread = threading.Thread(target=self._post_all, name="traces", daemon=True)
        self._thread.start()

    def send(self, span: Span) -> None:
        """Queue a span, or drop it."""
        try:
            self._spans.put_nowait(span)
        except queue.Full:
            self._told("dropped", 1)

    def close(self, timeout_s: float = LAST_SPANS_S) -> None:
        """Post the waiting spans, for at most so long; blocks. Do not send afterwards."""
        try:
            self._spans.put(None, timeout=timeout_s)
        except queue.Full:
            return
        self._thread.join(timeout_s)

    def _post_all(self) -> None:
        with httpx.Client(trust_env=False, timeout=self._timeout_s) as client:
            goes_on = True
            while goes_on:
                batch, goes_on = self._gather()
                if batch:
                    self._told(self._post(client, batch), len(batch))

    def _gather(self) -> tuple[list[Span], bool]:
        """The next batch, and whether more may follow. Waits for the first span."""
        batch: list[Span] = []
        while len(batch) < BATCH_SPANS:
            try:
                span = self._spans.get(timeout=GATHER_S if batch else None)
            except queue.Empty:
                break
            if span is None:
                return batch, False
            batch.append(span)
        return batch, True

    def _post(self, client: httpx.Client, batch: list[Span]) -> Fate:
        headers = {**self._headers, "content-type": "application/json"}
        try:
            answer = client.post(self._url, content=as_otlp(batch), headers=headers)
        except httpx.HTTPError:
            return "dropped"
        return "exported" if answer.is_success else "dropped"


def export_of(settings: Settings, told: Callable[[Fate, int], None]) -> TraceExport | None:
    """What exports to the collector of the settings; None if there is none."""
    endpoint = settings.otel_exporter_otlp_endpoint
    return None if endpoint is None else TraceExport(endpoint, settings.trace_headers, told)


def as_otlp(spans: Iterable[Span]) -> bytes:
    """An ``ExportTraceServiceRequest`` as OTLP has it in JSON."""
    about = _attributes({"service.name": "offhook", "service.version": version("offhook")})
    scoped = {"scope": {"name": "offhook"}, "spans": [_otlp(span) for span in spans]}
    request = {"resourceSpans": [{"resource": {"attributes": about}, "scopeSpans": [scoped]}]}
    return json.dumps(request, separators=(",", ":"), ensure_ascii=False).encode()


def _otlp(span: Span) -> dict[str, Any]:
    written: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": int(span.kind),
        "startTimeUnixNano": str(span.began_ms * 1_000_000),
        "endTimeUnixNano": str(span.ended_ms * 1_000_000),
        "attributes": _attributes(span.attributes),
    }
    if span.parent_id:
        written["parentSpanId"] = span.parent_id
    if span.failed:
        written["status"] = {"code": _FAILED, "message": span.failed}
    return written


def _attributes(values: Mapping[str, Value]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Value) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": str(value)}
