"""Telemetry by Powertools: structured logs, EMF metrics, and spans as log records.

A span is one log line, ``{"span": {...}}``, in OpenTelemetry's terms and with its ``gen_ai.*`` names, so that a
collector or a query of CloudWatch Logs can rebuild the trace; its parent is the invocation's X-Ray segment. The X-Ray
SDK is in maintenance mode and is not used.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import RESERVED_LOG_ATTRS

from pentad.observability.logs.redact import RedactingFilter, redact
from pentad.observability.metrics.adapters.emf import EmfMetrics
from pentad.observability.metrics.names import NAMESPACE
from pentad.observability.ports import Attribute, Span
from pentad.observability.spans.trace_parent import TraceParent, make_span_id

_RESERVED = frozenset(RESERVED_LOG_ATTRS) | {"message", "service", "span", "event", "exception", "stack_trace"}


class _OpenSpan:
    """A span that has not ended."""

    def __init__(self, name: str, parent: TraceParent, start: int, attributes: Mapping[str, Attribute]) -> None:
        self.name = name
        self.parent = parent
        self.start = start
        self.span_id = make_span_id()
        self.attributes = dict(attributes)

    def set(self, name: str, value: Attribute) -> None:
        """See `Span`."""
        self.attributes[name] = value

    def record(self, end: int, error: BaseException | None) -> dict[str, Any]:
        """Return the span as it is logged; times are nanoseconds since the epoch."""
        attributes = self.attributes | ({"error.type": type(error).__name__} if error else {})
        return {
            "trace_id": self.parent.trace_id,
            "span_id": self.span_id,
            "parent_id": self.parent.span_id,
            "name": self.name,
            "start": self.start,
            "end": end,
            "status": "ERROR" if error else "OK",
            "attributes": attributes,
        }


class PowertoolsTelemetry:
    """One per process; `bind` opens and closes an invocation.

    Args:
        service: the function's name in logs, such as ``tool-notes``. Two of one name share a logger.
        stage: dev, staging or prod: the dimension of every metric.
        level: the least level that is logged.
        trace_header: gives the value of ``_X_AMZN_TRACE_ID`` at the start of an invocation.
        stream: where lines go; standard output where None.
        mask_emails: mask e-mail addresses too.
        clock_ns: nanoseconds since the epoch.
    """

    def __init__(
        self,
        *,
        service: str,
        stage: str,
        level: str = "INFO",
        namespace: str = NAMESPACE,
        trace_header: Callable[[], str | None] = lambda: None,
        stream: TextIO | None = None,
        mask_emails: bool = False,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        def serialize_record(record: Any) -> str:
            # The last step before the line is written: message, keys, exception and traceback all pass here.
            return json.dumps(redact(record, emails=mask_emails), ensure_ascii=False, separators=(",", ":"))

        # Powertools configures the logger of this name; lines then go through it as the standard library's.
        Logger(
            service=service,
            level=level,
            stream=stream,
            json_serializer=serialize_record,
            use_rfc3339=True,
            utc=True,
            location=None,
            sampling_rate=None,
        )
        self._logger = logging.getLogger(service)
        self._metrics = EmfMetrics(namespace=namespace, stage=stage, service=service, stream=stream)
        self._trace_header = trace_header
        self._clock_ns = clock_ns
        # Of the invocation, on the object: threads that the invocation starts share them. A Lambda instance serves one
        # invocation at a time.
        self._bound: dict[str, Attribute] | None = None
        self._parent = TraceParent.from_header(None)
        # Of a block or a span, in the context: threads do not see each other's.
        self._keys: ContextVar[Mapping[str, Attribute]] = ContextVar("pentad_telemetry_keys", default={})  # noqa: B039
        self._span: ContextVar[_OpenSpan | None] = ContextVar("pentad_telemetry_span", default=None)
        install_root_filters()

    @contextmanager
    def bind(self, **keys: Attribute | None) -> Iterator[None]:
        """Add keys (tenant, run, session, step, ...) to every line inside; the outermost block is the invocation.

        When the invocation ends, its keys and spans are gone and its metrics are written, whatever happened inside.
        """
        known = {_escape_name(name): value for name, value in keys.items() if value is not None}
        if self._bound is None:
            with self._bind_invocation(known):
                yield
            return
        token = self._keys.set({**self._keys.get(), **known})
        try:
            yield
        finally:
            self._keys.reset(token)

    @contextmanager
    def _bind_invocation(self, keys: dict[str, Attribute]) -> Iterator[None]:
        self._bound = keys
        self._parent = TraceParent.from_header(self._trace_header())
        try:
            yield
        finally:
            self._bound = None
            self._parent = TraceParent.from_header(None)
            self._metrics.flush()

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Attribute] | None = None) -> Iterator[Span]:
        """See `Telemetry`."""
        outer = self._span.get()
        parent = self._parent if outer is None else TraceParent(outer.parent.trace_id, outer.span_id)
        span = _OpenSpan(name, parent, self._clock_ns(), attributes or {})
        token = self._span.set(span)
        failure: BaseException | None = None
        try:
            yield span
        except BaseException as error:
            failure = error
            raise
        finally:
            self._span.reset(token)
            # The end is never before the start, even if the clock is set back meanwhile.
            record = span.record(max(self._clock_ns(), span.start), failure)
            self._logger.info(name, extra=self._build_extra({"span": record}))

    def count(self, name: str, value: float = 1, *, unit: str = "Count", **dimensions: str) -> None:
        """See `Telemetry`. Outside of an invocation it is written at once."""
        self._metrics.add(name, value, unit, dimensions)
        if self._bound is None:
            self._metrics.flush()

    def log_event(self, name: str, /, *, level: str = "INFO", **fields: Attribute | None) -> None:
        """See `Telemetry`."""
        given = {_escape_name(field): value for field, value in fields.items() if value is not None}
        number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
        self._logger.log(number, name, extra=self._build_extra({"event": name, **given}))

    def _build_extra(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {**(self._bound or {}), **self._keys.get(), **fields}


def _escape_name(name: str) -> str:
    """Return the name of a field, moved out of the way where logging or Powertools has a use for it."""
    return f"{name}_" if name in _RESERVED else name


def install_root_filters() -> None:
    """Mask what libraries log: put the filter on each handler of the root logger, once."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(existing, RedactingFilter) for existing in handler.filters):
            handler.addFilter(RedactingFilter())
