"""Results of workflows' steps in the state table: one item a place, in the partition of the run."""

import hashlib

from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.declarations.workflows import Plan, StepResult
from pentad.domain.errors import NotFound
from pentad.orchestration.runs.spill import Spill, spill_key


class DynamoResults:
    """A `pentad.orchestration.workflows.ports.ResultStore`.

    Args:
        state: the table of sessions and runs.
        spill: where large results go.
    """

    def __init__(self, state: Table, spill: Spill) -> None:
        self._state = state
        self._spill = spill

    def put(self, result: StepResult) -> StepResult:
        """See `ResultStore`."""
        key: Item = {
            "pk": keys.run_pk(result.tenant_id, result.run_id),
            "sk": keys.result_sk(result.place),
            "type": "result",
        }
        body = result.model_dump_json()
        # By its content as well: of two tries at once, the one that comes too late must not overwrite the other's.
        digest = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        place = spill_key(result.tenant_id, result.run_id, {"sk": f"{key['sk']}#{digest}"})
        try:
            self._state.put(key | self._spill.pack("body", place, body), condition="attribute_not_exists(pk)")
        except ConditionFailed as failure:
            stored = self.get(result.tenant_id, result.run_id, result.place)
            if stored is None:
                raise NotFound("the stored result is gone", field="place") from failure
            return stored
        return result

    def get(self, tenant_id: str, run_id: str, place: int) -> StepResult | None:
        """See `ResultStore`."""
        item = self._state.get(keys.run_pk(tenant_id, run_id), keys.result_sk(place))
        return None if item is None else self._load_result(item)

    def list_for_run(self, tenant_id: str, run_id: str) -> list[StepResult]:
        """See `ResultStore`."""
        return [
            self._load_result(item)
            for item in self._state.iter_items(keys.run_pk(tenant_id, run_id), begins=keys.RESULT)
        ]

    def put_plan(self, plan: Plan) -> None:
        """See `ResultStore`."""
        key: Item = {"pk": keys.run_pk(plan.tenant_id, plan.own.run_id), "sk": keys.PLAN, "type": "plan"}
        place = spill_key(plan.tenant_id, plan.own.run_id, key)
        item = key | self._spill.pack("body", place, plan.model_dump_json())
        try:
            self._state.put(item, condition="attribute_not_exists(pk)")
        except ConditionFailed:
            return  # A retry: the first stands.

    def find_plan(self, tenant_id: str, run_id: str) -> Plan | None:
        """See `ResultStore`."""
        item = self._state.get(keys.run_pk(tenant_id, run_id), keys.PLAN)
        body = None if item is None else self._spill.unpack("body", item)
        return None if body is None else from_stored(Plan, body)

    def _load_result(self, item: Item) -> StepResult:
        body = self._spill.unpack("body", item)
        if body is None:
            raise NotFound("the item has no body")
        return from_stored(StepResult, body)
