"""How stores of runs read a run together with one of its steps or calls: a mixin for each store."""

from typing import TypeVar

from pydantic import BaseModel

from pentad.aws.readable import check_readable, from_stored
from pentad.aws.table import Item, Table
from pentad.domain import keys
from pentad.domain.errors import NotFound
from pentad.domain.runs import Run, Step, ToolCall
from pentad.orchestration.runs.adapters.run_items import add_undo, make_no_run_error, parse_run
from pentad.orchestration.runs.spill import Spill

R = TypeVar("R", bound=BaseModel)


class ReadsInMemory:
    """The part of a run store in memory: one read after the other."""

    def find_step(self, tenant_id: str, run_id: str, step: int) -> Step | None:
        """See `RunStore`."""
        raise NotImplementedError

    def get(self, tenant_id: str, run_id: str) -> Run:
        """See `RunStore`."""
        raise NotImplementedError

    def get_call(self, tenant_id: str, run_id: str, step: int, index: int) -> ToolCall:
        """See `RunStore`."""
        raise NotImplementedError

    def find_step_or_run(self, tenant_id: str, run_id: str, step: int) -> Step | Run:
        """See `RunStore`."""
        return self.find_step(tenant_id, run_id, step) or self.get(tenant_id, run_id)

    def get_call_and_run(self, tenant_id: str, run_id: str, step: int, index: int) -> tuple[ToolCall, Run]:
        """See `RunStore`."""
        return self.get_call(tenant_id, run_id, step, index), self.get(tenant_id, run_id)


class ReadsAtOnce:
    """The part of a run store in DynamoDB: both items are in the run's partition, and come by one request."""

    _state: Table
    _spill: Spill

    def find_step_or_run(self, tenant_id: str, run_id: str, step: int) -> Step | Run:
        """See `RunStore`."""
        run, found = self._get_with_run(tenant_id, run_id, keys.step_sk(step))
        if found is not None:
            return self._load_item(Step, found)
        if run is None:
            raise make_no_run_error()
        return self._load_run(run)

    def get_call(self, tenant_id: str, run_id: str, step: int, index: int) -> ToolCall:
        """See `RunStore`."""
        return self._load_call(self._state.get(keys.run_pk(tenant_id, run_id), keys.call_sk(step, index)))

    def get_call_and_run(self, tenant_id: str, run_id: str, step: int, index: int) -> tuple[ToolCall, Run]:
        """See `RunStore`."""
        run, found = self._get_with_run(tenant_id, run_id, keys.call_sk(step, index))
        call = self._load_call(found)
        if run is None:
            raise make_no_run_error()
        return call, self._load_run(run)

    def _get_with_run(self, tenant_id: str, run_id: str, sk: str) -> tuple[Item | None, Item | None]:
        """Return a run's own item and another one of its partition, by one request."""
        pk = keys.run_pk(tenant_id, run_id)
        found = {item["sk"]: item for item in self._state.get_many([(pk, keys.META), (pk, sk)])}
        return found.get(keys.META), found.get(sk)

    def _load_call(self, item: Item | None) -> ToolCall:
        if item is None:
            raise NotFound("no such tool call", field="index")
        return add_undo(self._load_item(ToolCall, item), item)

    def _load_run(self, item: Item) -> Run:
        with check_readable("the run"):
            return parse_run(item, self._spill.unpack("outcome", item))

    def _load_item(self, kind: type[R], item: Item) -> R:
        with check_readable(f"{item['sk']} of the run"):
            return from_stored(kind, self._spill.unpack("body", item) or "")
