"""All metrics, with their buckets. Their names begin with `offhook_`."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from agent.conversation.commands import CloseModel, OpenModel, SayToModel
from agent.conversation.events import (
    Interrupted,
    SessionLost,
    SessionReady,
    SessionRefused,
    UnknownModelMessage,
    UsageReported,
)
from agent.conversation.meter import NANO
from agent.gemini.breaker import State
from telephony.call.commands import NO_REPLY, Command, EndCall, SendClear, SendMedia
from telephony.call.events import (
    CallOpened,
    Event,
    LinesStored,
    StoreAway,
    StreamEnded,
    StreamStarted,
)
from telephony.server.logs import dropped_lines
from telephony.server.measured_metrics import MeasuredMetrics
from telephony.server.observers import Kinds
from telephony.twilio.messages import Malformed, Stop

GREETING_BUCKETS_S = (0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 8)


class _LogLines(Collector):
    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "offhook_log_lines_dropped", "Log lines that could not be written.", dropped_lines()
        )


class Metrics:
    """An observer of all calls of one worker. The sockets also count here.

    Attributes:
        registry: All metrics.
        measured: Those of what `Measuring` finds.
    """

    wants: Kinds = frozenset(
        {
            CallOpened,
            CloseModel,
            EndCall,
            Interrupted,
            LinesStored,
            Malformed,
            OpenModel,
            SayToModel,
            SendClear,
            SendMedia,
            SessionLost,
            SessionReady,
            SessionRefused,
            Stop,
            StoreAway,
            StreamEnded,
            StreamStarted,
            UnknownModelMessage,
            UsageReported,
        }
    )

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, what: str, labels: Sequence[str] = ()) -> Counter:
            return Counter(f"offhook_{name}", what, labels, registry=self.registry)

        self._opened = counter("calls_opened", "Calls opened on this worker.")
        self._ended = counter("calls_ended", "Calls ended on this worker.", ["reason"])
        self._dialled = counter("dials", "Calls that were to be placed.", ["result"])
        self._not_begun = counter("calls_not_begun", "Calls that were not begun.", ["reason"])
        self._spent = counter(
            "spent_usd", "Cost of calls that are over, in US dollars; unknown prices count as none."
        )
        self._streams = counter("streams_started", "Media streams that started with a valid token.")
        self._streams_ended = counter("streams_ended", "Media streams that ended.", ["how"])
        self._refused = counter("refused", "Requests and streams refused.", ["what", "why"])
        self._malformed = counter(
            "malformed", "Messages of media streams that were ignored.", ["reason"]
        )
        self._sessions = counter(
            "sessions", "Model sessions dialled (fresh, resumed) and ready.", ["kind"]
        )
        self._fallbacks = counter(
            "sessions_fallback", "Model sessions dialled with the fallback model."
        )
        self._sessions_lost = counter("sessions_lost", "Model sessions lost.", ["code"])
        self._sessions_refused = counter("sessions_refused", "Model sessions refused.", ["code"])
        self._troubles = counter(
            "model_troubles", "Times the model did not answer the caller.", ["what", "remedy"]
        )
        self._unknown = counter(
            "model_messages_unknown", "Messages of the model that offhook does not know."
        )
        self._interrupted = counter("interruptions", "Interruptions the model reported.")
        self._clears = counter("clears", "Times Twilio's buffer was cleared.")
        self._audio = counter("reply_audio_seconds", "Reply audio sent to callers.")
        self._waits = counter("waiting_sounds", "Times a caller who waited heard a sound.")
        self._lost = counter(
            "caller_audio_lost_seconds", "Caller audio that no model session heard."
        )
        self._dropped = counter(
            "reply_audio_dropped_seconds", "Reply audio dropped because too much was waiting."
        )
        self._tokens = counter("tokens", "Model tokens billed.", ["kind"])
        self._stored = counter("store_confirmations", "Batches of transcript lines stored.")
        self._away = counter("store_away", "Times that the store went away for a call.", ["why"])
        self._observers_failed = counter(
            "observers_failed", "Calls for which a failed observer was switched off.", ["observer"]
        )
        self._recordings_dropped = counter(
            "recordings_dropped", "Recordings that ended before their call.", ["why"]
        )
        self._summaries = counter(
            "summaries", "Attempts to have a call summarised, by their result.", ["result"]
        )
        self._summaries_paid = counter(
            "summaries_usd", "Cost of summaries, in US dollars; unknown prices count as none."
        )
        self._besides_paid = counter(
            "besides_usd",
            "Cost of other lines and text messages, which is not in spent_usd, in US dollars.",
            ["what"],
        )
        self._posts = counter(
            "webhook_posts",
            "Posts to WEBHOOK_URL by the status of the answer, and those that were given up.",
            ["answer"],
        )
        self._rest_failed = counter(
            "twilio_requests_failed",
            "Requests to Twilio's REST API about running calls that failed, each attempt.",
            ["why"],
        )
        self._stalled = counter(
            "loop_stalled_seconds",
            "How long the event loop was stuck for 0.1 s or more.",
        )
        self._traced = counter(
            "trace_spans", "Spans for OpenTelemetry, and what became of them.", ["fate"]
        )
        self._store_away = Gauge(
            "offhook_store_away_calls", "Calls that wait for the store.", registry=self.registry
        )
        self._breaker = Gauge(
            "offhook_model_breaker",
            "1 for the present state of the breaker of the model or the fallback model.",
            ["model", "state"],
            registry=self.registry,
        )
        self.breaker_changed(State.CLOSED)
        self.breaker_changed(State.CLOSED, fallback=True)
        self._active = Gauge(
            "offhook_calls_active", "Calls that are running.", registry=self.registry
        )
        self._greeting = Histogram(
            "offhook_first_audio_seconds",
            "Time from a call's first stream on this worker to the first audio.",
            buckets=GREETING_BUCKETS_S,
            registry=self.registry,
        )
        self.measured = MeasuredMetrics(self.registry)
        self.registry.register(_LogLines())
        self._started_ms: dict[str, int] = {}
        self._open_streams: dict[str, str] = {}

    def look_at(self, active: Callable[[], int], waiting: Callable[[], int]) -> None:
        """Set the functions that return how many calls run, and how many wait for the store."""
        self._active.set_function(active)
        self._store_away.set_function(waiting)

    def render(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def refused(self, what: str, why: str) -> None:
        """A webhook, an upgrade or a stream was refused."""
        self._refused.labels(what, why).inc()

    def not_begun(self, reason: str) -> None:
        """A call was not begun: its caller is blocked, or it is too late, or too dear."""
        self._not_begun.labels(reason).inc()

    def dialled(self, result: str) -> None:
        """A call was placed, or not: the rule that refused it, or another word for why."""
        self._dialled.labels(result).inc()

    def malformed(self, reason: str) -> None:
        """A message of a stream was ignored."""
        self._malformed.labels(reason).inc()

    def breaker_changed(self, now: State, *, fallback: bool = False) -> None:
        """The state of a model's breaker has changed."""
        model = "fallback" if fallback else "first"
        for state in State:
            self._breaker.labels(model, state.value).set(state is now)

    def summarised(self, result: str) -> None:
        """A call was to be summarised: ``done``, ``empty``, ``failed`` or ``retry``."""
        self._summaries.labels(result).inc()

    def paid_for_summary(self, usd: float) -> None:
        """A summary has cost this, in US dollars."""
        self._summaries_paid.inc(usd)

    def paid_besides(self, what: str, usd: float) -> None:
        """A leg, a line or a text message has cost this, in US dollars."""
        self._besides_paid.labels(what).inc(usd)

    def posted(self, answer: str) -> None:
        """A call was posted to the webhook, and answered with this status."""
        self._posts.labels(answer).inc()

    def rest_failed(self, why: str) -> None:
        """A request to Twilio's REST API failed: a status, or the kind of an error."""
        self._rest_failed.labels(why).inc()

    def stalled(self, s: float) -> None:
        """The event loop was stuck for so long, in s. May be called from any thread."""
        self._stalled.inc(s)

    def traced(self, fate: str, spans: int) -> None:
        """Spans were exported, or dropped. May be called from any thread."""
        self._traced.labels(fate).inc(spans)

    def observer_failed(self, observer: str) -> None:
        """An observer raised, and is switched off for that call."""
        self._observers_failed.labels(observer).inc()

    def recording_dropped(self, why: str) -> None:
        """A recording ended before its call. May be called from any thread."""
        self._recordings_dropped.labels(why).inc()

    def __call__(
        self, call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]
    ) -> None:
        """Count one step of one call."""
        self._count_event(call_sid, event, now_ms)
        for command in commands:
            self._count_command(call_sid, command, now_ms)

    def _count_event(self, call_sid: str, event: Event, now_ms: int) -> None:
        match event:
            case CallOpened():
                self._opened.inc()
            case StreamStarted():
                self._streams.inc()
                self._open_streams[call_sid] = event.stream_sid
                self._started_ms[call_sid] = now_ms
            case StreamEnded():
                self._stream_ended(call_sid, event.stream_sid, event.how)
            case Stop():
                self._stream_ended(call_sid, event.stream_sid, "stop")
            case Malformed():
                self.malformed(event.reason)
            case SessionReady():
                self._sessions.labels("ready").inc()
            case SessionLost():
                self._sessions_lost.labels(str(event.code)).inc()
            case SessionRefused():
                self._sessions_refused.labels(str(event.code)).inc()
            case Interrupted():
                self._interrupted.inc()
            case UnknownModelMessage():
                self._unknown.inc()
            case UsageReported():
                self._tokens.labels("prompt").inc(event.prompt_tokens)
                self._tokens.labels("response").inc(event.response_tokens)
                self._tokens.labels("thought").inc(event.thought_tokens)
            case LinesStored():
                self._stored.inc()
            case StoreAway():
                self._away.labels(event.why).inc()
            case _:
                pass

    def _stream_ended(self, call_sid: str, stream_sid: str, how: str) -> None:
        """Count the end of a stream once, although Twilio reports it up to three times."""
        if self._open_streams.get(call_sid) == stream_sid:
            del self._open_streams[call_sid]
            self._streams_ended.labels(how).inc()

    def _count_command(self, call_sid: str, command: Command, now_ms: int) -> None:
        match command:
            case OpenModel():
                self._sessions.labels("resumed" if command.handle else "fresh").inc()
                self._fallbacks.inc(command.fallback)
            case CloseModel(trouble=trouble) if trouble:
                self._troubles.labels(trouble, "reconnect").inc()
            case SayToModel(trouble=trouble) if trouble:
                self._troubles.labels(trouble, "nudge").inc()
            case SendMedia() if command.reply == NO_REPLY:
                self._waits.inc()
            case SendMedia():
                self._audio.inc(len(command.ulaw) / 8000)
                if (started_ms := self._started_ms.pop(call_sid, None)) is not None:
                    self._greeting.observe((now_ms - started_ms) / 1000)
            case SendClear():
                self._clears.inc()
            case EndCall():
                if command.final and command.cost is not None:
                    self._spent.inc(command.cost / NANO)
                self._ended.labels(command.reason).inc()
                self._lost.inc(command.caller_lost_ms / 1000)
                self._dropped.inc(command.reply_dropped_ms / 1000)
                self._started_ms.pop(call_sid, None)
                if self._open_streams.pop(call_sid, None) is not None:
                    self._streams_ended.labels("call ended").inc()
            case _:
                pass
