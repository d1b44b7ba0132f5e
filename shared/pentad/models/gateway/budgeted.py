"""Budgets around the gateway: what a call may cost is held before each request on the wire, and settled after it.

Two wrappers, so that each question is asked where it can be answered. `BudgetedChat` is around the gateway: it knows
the chain, so it sends a call that is near a budget's limit to the fast tier, and refuses one that can't be paid.
`BudgetedProvider` (and, for embeddings, `BudgetedEmbedder`) is around each provider's adapter: it knows the model and
the reply's cap, so what it holds is the worst case of exactly one request, repairs and fallbacks included as they
happen. Holding the worst case of a whole chain at once would hold some twenty times what a call costs.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

from pentad.domain.errors import (
    BudgetExceeded,
    ContextOverflow,
    InvalidInput,
    ModelThrottled,
    ModelUnavailable,
    StoreUnavailable,
)
from pentad.domain.ids import make_id
from pentad.domain.models import CallContext, ChatReply, ChatRequest, EmbedReply
from pentad.models.budgets.admission import CHEAPER
from pentad.models.budgets.budgets import BUDGET_NOTICE, BudgetStanding, Reservation, make_exceeded_error
from pentad.models.budgets.ports import Budget
from pentad.models.catalog.catalog import Effort, ModelCatalog, ModelEntry
from pentad.models.catalog.pricing import cost_of, worst_case
from pentad.models.gateway.candidates import output_cap, select_candidates
from pentad.models.gateway.embeddings import estimate_usage as estimated_embedding
from pentad.models.gateway.pursuit import estimate_usage
from pentad.models.gateway.tokens import apply_factor, estimate_request
from pentad.models.ledger.attempts import MakeId
from pentad.models.ports import ChatModel, Embedder
from pentad.models.providers.exchange import ProviderFailure, ProviderReply, ProviderVectors
from pentad.models.providers.ports import ProviderChat, ProviderEmbed
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry


class Meter:
    """Holds the worst case of requests on the wire, and settles what they cost.

    Args:
        budget: what has been used.
        telemetry: metrics and logs.
        clock: ``time.time``.
        ids: makes the reservations' ids.
    """

    def __init__(
        self,
        budget: Budget,
        telemetry: Telemetry,
        *,
        clock: Callable[[], float] = time.time,
        ids: MakeId = make_id,
    ) -> None:
        self.clock = clock
        self._budget = budget
        self._telemetry = telemetry
        self._ids = ids

    def now(self) -> datetime:
        """Return the time, UTC."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def get_standings(self, context: CallContext) -> tuple[BudgetStanding, ...]:
        """Return how far the budgets are used that a call counts against."""
        return self._budget.get_standings(context, self.now())

    def hold(self, context: CallContext, amount: Callable[[], int]) -> Reservation | None:
        """Hold an amount of every budget that applies; None where none does, and the amount is not asked for.

        Raises:
            BudgetExceeded: it does not fit one of them.
            StoreUnavailable: the store did not answer: what can't be counted is not sent.
        """
        now = self.now()
        if not self._budget.is_budgeted(context, now):
            return None
        try:
            return self._budget.reserve(context, amount(), attempt=self._ids("att", now), now=now)
        except BudgetExceeded as error:
            self.report_refusal(error)
            raise

    def settle(self, held: Reservation | None, actual_nanousd: int) -> None:
        """Count what was spent. Never raises: the reply is here and paid for, so it must not be lost.

        What could not be settled stays held until it is given back, and then is missing in the budget: an alarm's case.
        """
        if held is None:
            return
        try:
            self._budget.settle(held, actual_nanousd)
        except Exception as error:  # a boundary: whatever went wrong, the reply goes to its caller
            why = error.message if isinstance(error, StoreUnavailable) else type(error).__name__
            self._telemetry.log_event("budget.unsettled", level="ERROR", error=why, cost_nanousd=actual_nanousd)
            self._telemetry.count(names.BUDGET_UNSETTLED)

    def report_refusal(self, error: BudgetExceeded) -> None:
        """Tell of a call that can't be paid."""
        self._telemetry.log_event("budget.exceeded", level="WARNING", budget=error.budget)
        self._telemetry.count(names.BUDGET_REFUSALS)

    def report_downgrade(self, standing: BudgetStanding) -> None:
        """Tell of a call that goes to a smaller model."""
        self._telemetry.log_event("budget.downgraded", level="WARNING", budget=standing.applied.name)
        self._telemetry.count(names.BUDGET_DOWNGRADES)


class BudgetedProvider:
    """A `pentad.models.providers.ports.ProviderChat` that sends what the budgets can pay.

    Args:
        provider: the provider's adapter.
        meter: holds and settles.
    """

    def __init__(self, provider: ProviderChat, meter: Meter) -> None:
        self._provider = provider
        self._meter = meter

    def send(
        self,
        model: ModelEntry,
        request: ChatRequest,
        *,
        max_output_tokens: int,
        timeout: float,
        effort: Effort | None = None,
    ) -> ProviderReply:
        """Return the reply; see the port.

        Raises:
            BudgetExceeded: the worst case does not fit a budget; nothing was sent.
            StoreUnavailable: the budgets can't be read; nothing was sent.
            ProviderFailure: there is no reply.
        """
        began = self._meter.clock()

        def compute_worst_case() -> int:
            return worst_case(model, estimate_request(request, factor=model.token_factor), max_output_tokens)

        held = self._meter.hold(request.context, compute_worst_case)
        left = max(0.1, timeout - (self._meter.clock() - began))
        spent = 0
        try:
            reply = self._provider.send(
                model, request, max_output_tokens=max_output_tokens, timeout=left, effort=effort
            )
            spent = cost_of(model, reply.usage or estimate_usage(model, request, reply))
            return reply
        except ProviderFailure as failure:
            spent = compute_failure_cost(model, failure)
            raise
        finally:  # whatever happened: what is held of a call that is over blocks others
            self._meter.settle(held, spent)


def compute_failure_cost(model: ModelEntry, failure: ProviderFailure) -> int:
    """Return what a request without a usable reply cost, in nano-dollars; the ledger counts the same."""
    return cost_of(model, failure.usage) if failure.sent and failure.usage else 0


class BudgetedChat:
    """A `pentad.models.ports.ChatModel` that goes to the fast tier near a budget's limit, and refuses over it.

    Args:
        model: the gateway, whose providers are `BudgetedProvider`.
        meter: holds and settles.
        catalog: models, tiers, tasks.
        providers: names of those that have an adapter.
    """

    def __init__(self, model: ChatModel, meter: Meter, catalog: ModelCatalog, providers: Collection[str]) -> None:
        self._model = model
        self._meter = meter
        self._catalog = catalog
        self._providers = providers

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        """Return the reply; see the port."""
        standings = self._meter.get_standings(request.context)
        chosen, notice = self._choose_affordable(request, standings) if standings else (request, None)
        told = () if notice is None else (notice,)
        try:
            reply = self._model.complete(chosen, deadline=deadline)
        except (ModelUnavailable, ModelThrottled) as error:
            error.notices = (*told, *error.notices)
            raise
        return reply.model_copy(update={"notices": (*told, *reply.notices)}) if told else reply

    def _choose_affordable(
        self, request: ChatRequest, standings: Sequence[BudgetStanding]
    ) -> tuple[ChatRequest, str | None]:
        try:
            asked = self._compute_worst_case(request)
        except (InvalidInput, ContextOverflow):
            return request, None  # the gateway says so in its own words
        short = next((each for each in standings if each.remaining < asked), None)
        near = short or next((each for each in standings if each.near), None)
        if near is None:
            return request, None
        cheaper = self._find_cheaper(request, asked)
        needed = asked if cheaper is None else cheaper[1]
        unpaid = next((each for each in standings if each.remaining < needed), None)
        if unpaid is not None:
            error = make_exceeded_error(unpaid.applied, unpaid.used_nanousd, needed)
            self._meter.report_refusal(error)
            raise error
        if cheaper is None:
            return request, None
        self._meter.report_downgrade(near)
        why = "is nearly used up" if near.near else "may not cover a request to the larger model just now"
        return cheaper[0], f"{BUDGET_NOTICE} {near.applied.words} {why}, so a smaller model was asked."

    def _find_cheaper(self, request: ChatRequest, asked: int) -> tuple[ChatRequest, int] | None:
        """Return the request to the fast tier and what it may cost; None where it goes there, or can't."""
        if request.model is not None or CHEAPER not in self._catalog.tiers:
            return None  # who names a model gets that one or none
        cheaper = request.model_copy(update={"tier": CHEAPER})
        try:
            most = self._compute_worst_case(cheaper)
        except (InvalidInput, ContextOverflow):
            return None
        return (cheaper, most) if most < asked else None

    def _compute_worst_case(self, request: ChatRequest) -> int:
        """Return what one request to the dearest link that may answer can cost, in nano-dollars."""
        route = self._catalog.route(task=request.task, tier=request.tier, model=request.model)
        links = select_candidates(request, route.links, providers=self._providers, task_cap=route.output_tokens)
        tokens = estimate_request(request)
        return max(
            worst_case(
                link.model,
                apply_factor(tokens, link.model.token_factor),
                output_cap(request, link.model, route.output_tokens),
            )
            for link in links
        )


class _BudgetedEmbed:
    """A `pentad.models.providers.ports.ProviderEmbed` on one caller's behalf."""

    def __init__(self, provider: ProviderEmbed, meter: Meter, context: CallContext) -> None:
        self._provider = provider
        self._meter = meter
        self._context = context

    def send(self, model: ModelEntry, texts: Sequence[str], *, dimensions: int, timeout: float) -> ProviderVectors:
        """Return the vectors; see the port."""
        began = self._meter.clock()
        most = estimated_embedding(texts, model.token_factor)
        held = self._meter.hold(self._context, lambda: worst_case(model, most.input_tokens, 0))
        left = max(0.1, timeout - (self._meter.clock() - began))
        spent = 0
        try:
            reply = self._provider.send(model, texts, dimensions=dimensions, timeout=left)
            spent = cost_of(model, reply.usage or most)
            return reply
        except ProviderFailure as failure:
            spent = compute_failure_cost(model, failure)
            raise
        finally:
            self._meter.settle(held, spent)


class BudgetedEmbedder:
    """A `pentad.models.ports.Embedder` that sends what the budgets can pay.

    Args:
        providers: an adapter for each provider's name.
        gateway: makes an embedder of such adapters; one is made a call, since adapters know no caller.
        meter: holds and settles.
    """

    def __init__(
        self,
        providers: Mapping[str, ProviderEmbed],
        gateway: Callable[[Mapping[str, ProviderEmbed]], Embedder],
        meter: Meter,
    ) -> None:
        self._providers = providers
        self._gateway = gateway
        self._meter = meter

    def embed(
        self, texts: Sequence[str], context: CallContext, *, deadline: float, dimensions: int | None = None
    ) -> EmbedReply:
        """Return the vectors; see the port.

        Raises:
            BudgetExceeded: the worst case does not fit a budget.
        """
        acting = {name: _BudgetedEmbed(each, self._meter, context) for name, each in self._providers.items()}
        return self._gateway(acting).embed(texts, context, deadline=deadline, dimensions=dimensions)
