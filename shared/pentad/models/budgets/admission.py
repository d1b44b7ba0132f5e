"""Admit work of several calls before the first of them: only where the budgets can pay for those that come in any case.

Each call is reserved for itself, so without this a workflow spends on its first parts and is refused at a later one.
What is asked for here is an estimate, and no limit: for each call a request with a reply of `REPLY_TOKENS`, and once,
for the dearest, what has to be reserved before it is sent; to its task's chain or, where that costs less, to the fast
tier, which calls go to near a limit. It is pledged: other work that asks is refused what it takes, single calls are
not. A pledge counts until its work ends or has spent it, an hour at most.
"""

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from pentad.aws.jitter import draw
from pentad.domain.errors import BudgetExceeded, InvalidInput, StoreUnavailable
from pentad.domain.models import CallContext
from pentad.models.budgets.budgets import Applied, Pledge, Pledged, make_short_error, select_budgets
from pentad.models.budgets.ports import Budget, BudgetDefinitions, PledgeStore
from pentad.models.catalog.catalog import ModelCatalog, ModelEntry
from pentad.models.catalog.pricing import worst_case
from pentad.models.providers.backoff import full_jitter
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

CHEAPER = "fast"
"""The tier that calls go to near a budget's limit."""
REPLY_TOKENS = 2_000
"""Of an ordinary reply, thinking included: an eighth of what a task may write at most, so more than most take."""
PLEDGE_SECONDS = 3_600
MAX_PLEDGES = 500
"""Of one budget: some 30 KB."""
TRIES = 10
_ROUND = 60


class Estimate(NamedTuple):
    """What one request may cost, in nano-dollars: with an ordinary reply, and what is reserved for it."""

    ordinary: int = 0
    reserved: int = 0


class PlannedCall(NamedTuple):
    """A call of a model that is going to be made: on whose behalf, for which task, with about so much input."""

    context: CallContext
    task: str
    input_tokens: int


class BudgetAdmission:
    """Admits work, or refuses it.

    Args:
        budget: what has been used.
        definitions: which budgets there are.
        pledges: what is promised to work that was admitted.
        catalog: models, tiers, tasks.
        providers: names of those that have an adapter.
        telemetry: metrics and logs.
        clock: ``time.time``.
        sleep: ``time.sleep``.
        random: from 0 up to 1, for jitter.
    """

    def __init__(
        self,
        budget: Budget,
        definitions: BudgetDefinitions,
        pledges: PledgeStore,
        catalog: ModelCatalog,
        providers: Collection[str],
        telemetry: Telemetry,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = draw,
    ) -> None:
        self._budget = budget
        self._definitions = definitions
        self._pledges = pledges
        self._catalog = catalog
        self._providers = providers
        self._telemetry = telemetry
        self._clock = clock
        self._sleep = sleep
        self._random = random

    def admit(
        self, tenant_id: str, run_id: str, calls: Iterable[PlannedCall], *, find_unspent: Callable[[str, int], int]
    ) -> None:
        """Return if the budgets can pay for all of the calls; a repeat for the same run changes nothing.

        Args:
            tenant_id: whose.
            run_id: the work that is admitted.
            calls: its calls.
            find_unspent: returns what is still to come of another run's pledge, in nano-dollars; 0 where it has ended.

        Raises:
            BudgetExceeded: they can't; nothing was sent.
            StoreUnavailable: a store did not answer, or others always were first.
        """
        now = datetime.fromtimestamp(self._clock(), UTC)
        for applied, amount in self._add_up(tenant_id, calls, now):
            try:
                self._pledge(applied, Pledge(run_id, amount, _compute_end(now)), now, find_unspent)
            except BudgetExceeded as error:
                self._telemetry.log_event("budget.exceeded", level="WARNING", budget=error.budget)
                self._telemetry.count(names.BUDGET_REFUSALS)
                raise

    def estimate(self, call: PlannedCall) -> Estimate:
        """Return what a call may cost; nothing where no model can be found, which the call tells itself."""
        tiers = (None, CHEAPER) if CHEAPER in self._catalog.tiers else (None,)
        found = [self._estimate_by(call, tier) for tier in tiers]
        return min((one for one in found if one.reserved), key=lambda one: one.reserved, default=Estimate())

    def _estimate_by(self, call: PlannedCall, tier: str | None) -> Estimate:
        with suppress(InvalidInput):
            route = self._catalog.route(task=call.task, tier=tier, model=None)
            models = [link.model for link in route.links]
            able = [model for model in models if model.kind == "chat" and model.provider in self._providers]
            return max((_estimate_by_model(model, call, route.output_tokens) for model in able), default=Estimate())
        return Estimate()

    def _add_up(self, tenant_id: str, calls: Iterable[PlannedCall], now: datetime) -> list[tuple[Applied, int]]:
        """Return each budget that calls count against, with what they come to."""
        definitions = self._definitions.list_for_tenant(tenant_id)
        found: dict[Applied, list[Estimate]] = {}
        for call in calls if definitions else ():
            cost = self.estimate(call)
            for applied in select_budgets(definitions, call.context, now):
                found.setdefault(applied, []).append(cost)
        sums = {
            applied: sum(one.ordinary for one in costs) + max(one.reserved - one.ordinary for one in costs)
            for applied, costs in found.items()
        }
        return [(applied, amount) for applied, amount in sums.items() if amount]

    def _pledge(self, applied: Applied, own: Pledge, now: datetime, find_unspent: Callable[[str, int], int]) -> None:
        for number in range(TRIES):
            remaining = self._budget.read_standing(applied, now).remaining
            found = self._pledges.read(applied.counter)
            others = [one for one in found.pledges if one.expires_at > now.timestamp()]
            if any(one.run_id == own.run_id for one in others):
                return  # this is a repeat
            if _sum(others) + own.amount_nanousd > remaining or len(others) >= MAX_PLEDGES:
                others = list(_list_unspent(others, find_unspent))
            free = remaining - _sum(others)
            if own.amount_nanousd > free:
                raise make_short_error(applied, free, own.amount_nanousd)
            kept = sorted(others, key=lambda one: one.expires_at)[-(MAX_PLEDGES - 1) :]
            if self._pledges.write(applied, Pledged(found.version + 1, (*kept, own)), now):
                return
            self._sleep(full_jitter(number, self._random(), base=0.02, cap=0.5))
        raise StoreUnavailable("too many workflows begin on the same budget at once; try again")


def _estimate_by_model(model: ModelEntry, call: PlannedCall, task_cap: int | None) -> Estimate:
    tokens = round(call.input_tokens * model.token_factor)
    cap = min(task_cap or model.output_tokens, model.output_tokens)
    reserved = worst_case(model, tokens, cap)
    return Estimate(min(reserved, worst_case(model, tokens, min(cap, REPLY_TOKENS))), reserved)


def _list_unspent(pledges: Iterable[Pledge], find_unspent: Callable[[str, int], int]) -> Iterable[Pledge]:
    for one in pledges:
        left = find_unspent(one.run_id, one.amount_nanousd)
        if left > 0:
            yield one._replace(amount_nanousd=left)


def _sum(pledges: Iterable[Pledge]) -> int:
    return sum(one.amount_nanousd for one in pledges)


def _compute_end(now: datetime) -> int:
    return -(-(int(now.timestamp()) + PLEDGE_SECONDS) // _ROUND) * _ROUND
