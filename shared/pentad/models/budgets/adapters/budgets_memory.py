"""Budgets in memory: for tests and the library without AWS."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from pentad.domain.errors import InvalidInput, NotFound
from pentad.domain.models import CallContext
from pentad.models.budgets.budgets import (
    MAX_DEFINITIONS,
    Applied,
    BudgetDefinition,
    BudgetStanding,
    Counter,
    Pledged,
    Reservation,
    make_exceeded_error,
    reservation_expiry,
    select_budgets,
)
from pentad.models.budgets.ports import BudgetDefinitions

MAX_COUNTERS = 100_000
MAX_RESERVATIONS = 100_000


class MemoryBudgetStore:
    """A `pentad.models.budgets.ports.BudgetStore`.

    Args:
        definitions: the budgets to begin with.
    """

    def __init__(self, definitions: Iterable[BudgetDefinition] = ()) -> None:
        self._held: dict[tuple[str, str, str, str], BudgetDefinition] = {}
        for each in definitions:
            self.put(each)

    def list_for_tenant(self, tenant_id: str) -> tuple[BudgetDefinition, ...]:
        """See the port."""
        return tuple(self._held[key] for key in sorted(self._held) if key[0] == tenant_id)

    def put(self, definition: BudgetDefinition) -> None:
        """See the port."""
        key = (definition.tenant_id, definition.scope, definition.period, definition.subject)
        if key not in self._held and len(self.list_for_tenant(definition.tenant_id)) >= MAX_DEFINITIONS:
            raise make_limit_error()
        self._held[key] = definition

    def remove(self, tenant_id: str, scope: str, period: str, subject: str) -> None:
        """See the port."""
        if self._held.pop((tenant_id, scope, period, subject), None) is None:
            raise make_not_found_error()


def make_limit_error() -> InvalidInput:
    """Return the error of a tenant that has as many budgets as it may."""
    return InvalidInput(
        f"the tenant already has {MAX_DEFINITIONS} budgets, the maximum", field="budget", fix="remove some"
    )


def make_not_found_error() -> NotFound:
    """Return the error of a budget that is not there."""
    return NotFound("no such budget", field="budget", fix="see: pentad budgets list")


@dataclass
class _Count:
    used: int = 0
    spent: int = 0
    held: dict[int, int] = field(default_factory=dict)
    """What is reserved, by when it is given back."""


class MemoryBudget:
    """A `pentad.models.budgets.ports.Budget` that lives as long as the object.

    Bounded: the counters and reservations that were made first go first.

    Args:
        definitions: which budgets there are.
    """

    def __init__(self, definitions: BudgetDefinitions) -> None:
        self._definitions = definitions
        self._lock = threading.Lock()
        self._counts: dict[Counter, _Count] = {}
        self._reservations: dict[tuple[str, str], tuple[Reservation, bool]] = {}

    def is_budgeted(self, context: CallContext, now: datetime) -> bool:
        """See the port."""
        return bool(self._select_budgets(context, now))

    def get_standings(self, context: CallContext, now: datetime) -> tuple[BudgetStanding, ...]:
        """See the port."""
        with self._lock:
            return tuple(self._read_standing(applied, now) for applied in self._select_budgets(context, now))

    def read_standing(self, applied: Applied, now: datetime) -> BudgetStanding:
        """See the port."""
        with self._lock:
            return self._read_standing(applied, now)

    def reserve(self, context: CallContext, amount_nanousd: int, *, attempt: str, now: datetime) -> Reservation:
        """See the port."""
        applied = self._select_budgets(context, now)
        with self._lock:
            earlier = self._reservations.get((context.tenant_id, attempt))
            if earlier is not None:
                return earlier[0]
            for each in applied:
                standing = self._read_standing(each, now)
                if standing.remaining < amount_nanousd:
                    raise make_exceeded_error(each, standing.used_nanousd, amount_nanousd)
            made = Reservation(
                attempt=attempt,
                tenant_id=context.tenant_id,
                amount_nanousd=amount_nanousd,
                counters=tuple(each.counter for each in applied),
                expires_at=reservation_expiry(now),
            )
            for counter in made.counters:
                count = self._counts[counter]
                count.used += amount_nanousd
                count.held[made.expires_at] = count.held.get(made.expires_at, 0) + amount_nanousd
            if made.counters:
                self._remember(made)
            return made

    def settle(self, reservation: Reservation, actual_nanousd: int) -> None:
        """See the port."""
        key = (reservation.tenant_id, reservation.attempt)
        with self._lock:
            stored = self._reservations.get(key)
            if stored is None or stored[1]:
                return
            self._reservations[key] = (reservation, True)
            for counter in reservation.counters:
                count = self._counts.setdefault(counter, _Count())
                count.used += actual_nanousd
                count.spent += actual_nanousd
                if reservation.expires_at in count.held:
                    count.used -= reservation.amount_nanousd
                    count.held[reservation.expires_at] -= reservation.amount_nanousd

    def release(self, reservation: Reservation) -> None:
        """See the port."""
        self.settle(reservation, 0)

    def _select_budgets(self, context: CallContext, now: datetime) -> tuple[Applied, ...]:
        return select_budgets(self._definitions.list_for_tenant(context.tenant_id), context, now)

    def _read_standing(self, applied: Applied, now: datetime) -> BudgetStanding:
        count = self._counts.setdefault(applied.counter, _Count())
        for expires_at in [each for each in count.held if each <= now.timestamp()]:
            count.used -= count.held.pop(expires_at)
        while len(self._counts) > MAX_COUNTERS:
            del self._counts[next(iter(self._counts))]
        return BudgetStanding(applied, count.used, count.spent)

    def _remember(self, reservation: Reservation) -> None:
        self._reservations[reservation.tenant_id, reservation.attempt] = (reservation, False)
        while len(self._reservations) > MAX_RESERVATIONS:
            del self._reservations[next(iter(self._reservations))]


class MemoryPledges:
    """A `pentad.models.budgets.ports.PledgeStore` that lives as long as the object; the oldest budgets' go first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[Counter, Pledged] = {}

    def read(self, counter: Counter) -> Pledged:
        """See the port."""
        with self._lock:
            return self._held.get(counter, Pledged())

    def write(self, applied: Applied, pledged: Pledged, now: datetime) -> bool:
        """See the port."""
        with self._lock:
            if self._held.get(applied.counter, Pledged()).version != pledged.version - 1:
                return False
            self._held[applied.counter] = pledged
            while len(self._held) > MAX_COUNTERS:
                del self._held[next(iter(self._held))]
            return True
