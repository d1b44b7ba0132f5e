"""An embedder, runs and telemetry in memory."""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pentad.domain.errors import NotFound, PentadError
from pentad.domain.models import CallContext, EmbedReply
from pentad.domain.runs import Manifest, Run, RunStatus
from pentad.domain.tracing import EndedSpan, SpanKind, SpanValue, TraceContext
from pentad.domain.usage import Usage
from pentad.observability.metrics.table import check_count
from pentad.observability.ports import Attribute, Span
from pentad.observability.spans.conventions import check_span

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RUN = "run_00000000000000000000000001"
DIMENSIONS = 256


@dataclass
class Clock:
    """Goes on by a second with every look."""

    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class WordEmbedder:
    """Counts words: texts that share words are near. ``failures`` are raised first, one a call."""

    failures: list[PentadError] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    contexts: list[CallContext] = field(default_factory=list)

    def embed(
        self, texts: Sequence[str], context: CallContext, *, deadline: float, dimensions: int | None = None
    ) -> EmbedReply:
        if self.failures:
            raise self.failures.pop(0)
        self.texts.extend(texts)
        self.contexts.append(context)
        return EmbedReply(
            vectors=tuple(map(embed, texts)),
            provider="fake",
            model="words",
            dimensions=DIMENSIONS,
            usage=Usage(),
            cost_nanousd=0,
        )


def embed(text: str) -> tuple[float, ...]:
    values = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()) or [text]:
        values[int.from_bytes(hashlib.sha256(word.encode()).digest()[:2], "big") % DIMENSIONS] += 1.0
    norm = math.hypot(*values)
    return tuple(value / norm for value in values)


@dataclass
class Runs:
    """The part of the runs' store that recall needs."""

    runs: dict[str, Run] = field(default_factory=dict)

    def get(self, tenant_id: str, run_id: str) -> Run:
        if run_id not in self.runs or self.runs[run_id].tenant_id != tenant_id:
            raise NotFound("no such run")
        return self.runs[run_id]

    def set_manifest(self, tenant_id: str, run_id: str, manifest: Manifest) -> Run:
        current = self.get(tenant_id, run_id)
        if current.manifest is None:
            current = current.model_copy(update={"manifest": manifest, "status": RunStatus.RUNNING})
            self.runs[run_id] = current
        return current

    def set_status(self, tenant_id: str, run_id: str, status: RunStatus, *, waited_seconds: float = 0) -> Run:
        self.runs[run_id] = self.get(tenant_id, run_id).model_copy(update={"status": status})
        return self.runs[run_id]


class _Span:
    def set(self, name: str, value: SpanValue) -> None:
        """Forget it."""


@dataclass
class Counts:
    """Telemetry that keeps the counts, by name and dimensions, and the events' names."""

    counts: dict[str, float] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)

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
        check_span(name, kind, dict(attributes or {}))
        yield _Span()

    def record_span(self, span: EndedSpan) -> None:
        check_span(span.name, span.kind, span.attributes)

    def join(self, place: TraceContext) -> None:
        """Nothing here has a place."""

    def add_keys(self, **keys: Attribute | None) -> None:
        """Nothing here has keys."""

    @contextmanager
    def bind(self, **keys: Attribute | None) -> Iterator[None]:
        yield

    def count(self, name: str, value: float = 1, *, unit: str = "Count", **dimensions: str) -> None:
        check_count(name, unit, dimensions)
        key = " ".join([name, *dimensions.values()])
        self.counts[key] = self.counts.get(key, 0) + value

    def log_event(self, name: str, /, *, level: str = "INFO", **fields: Attribute | None) -> None:
        self.events.append(name)
