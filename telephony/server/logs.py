"""Formats the log on standard error: readable lines at a terminal, JSON lines otherwise."""

import atexit
import logging
import sys

import structlog

from telephony.server.log_sink import LogSink

_sinks: list[LogSink] = []


def configure(level: int = logging.INFO) -> None:
    """Configure the process's log: our lines through structlog, and the libraries' warnings."""
    for_a_person = sys.stderr.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
        if for_a_person
        else structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if for_a_person:
        renderer: structlog.typing.Processor = structlog.dev.ConsoleRenderer(
            exception_formatter=structlog.dev.plain_traceback
        )
    else:
        # Without local variables, which would show secrets and the caller's words.
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        shared.append(structlog.processors.ExceptionRenderer(tracebacks))
        shared.append(_most_important_first)
        renderer = structlog.processors.JSONRenderer()
    sink = LogSink(sys.stderr.fileno())
    _sinks.append(sink)
    atexit.register(sink.close)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sink),  # type: ignore[arg-type]  # asks for a whole TextIO
    )
    handler = logging.StreamHandler(sink)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=renderer)
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def warn(sentence: str) -> None:
    """Log a warning that belongs to no room."""
    structlog.get_logger(__name__).warning(sentence)


def dropped_lines() -> int:
    """How many lines of this process's log could not be written."""
    return sum(sink.dropped for sink in _sinks)


def _most_important_first(
    logger: object, method: str, fields: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Put time, level and event first, so that a reader of JSON lines sees them first."""
    del logger, method
    first = {name: fields.pop(name) for name in ("timestamp", "level", "event") if name in fields}
    return {**first, **fields}
