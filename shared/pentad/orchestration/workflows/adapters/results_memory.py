"""Results of workflows' steps in a dictionary: for tests and for one process."""

import threading

from pentad.domain.declarations.workflows import Plan, StepResult


class MemoryResults:
    """A `pentad.orchestration.workflows.ports.ResultStore`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._results: dict[tuple[str, str, int], StepResult] = {}
        self._plans: dict[tuple[str, str], Plan] = {}

    def put(self, result: StepResult) -> StepResult:
        """See `ResultStore`."""
        with self._lock:
            return self._results.setdefault((result.tenant_id, result.run_id, result.place), result)

    def get(self, tenant_id: str, run_id: str, place: int) -> StepResult | None:
        """See `ResultStore`."""
        return self._results.get((tenant_id, run_id, place))

    def list_for_run(self, tenant_id: str, run_id: str) -> list[StepResult]:
        """See `ResultStore`."""
        with self._lock:
            return [result for key, result in sorted(self._results.items()) if key[:2] == (tenant_id, run_id)]

    def put_plan(self, plan: Plan) -> None:
        """See `ResultStore`."""
        with self._lock:
            self._plans.setdefault((plan.tenant_id, plan.own.run_id), plan)

    def find_plan(self, tenant_id: str, run_id: str) -> Plan | None:
        """See `ResultStore`."""
        return self._plans.get((tenant_id, run_id))
