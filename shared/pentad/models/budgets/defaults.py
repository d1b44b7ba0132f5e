"""The budgets that hold for every tenant without an operator's word, so that no deployment is without any.

They are typed here alone; `pentad budgets list` shows them, and a budget that an operator sets for the same scope and
period takes a default's place. What they leave an abuser is computed by `compute_most_in_a_day`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pentad.domain.money import NANO
from pentad.models.budgets.budgets import EACH, BudgetDefinition, Period, Scope, define
from pentad.models.budgets.ports import BudgetDefinitions


@dataclass(frozen=True)
class DefaultBudget:
    """A limit that holds for each tenant, run and so on by itself."""

    scope: Scope
    period: Period
    limit_nanousd: int


DEFAULT_BUDGETS = (
    # A run of the shipped agents costs a few cents. One call with the largest window of the default chain may cost
    # 10.74 dollars, and is to be possible.
    DefaultBudget("run", "total", 15 * NANO),
    DefaultBudget("tenant", "day", 50 * NANO),
)


def with_defaults(tenant_id: str, definitions: Iterable[BudgetDefinition]) -> tuple[BudgetDefinition, ...]:
    """Return a tenant's budgets, and the defaults that none of them takes the place of.

    A budget of one subject takes no default's place: it holds for that subject, and the default for the others.
    """
    own = tuple(definitions)
    set_by_operators = {(one.scope, one.period) for one in own if one.subject == EACH}
    added = (
        define(tenant_id, one.scope, one.period, limit_nanousd=one.limit_nanousd).model_copy(
            update={"is_default": True}
        )
        for one in DEFAULT_BUDGETS
        if (one.scope, one.period) not in set_by_operators
    )
    return (*own, *added)


def compute_most_in_a_day(tenants: int, defaults: Iterable[DefaultBudget] = DEFAULT_BUDGETS) -> int:
    """Return what so many tenants can spend in a day (UTC), and so in any hour of it, in nano-dollars.

    Raises:
        ValueError: no default limits a tenant's day.
    """
    limits = [one.limit_nanousd for one in defaults if (one.scope, one.period) == ("tenant", "day")]
    return tenants * min(limits)


class DefaultedDefinitions:
    """A `pentad.models.budgets.ports.BudgetDefinitions` with the defaults.

    Args:
        definitions: what operators set.
    """

    def __init__(self, definitions: BudgetDefinitions) -> None:
        self._definitions = definitions

    def list_for_tenant(self, tenant_id: str) -> tuple[BudgetDefinition, ...]:
        """See the port."""
        return with_defaults(tenant_id, self._definitions.list_for_tenant(tenant_id))
