"""Budgets' definitions in the state table, and a short memory of them for who reads them at every call."""

import threading
import time
from collections.abc import Callable

from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.models.budgets.adapters.budgets_memory import make_limit_error, make_not_found_error
from pentad.models.budgets.budgets import MAX_DEFINITIONS, BudgetDefinition
from pentad.models.budgets.ports import BudgetDefinitions

REMEMBER_SECONDS = 10.0
"""So long after it was set a budget may not be seen by an instance that asked shortly before."""
_MAX_TENANTS = 1_024


class DynamoBudgetStore:
    """A `pentad.models.budgets.ports.BudgetStore`.

    Args:
        state: the table.
    """

    def __init__(self, state: Table) -> None:
        self._table = state

    def list_for_tenant(self, tenant_id: str) -> tuple[BudgetDefinition, ...]:
        """See the port."""
        items, _ = self._table.query(keys.collection_pk(tenant_id, "BUDGETS"), limit=MAX_DEFINITIONS)
        return tuple(from_stored(BudgetDefinition, item["body"]) for item in items)

    def put(self, definition: BudgetDefinition) -> None:
        """See the port."""
        sk = keys.budget_sk(definition.scope, definition.period, definition.subject)
        pk = keys.collection_pk(definition.tenant_id, "BUDGETS")
        items, _ = self._table.query(pk, limit=MAX_DEFINITIONS)
        if len(items) >= MAX_DEFINITIONS and sk not in {item["sk"] for item in items}:
            raise make_limit_error()
        self._table.put({"pk": pk, "sk": sk, "type": "budget", "body": definition.model_dump_json()})

    def remove(self, tenant_id: str, scope: str, period: str, subject: str) -> None:
        """See the port."""
        sk = keys.budget_sk(scope, period, subject)
        try:
            self._table.delete(keys.collection_pk(tenant_id, "BUDGETS"), sk, condition="attribute_exists(pk)")
        except ConditionFailed as failure:
            raise make_not_found_error() from failure


class RememberedDefinitions:
    """A `pentad.models.budgets.ports.BudgetDefinitions` that asks another one at most every ten seconds a tenant.

    Args:
        definitions: where they are.
        clock: ``time.monotonic``.
    """

    def __init__(self, definitions: BudgetDefinitions, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._definitions = definitions
        self._clock = clock
        self._held: dict[str, tuple[float, tuple[BudgetDefinition, ...]]] = {}
        self._lock = threading.Lock()

    def list_for_tenant(self, tenant_id: str) -> tuple[BudgetDefinition, ...]:
        """See the port."""
        now = self._clock()
        held = self._held.get(tenant_id)
        if held is not None and now - held[0] < REMEMBER_SECONDS:
            return held[1]
        found = self._definitions.list_for_tenant(tenant_id)
        with self._lock:
            self._held.pop(tenant_id, None)
            self._held[tenant_id] = (now, found)
            while len(self._held) > _MAX_TENANTS:
                del self._held[next(iter(self._held))]
        return found
