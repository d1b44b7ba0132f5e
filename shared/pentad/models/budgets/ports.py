"""What budgets ask of their stores."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from pentad.domain.models import CallContext

if TYPE_CHECKING:
    from pentad.models.budgets.budgets import Applied, BudgetDefinition, BudgetStanding, Counter, Pledged, Reservation


class BudgetDefinitions(Protocol):
    """The budgets of tenants, as operators set them."""

    def list_for_tenant(self, tenant_id: str) -> tuple[BudgetDefinition, ...]:
        """Return a tenant's budgets.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


class BudgetStore(BudgetDefinitions, Protocol):
    """The same, for who sets them."""

    def put(self, definition: BudgetDefinition) -> None:
        """Set a budget, in place of one of the same scope, period and subject.

        Raises:
            InvalidInput: the tenant has as many as it may.
            StoreUnavailable: the store did not answer.
        """
        ...

    def remove(self, tenant_id: str, scope: str, period: str, subject: str) -> None:
        """Remove a budget.

        Raises:
            NotFound: no such budget.
            StoreUnavailable: the store did not answer.
        """
        ...


class Budget(Protocol):
    """Counts what calls use of budgets. Reserve the worst case, call, settle what it was.

    A reservation counts against all budgets that apply, or against none of them. One that is neither settled nor
    released is given back after `pentad.models.budgets.budgets.RESERVATION_SECONDS`: its caller is dead.
    """

    def is_budgeted(self, context: CallContext, now: datetime) -> bool:
        """Tell if a call counts against any budget; from memory, mostly.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def get_standings(self, context: CallContext, now: datetime) -> tuple[BudgetStanding, ...]:
        """Return how far each budget is used that a call counts against.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def read_standing(self, applied: Applied, now: datetime) -> BudgetStanding:
        """Return how far one budget is used.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def reserve(self, context: CallContext, amount_nanousd: int, *, attempt: str, now: datetime) -> Reservation:
        """Hold an amount of every budget that applies; the same attempt again holds nothing more.

        Raises:
            BudgetExceeded: it does not fit one of them; nothing is held.
            StoreUnavailable: the store did not answer, or too many callers reserve at once.
        """
        ...

    def settle(self, reservation: Reservation, actual_nanousd: int) -> None:
        """Count what was spent in place of what was held; a repeat changes nothing.

        What was given back already (the caller was away too long) is counted all the same.

        Raises:
            StoreUnavailable: the store did not answer, or too many callers settle at once.
        """
        ...

    def release(self, reservation: Reservation) -> None:
        """Give back what was held: nothing was spent. A repeat changes nothing.

        Raises:
            StoreUnavailable: see `settle`.
        """
        ...


class PledgeStore(Protocol):
    """What is promised of budgets to runs that were admitted: one value for each budget."""

    def read(self, counter: Counter) -> Pledged:
        """Return the pledges of a budget, as they stand now.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def write(self, applied: Applied, pledged: Pledged, now: datetime) -> bool:
        """Put pledges in the place of those of the version before; False where another was faster.

        Args:
            applied: the budget.
            pledged: all of them, with a version one above that which was read.
            now: the time.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
