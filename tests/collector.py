"""A collector of OpenTelemetry, as far as a test needs one: OTLP over HTTP, in JSON."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Collector(ThreadingHTTPServer):
    """A collector: keeps what is posted, and answers with `status`."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.status = status
        self.posts: list[tuple[str, str | None, dict[str, Any]]] = []

    @property
    def spans(self) -> list[dict[str, Any]]:
        """All spans so far."""
        return [
            span
            for _, _, body in self.posts
            for resource in body["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


class _Post(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        """Keep what was posted."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.posts.append((self.path, self.headers["x-key"], body))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def collecting(status: int = 200) -> Iterator[Collector]:
    """Run a collector until the block ends."""
    with Collector(status) as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            collector.shutdown()
            thread.join()
