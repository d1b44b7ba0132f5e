"""Put each request on the wire on the ledger, with what it cost."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pentad.domain.models import Attempt, CallContext, Outcome, StopReason
from pentad.domain.tracing import enter_place
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import Link
from pentad.models.catalog.pricing import compute_cache_savings, cost_of
from pentad.models.ledger.attempt_spans import Operation, build_span, find_attempt_place
from pentad.models.ledger.ports import Ledger
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

MakeId = Callable[[str, datetime], str]


@dataclass
class Attempts:
    """The attempts of one call of the gateway, each on the ledger before the next is made.

    A ledger that does not answer stops the call: a request that can't be accounted for is not repeated.

    Args:
        context: on whose behalf.
        tier: the tier that was asked.
        ledger: where they are kept.
        clock: ``time.time``.
        ids: makes ids.
        telemetry: metrics and a span of each attempt; None for none.
        operation: what the requests ask for, as OpenTelemetry's conventions name it.
    """

    context: CallContext
    tier: str
    ledger: Ledger
    clock: Callable[[], float]
    ids: MakeId
    telemetry: Telemetry | None = None
    operation: Operation = "chat"
    made: list[Attempt] = field(default_factory=list)

    def begin(self, link: Link) -> Attempt:
        """Put on the ledger that a request is about to be sent, and return it as begun.

        A process that is killed before the outcome is recorded leaves this: no request is ever unseen.

        Raises:
            StoreUnavailable: the ledger did not answer; nothing may be sent.
        """
        at = datetime.fromtimestamp(self.clock(), UTC)
        attempt = Attempt(
            attempt_id=self.ids("att", at),
            context=self.context,
            provider=link.model.provider,
            model=link.model.name,
            tier=self.tier,
            link=link.position,
            number=len(self.made) + 1,
            outcome=Outcome.BEGUN,
            started_at=at,
            duration_ms=0,
        )
        try:
            self.ledger.begin(attempt)
        except Exception:
            with suppress(Exception):  # it may stand there all the same, and nothing will be sent
                self.ledger.cancel(attempt)
            raise
        return attempt

    def enter_span(self, begun: Attempt) -> AbstractContextManager[None]:
        """Let what is sent name the attempt's span as the one that caused it."""
        return enter_place(find_attempt_place(begun))

    def cancel(self, begun: Attempt) -> None:
        """Put on the ledger that it was not sent after all."""
        self.ledger.cancel(begun)

    def record(
        self,
        link: Link,
        begun: Attempt,
        outcome: Outcome,
        *,
        usage: Usage | None = None,
        request_id: str | None = None,
        error: str | None = None,
        estimated: bool = False,
        stop: StopReason | None = None,
        first_byte_ms: int | None = None,
    ) -> None:
        """Append the outcome of an attempt; raises StoreUnavailable where the ledger does not answer.

        Args:
            link: which model.
            begun: the attempt as it was begun.
            outcome: what became of it.
            usage: tokens that are billed.
            request_id: the provider's id.
            error: class and status.
            estimated: the usage is an estimate.
            stop: why the model stopped.
            first_byte_ms: from the request to the reply's first byte.
        """
        spent = usage or Usage()
        attempt = begun.model_copy(
            update={
                "outcome": outcome,
                "duration_ms": max(0, round((self.clock() - begun.started_at.timestamp()) * 1000)),
                "usage": spent,
                "cost_nanousd": cost_of(link.model, spent),
                "request_id": request_id,
                "error": error and error[:500],
                "is_estimated": estimated,
                "first_byte_ms": first_byte_ms,
            }
        )
        self.made.append(attempt)
        self._tell(attempt, stop, compute_cache_savings(link.model, spent))
        self.ledger.record(attempt)

    def log_loss(self, event: str, error: Exception) -> None:
        """Log what went wrong beside a call that goes on."""
        if self.telemetry is not None:
            self.telemetry.log_event(event, level="ERROR", error=type(error).__name__)

    def count_retry(self, link: Link, outcome: Outcome) -> None:
        """Count a retry after an outcome."""
        if self.telemetry is not None:
            model = {"provider": link.model.provider, "model": link.model.name}
            self.telemetry.count(names.MODEL_RETRIES, 1, unit="Count", outcome=outcome.value, **model)

    def _tell(self, attempt: Attempt, stop: StopReason | None, saved: int) -> None:
        """Record the metrics and the span of an attempt, and log a fault that nobody expected."""
        if self.telemetry is None:
            return
        model = {"provider": attempt.provider, "model": attempt.model}
        with self.telemetry.bind(attempt=attempt.number):
            self.telemetry.record_span(build_span(attempt, self.operation, stop))
            if attempt.outcome is Outcome.FAULT:
                self.telemetry.log_event("provider.fault", level="ERROR", error=attempt.error, **model)
        count, used = self.telemetry.count, attempt.usage
        count(names.MODEL_ATTEMPTS, 1, unit="Count", outcome=attempt.outcome.value, **model)
        count(names.MODEL_LATENCY, attempt.duration_ms, unit="Milliseconds", **model)
        count(names.MODEL_COST, attempt.cost_nanousd, unit="None", **model)
        if saved:
            count(names.CACHE_SAVINGS, saved, unit="None")
        tokens = {
            names.INPUT_TOKENS: used.input_tokens,
            names.OUTPUT_TOKENS: used.output_tokens,
            names.CACHE_READ_TOKENS: used.cache_read_tokens,
            names.CACHE_WRITE_TOKENS: used.cache_write_5m_tokens + used.cache_write_1h_tokens,
        }
        for name, number in tokens.items():
            if number:
                count(name, number, unit="Count", **model)

    @property
    def usage(self) -> Usage:
        """Tokens of all attempts."""
        first, *others = [attempt.usage for attempt in self.made] or [Usage()]
        return sum(others, first)

    @property
    def cost_nanousd(self) -> int:
        """Nano-dollars of all attempts."""
        return sum(attempt.cost_nanousd for attempt in self.made)
