"""The model gateway: one call in, one reply out; routing, fallback, retries and the ledger in between."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from pentad.aws.jitter import draw
from pentad.domain.errors import (
    ContextOverflow,
    InvalidInput,
    MalformedReply,
    ModelCallerError,
    ModelThrottled,
    ModelUnavailable,
    PentadError,
    Refused,
)
from pentad.domain.ids import make_id
from pentad.domain.messages import Message
from pentad.domain.models import ChatReply, ChatRequest, Outcome, StopReason
from pentad.models.breaker.ports import Breaker
from pentad.models.breaker.shared_breaker import AlwaysClosed
from pentad.models.breaker.tenant_breaker import TenantBreaker
from pentad.models.catalog.catalog import Link, ModelCatalog
from pentad.models.gateway.candidates import select_candidates
from pentad.models.gateway.pursuit import Pursuit, Repairs
from pentad.models.gateway.sender import Pace
from pentad.models.gateway.walk import Walk
from pentad.models.ledger.attempts import Attempts, MakeId
from pentad.models.ledger.ports import Ledger
from pentad.models.providers.exchange import SIMULATED, ProviderFailure, ProviderReply
from pentad.models.providers.outcomes import RECOVERIES
from pentad.models.providers.ports import ProviderChat
from pentad.models.providers.speeds import Speeds
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

_MAX_WORDS = 500
TRUNCATED = "The answer was cut at the output limit."
_WHY = {
    Outcome.REFUSAL: "the primary model declined",
    Outcome.CONTEXT_OVERFLOW: "the conversation did not fit the primary model",
    Outcome.MALFORMED: "the primary model gave no usable reply",
    Outcome.CALLER_ERROR: "the primary model does not support the request",
}


class Gateway:
    """A `pentad.models.ports.ChatModel` over a chain of providers.

    Args:
        providers: an adapter for each provider's name; links of others are passed over.
        catalog: models, tiers, tasks.
        ledger: where every attempt is recorded.
        clock: ``time.time``.
        sleep: ``time.sleep``.
        random: from 0 up to 1, for jitter.
        ids: makes attempt and message ids.
        breaker: keeps calls away from models that are down; None for none.
        telemetry: metrics; None for none.
        speeds: how fast models write, which bounds an attempt's time; None for this gateway's own.
    """

    def __init__(
        self,
        providers: Mapping[str, ProviderChat],
        catalog: ModelCatalog,
        ledger: Ledger,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = draw,
        ids: MakeId = make_id,
        breaker: Breaker | None = None,
        telemetry: Telemetry | None = None,
        speeds: Speeds | None = None,
    ) -> None:
        self._providers = providers
        self._catalog = catalog
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._ids = ids
        self._breaker = breaker or AlwaysClosed()
        self._telemetry = telemetry
        self._speeds = speeds or Speeds()

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        """Return the reply; see the port."""
        if not request.messages or request.messages[-1].role != "user":
            raise InvalidInput(
                "the last message must be from the user", field="messages", fix="end with a user message"
            )
        route = self._catalog.route(task=request.task, tier=request.tier, model=request.model)
        links = select_candidates(request, route.links, providers=self._providers.keys(), task_cap=route.output_tokens)
        attempts = Attempts(request.context, route.tier, self._ledger, self._clock, self._ids, self._telemetry)
        pace = Pace(deadline, route.attempt_seconds, self._clock, self._sleep, self._random)
        walk: Walk[ProviderReply, ProviderReply] = Walk(
            links, attempts, pace, TenantBreaker(self._breaker, request.context.tenant_id)
        )
        repairs = Repairs()
        answer = walk.run(
            lambda sender: Pursuit(
                self._providers[sender.link.model.provider], sender, request, route, repairs, self._speeds
            ).run()
        )
        if answer is not None:
            return self._answer(request, walk, *answer)
        raise self._translate(walk) from (walk.failed[-1][1] if walk.failed else None)

    def _answer(
        self, request: ChatRequest, walk: Walk[ProviderReply, ProviderReply], link: Link, reply: ProviderReply
    ) -> ChatReply:
        notices, attempts = [SIMULATED] if reply.simulated else [], walk.attempts
        if link is not walk.links[0]:
            why = _explain_fallback(walk)
            notices.append(f"{link.model.label} answered because {why}.")
            self._count(names.MODEL_FALLBACKS, provider=link.model.provider, model=link.model.name)
        if reply.stop is StopReason.MAX_TOKENS:
            notices.append(TRUNCATED)
        return ChatReply(
            message=self._make_message(request, reply),
            stop=reply.stop,
            usage=attempts.usage,
            cost_nanousd=attempts.cost_nanousd,
            provider=link.model.provider,
            model=link.model.name,
            notices=tuple(notices),
            attempts=tuple(attempts.made),
        )

    def _translate(self, walk: Walk[ProviderReply, ProviderReply]) -> PentadError:
        """Return the one error that the failures of all links come to."""
        failures = [failure for _, failure in walk.failed]
        error = choose_error(failures)
        if isinstance(error, ModelUnavailable):
            wait = walk.find_rate_limit()
            if wait is not None:
                error = ModelThrottled("every available model is rate limited (429)", retry_after=wait)
        error.attempts = tuple(walk.attempts.made)
        if isinstance(error, ModelUnavailable | ModelThrottled):
            self._count(names.MODEL_DEGRADED, tier=walk.attempts.tier)
        if self._telemetry is not None and isinstance(error, MalformedReply | ModelCallerError):
            self._telemetry.log_event(
                "model.failed", level="WARNING", error=type(error).__name__, reason=error.message[:500]
            )
        return error

    def _count(self, metric: str, **dimensions: str) -> None:
        if self._telemetry is not None:
            self._telemetry.count(metric, 1, unit="Count", **dimensions)

    def _make_message(self, request: ChatRequest, reply: ProviderReply) -> Message:
        now = datetime.fromtimestamp(self._clock(), UTC)
        context = request.context
        if context.run_id is not None and context.step is not None:
            message_id = f"msg_{context.run_id}_{context.step}"
        else:
            message_id = self._ids("msg", now)
        return Message(
            message_id=message_id,
            role="assistant",
            blocks=reply.blocks,
            created_at=now,
            run_id=context.run_id,
            step=context.step,
            raw=reply.raw,
        )


def _explain_fallback(walk: Walk[ProviderReply, ProviderReply]) -> str:
    """Return why the first link did not answer, in words for the user."""
    for link, failure in walk.failed:
        if link is walk.links[0]:
            return _WHY.get(failure.outcome, "the primary model was unavailable")
    return "the primary model is failing"


def _explain_refusal(failure: ProviderFailure) -> ModelCallerError:
    """Return the error of a request that a provider calls wrong: what is wrong, and what to do."""
    if failure.reason is None:
        return ModelCallerError(
            f"the provider rejected the request ({failure.error})",
            fix="check the request's messages, tools and settings against what the model takes, or name another model",
        )
    return ModelCallerError(f"the provider rejected the request: {failure.reason.sentence}", fix=failure.reason.fix)


def choose_error(failures: Sequence[ProviderFailure]) -> PentadError:
    """Return the error that a chain without an answer ends in.

    What a provider said of the request itself outweighs that others were down; that one was down outweighs a
    malformed reply of another, since that one may yet answer.
    """
    outcomes = [failure.outcome for failure in failures]
    if Outcome.CALLER_ERROR in outcomes:
        return _explain_refusal(next(failure for failure in failures if failure.outcome is Outcome.CALLER_ERROR))
    if Outcome.REFUSAL in outcomes:
        return Refused("every model that could be reached declined")
    if Outcome.CONTEXT_OVERFLOW in outcomes:
        return ContextOverflow("the conversation is too long for every model in the chain", fix="shorten it")
    if Outcome.TRUNCATED in outcomes:
        return MalformedReply("the reply did not fit the output limit", fix="raise the task's output_tokens")
    if any(RECOVERIES[outcome].down for outcome in outcomes) or not outcomes:
        return ModelUnavailable("no model could be reached")
    if Outcome.MALFORMED not in outcomes:
        return ModelCallerError(
            "no model of the chain supports the request",
            fix="send it without what was added last, such as a tool, a schema or a file",
        )
    why = next(failure.error for failure in reversed(failures) if failure.outcome is Outcome.MALFORMED)
    return MalformedReply(f"no model gave a usable reply: {why}"[:_MAX_WORDS])
