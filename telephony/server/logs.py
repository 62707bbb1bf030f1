"""Formats the log on standard error: readable lines at a terminal, JSON lines otherwise.

No personal item is logged, whoever's words an exception has in its text: whatever is written here
is masked, by every kind that `agent.privacy.items` knows. An exception that nobody caught is
logged, too, before the process or the thread ends, so that it is written nowhere else.
"""

import atexit
import logging
import sys
import threading
from types import TracebackType
from typing import Any

import structlog

from agent.privacy.items import masked
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
        shared += [structlog.processors.format_exc_info, _masked]
        renderer: structlog.typing.Processor = structlog.dev.ConsoleRenderer(
            exception_formatter=structlog.dev.plain_traceback
        )
    else:
        # Without local variables, which would show secrets and the caller's words.
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        shared.append(structlog.processors.ExceptionRenderer(tracebacks))
        shared += [_masked, _most_important_first]
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
    sys.excepthook, threading.excepthook = _crashed, _thread_crashed
    sys.unraisablehook = _raised_in_vain


def warn(sentence: str) -> None:
    """Log a warning that belongs to no room."""
    structlog.get_logger(__name__).warning(sentence)


def dropped_lines() -> int:
    """How many lines of this process's log could not be written."""
    return sum(sink.dropped for sink in _sinks)


_PLAIN = frozenset({"timestamp", "level", "call_sid", "stream_sid"})
"""Fields that come from no person."""


def _masked(
    logger: object, method: str, fields: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Mask every personal item in the texts of a line, and in those of its exception."""
    del logger, method
    return {
        name: value if name in _PLAIN or name.startswith("_") else _mask(value)
        for name, value in fields.items()
    }


def _mask(value: Any) -> Any:
    match value:
        case bool() | int() | float() | None:
            return value
        case str():
            return masked(str(value))
        case dict():
            return {name: _mask(each) for name, each in value.items()}
        case list() | tuple():
            return [_mask(each) for each in value]
        case _:
            return masked(repr(value))


def _crashed(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    _log_crash("the process ends with an exception", kind, error, traceback)


def _thread_crashed(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_value is not None and crash.exc_type is not SystemExit:
        what = "a thread ends with an exception"
        _log_crash(what, crash.exc_type, crash.exc_value, crash.exc_traceback)


def _raised_in_vain(crash: Any) -> None:
    """An exception where nobody can catch it, such as while an object is collected."""
    if crash.exc_value is not None:
        what = "an exception was raised where nobody can catch it"
        _log_crash(what, crash.exc_type, crash.exc_value, crash.exc_traceback)


def _log_crash(
    what: str,
    kind: type[BaseException],
    error: BaseException,
    traceback: TracebackType | None,
) -> None:
    structlog.get_logger(__name__).error(what, exc_info=(kind, error, traceback))


def _most_important_first(
    logger: object, method: str, fields: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Put time, level and event first, so that a reader of JSON lines sees them first."""
    del logger, method
    first = {name: fields.pop(name) for name in ("timestamp", "level", "event") if name in fields}
    return {**first, **fields}
