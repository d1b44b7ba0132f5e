"""Circuits in DynamoDB: one item a model. Those that all tenants share are one partition, each tenant's own another.

So a query reads as many items as there are models at most, however many tenants have met failures.
"""

import math
import time
from collections.abc import Callable, Mapping

from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.models.breaker.circuit import Circuit
from pentad.models.breaker.tenant_breaker import split_circuit_name

_KEPT_SECONDS = 3600  # after the last date that an item names


class DynamoCircuits:
    """A `pentad.models.breaker.ports.CircuitStore` over the table ``transient``.

    Args:
        table: the table.
        clock: ``time.time``.
    """

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    def get_all(self, tenant_id: str | None = None) -> Mapping[str, Circuit]:
        """Return the shared circuits, or one tenant's own; see the port."""
        items, _ = self._table.query(_make_pk(tenant_id))
        return {circuit.name: circuit for circuit in map(_decode_circuit, items)}

    def get(self, name: str) -> Circuit:
        """Return one circuit; see the port."""
        item = self._table.get(*_make_key(name))
        return _decode_circuit(item) if item else Circuit(name=name)

    def put(self, circuit: Circuit) -> bool:
        """Store a circuit where its version still stands; see the port."""
        stored = circuit.with_changes(version=circuit.version + 1)
        pk, sk = _make_key(circuit.name)
        item = {
            "pk": pk,
            "sk": sk,
            "type": "breaker",
            "body": stored.model_dump_json(exclude_none=True),
            "version": stored.version,
            "ttl": _ttl_of(stored, self._clock()),
        }
        try:
            if circuit.version == 0:
                self._table.put(item, condition="attribute_not_exists(pk)")
            else:
                self._table.put(item, condition="#v = :v", names={"#v": "version"}, values={":v": circuit.version})
        except ConditionFailed:
            return False
        return True


def _make_key(name: str) -> tuple[str, str]:
    shared, tenant_id = split_circuit_name(name)
    return _make_pk(tenant_id), shared


def _make_pk(tenant_id: str | None) -> str:
    return keys.BREAKER if tenant_id is None else keys.collection_pk(tenant_id, "BREAKER")


def _decode_circuit(item: Item) -> Circuit:
    return from_stored(Circuit, item["body"])


def _ttl_of(circuit: Circuit, now: float) -> int | None:
    """Return when the item is of no more use; None where a command holds it without an end."""
    if circuit.forced is not None and circuit.forced_until is None:
        return None
    last = max(now, circuit.open_until, circuit.probe_until, circuit.forced_until or 0.0)
    return math.ceil(last) + _KEPT_SECONDS
