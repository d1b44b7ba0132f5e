"""Telemetry by Powertools: structured logs, EMF metrics, and spans as log records.

A span is one log line, ``{"span": {...}}``, in OpenTelemetry's terms and with its ``gen_ai.*`` names, so that a
collector or a query of CloudWatch Logs can rebuild the trace. Where the invocation is a run's, the trace and the parent
are the run's own (`pentad.domain.tracing`); else the trace is X-Ray's, and the span its first: no other backend ever
gets X-Ray's segments. The segment is a link. The X-Ray SDK is in maintenance mode and is not used.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from datetime import datetime
from typing import Any, TextIO

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import RESERVED_LOG_ATTRS

from pentad.domain.tracing import (
    EndedSpan,
    SpanKind,
    SpanValue,
    TraceContext,
    derive_span_id,
    enter_invocation,
    enter_place,
    find_root_place,
    get_open_place,
)
from pentad.observability.adapters.emf import EmfMetrics
from pentad.observability.logs.redact import RedactingFilter, serialize_line
from pentad.observability.metrics.names import NAMESPACE
from pentad.observability.ports import Attribute, Span
from pentad.observability.spans.trace_parent import TraceParent

_RESERVED = frozenset(RESERVED_LOG_ATTRS) | {"message", "service", "span", "event", "exception", "stack_trace"}


class _OpenSpan:
    """A span that has not ended."""

    def __init__(
        self,
        name: str,
        place: TraceContext,
        parent_id: str | None,
        start: int,
        kind: SpanKind,
        attributes: Mapping[str, SpanValue],
    ) -> None:
        self.name = name
        self.place = place
        self.parent_id = parent_id
        self.start = start
        self.kind = kind
        self.attributes = dict(attributes)

    def set(self, name: str, value: SpanValue) -> None:
        """See `Span`."""
        self.attributes[name] = value


class PowertoolsTelemetry:
    """One per process; `bind` opens and closes an invocation.

    Args:
        service: the function's name in logs, such as ``tool-notes``. Two of one name share a logger.
        stage: dev, staging or prod: the dimension of every metric.
        level: the least level that is logged.
        trace_header: gives the value of ``_X_AMZN_TRACE_ID`` at the start of an invocation.
        stream: where lines go; standard output where None.
        clock_ns: nanoseconds since the epoch.
        told_apart: by dimension of metrics, the declared names that are told apart where there are too many.
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
        clock_ns: Callable[[], int] = time.time_ns,
        told_apart: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        # Powertools configures the logger of this name; lines then go through it as the standard library's.
        Logger(
            service=service,
            level=level,
            stream=stream,
            # The last step before the line is written: message, keys, exception and traceback all pass here.
            json_serializer=serialize_line,
            use_rfc3339=True,
            utc=True,
            location=None,
            sampling_rate=None,
        )
        self._logger = logging.getLogger(service)
        self._metrics = EmfMetrics(
            namespace=namespace,
            stage=stage,
            service=service,
            stream=stream,
            told_apart=told_apart,
            report=self._report_other,
        )
        self._trace_header = trace_header
        self._clock_ns = clock_ns
        # Of the invocation, on the object: threads that the invocation starts share them. A Lambda instance serves one
        # invocation at a time.
        self._bound: dict[str, Attribute] | None = None
        self._xray = TraceParent.from_header(None)
        self._request_id = ""
        self._made: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        # Of a block or a span, in the context: threads do not see each other's.
        self._keys: ContextVar[Mapping[str, Attribute]] = ContextVar("pentad_telemetry_keys", default={})  # noqa: B039
        self._within: ContextVar[bool] = ContextVar("pentad_telemetry_within", default=False)
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
        token, within = self._keys.set({**self._keys.get(), **known}), self._within.set(True)
        place = _find_bound_place(known)
        try:
            with nullcontext() if place is None else enter_place(place):
                yield
        finally:
            self._within.reset(within)
            self._keys.reset(token)

    @contextmanager
    def _bind_invocation(self, keys: dict[str, Attribute]) -> Iterator[None]:
        self._bound = keys
        self._xray = TraceParent.from_header(self._trace_header())
        self._request_id = str(keys.get("request_id", ""))
        self._made.clear()
        enter_invocation(_find_bound_place(keys))
        try:
            yield
        finally:
            self._bound = None
            self._xray = TraceParent.from_header(None)
            enter_invocation(None)
            self._metrics.flush()

    @contextmanager
    def span(
        self,
        name: str,
        attributes: Mapping[str, SpanValue] | None = None,
        *,
        kind: SpanKind = "INTERNAL",
        place: TraceContext | None = None,
        final: tuple[type[BaseException], ...] = (),
    ) -> Iterator[Span]:
        """See `Telemetry`."""
        outer = get_open_place()
        own = place or self._derive_place(name, outer)
        parent_id = None if outer is None else outer.span_id
        span = _OpenSpan(name, own, parent_id, self._clock_ns(), kind, attributes or {})
        failure: BaseException | None = None
        try:
            with enter_place(own):
                yield span
        except BaseException as error:
            failure = error
            raise
        finally:
            # The end is never before the start, even if the clock is set back meanwhile.
            end = max(self._clock_ns(), span.start)
            if failure is not None and outer is not None and not isinstance(failure, final):
                # Another try may follow, which has the place: a backend keeps one span of an id. Of no run each try has
                # its own.
                own = TraceContext(own.trace_id, derive_span_id(own.span_id, self._request_id))
            error_type = None if failure is None else type(failure).__name__
            self._write(name, own, parent_id, kind, (span.start, end), span.attributes, error_type, ())

    def record_span(self, span: EndedSpan) -> None:
        """See `Telemetry`."""
        times = (_to_nanoseconds(span.start), _to_nanoseconds(max(span.start, span.end)))
        self._write(span.name, span.place, span.parent_id, span.kind, times, span.attributes, span.error, span.links)

    def join(self, place: TraceContext) -> None:
        """See `Telemetry`. It ends with the invocation."""
        if self._bound is not None:
            enter_invocation(place)

    def add_keys(self, **keys: Attribute | None) -> None:
        """See `Telemetry`. Outside of an invocation there is no line that would follow."""
        known = {_escape_name(name): value for name, value in keys.items() if value is not None}
        if self._within.get():
            self._keys.set({**self._keys.get(), **known})
        elif self._bound is not None:
            self._bound = {**self._bound, **known}

    def _derive_place(self, name: str, outer: TraceContext | None) -> TraceContext:
        """Return the place of the next span of this name: the same in a retry, which does all in the same order."""
        bound = self._bound or {}
        if outer is None:
            # Of no run: the first of a trace, and each try is another.
            outer = TraceContext(self._xray.trace_id, self._request_id or self._xray.span_id or "")
        with self._lock:
            self._made[outer.span_id, name] += 1
            count = self._made[outer.span_id, name]
        # Several invocations of a run are below its root: those of its steps, and of the calls of a step.
        which = [str(bound.get(key, "")) for key in ("op", "step", "index")]
        return TraceContext(outer.trace_id, derive_span_id(outer.span_id, *which, name, count))

    def _write(
        self,
        name: str,
        place: TraceContext,
        parent_id: str | None,
        kind: SpanKind,
        times: tuple[int, int],
        attributes: Mapping[str, SpanValue],
        error: str | None,
        links: tuple[TraceContext, ...],
    ) -> None:
        """Write a span's line; times are nanoseconds since the epoch."""
        told = {**attributes, **({"error.type": error} if error else {})}
        linked = [{"trace_id": one.trace_id, "span_id": one.span_id} for one in links]
        if self._xray.span_id is not None and (self._xray.trace_id != place.trace_id or parent_id is None):
            linked.append({"trace_id": self._xray.trace_id, "span_id": self._xray.span_id})
            told["pentad.xray.trace_id"] = f"1-{self._xray.trace_id[:8]}-{self._xray.trace_id[8:]}"
        record = {
            "trace_id": place.trace_id,
            "span_id": place.span_id,
            "parent_id": parent_id,
            "name": name,
            "kind": kind,
            "start": times[0],
            "end": times[1],
            "status": "ERROR" if error else "OK",
            "attributes": told,
        } | ({"links": linked} if linked else {})
        self._logger.info(name, extra=self._build_extra({"span": record}))

    def count(self, name: str, value: float = 1, *, unit: str = "Count", **dimensions: str) -> None:
        """See `Telemetry`. Outside of an invocation it is written at once."""
        self._metrics.add(name, value, unit, dimensions)
        if self._bound is None:
            self._metrics.flush()

    def _report_other(self, metric: str, dimension: str, value: str) -> None:
        self.log_event("metrics.other", level="WARNING", metric=metric, dimension=dimension, value=value)

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


def _find_bound_place(keys: Mapping[str, Attribute]) -> TraceContext | None:
    """Return the place of the run that the keys name."""
    tenant_id, run_id = keys.get("tenant"), keys.get("run")
    return find_root_place(tenant_id, run_id) if isinstance(tenant_id, str) and isinstance(run_id, str) else None


def _to_nanoseconds(at: datetime) -> int:
    """Return nanoseconds since the epoch; by whole numbers, since a float of today has no nanoseconds."""
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1_000


def install_root_filters() -> None:
    """Mask what libraries log: put the filter on each handler of the root logger, once."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(existing, RedactingFilter) for existing in handler.filters):
            handler.addFilter(RedactingFilter())
