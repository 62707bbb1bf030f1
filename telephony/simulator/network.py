"""The delays between the parts of a world."""

from dataclasses import dataclass

from telephony.simulator.pipe import Span


@dataclass(frozen=True, slots=True)
class Network:
    """The delays, in ms, least and most.

    Args:
        twilio_ms: One way between Twilio and a worker.
        gemini_ms: One way between a worker and Gemini.
        store_ms: Until a line or a checkpoint is safe.
        connect_ms: From the first webhook's answer to the stream's WebSocket.
        resume_webhook_ms: From a lost stream to the next webhook.
        reconnect_ms: From a lost stream to the next WebSocket; 730 was measured.
    """

    twilio_ms: Span = (35, 45)
    gemini_ms: Span = (25, 35)
    store_ms: Span = (1, 5)
    connect_ms: Span = (100, 400)
    resume_webhook_ms: Span = (300, 500)
    reconnect_ms: Span = (730, 930)


GOOD = Network()
