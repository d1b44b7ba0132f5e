"""What workflows ask of their stores."""

from typing import Any, Protocol

from pentad.domain.declarations.workflows import Plan, StepResult
from pentad.domain.runs import Approval


class ResultStore(Protocol):
    """What steps came to. The first result of a place stands."""

    def put(self, result: StepResult) -> StepResult:
        """Store a result and return it, or the one that is stored at its place already.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def get(self, tenant_id: str, run_id: str, place: int) -> StepResult | None:
        """Return the result at a place, or None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def list_for_run(self, tenant_id: str, run_id: str) -> list[StepResult]:
        """Return all results of a run by their places.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def put_plan(self, plan: Plan) -> None:
        """Store what a run goes by; the first stands.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def find_plan(self, tenant_id: str, run_id: str) -> Plan | None:
        """Return what a run goes by; None where it has not begun.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


class Asks(Protocol):
    """Asks humans, and ends the wait where nobody answers."""

    def ask(self, approval: Approval, task_token: str) -> Approval:
        """Store a pending approval, let its run wait and tell the group; a repeat replaces the token only.

        Raises:
            InvalidTransition: the run has ended.
            StoreUnavailable: a store, the key service or the bus did not answer.
        """
        ...

    def expire(self, tenant_id: str, run_id: str, step: int) -> dict[str, Any]:
        """Remind, hand on or close what nobody decided in time, and return ``{status, approval, wait?}``.

        Raises:
            NotFound: no such approval.
            InvalidTransition: the run has ended.
            StoreUnavailable: a store or the bus did not answer.
        """
        ...
