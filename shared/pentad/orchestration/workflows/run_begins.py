"""Begin a workflow's run, if the budgets can pay for the parts of it that are done in any case."""

from collections.abc import Callable, Iterator
from typing import Any

from pentad.domain.declarations.workflows import AgentStep, ModelStep, WorkflowSpec
from pentad.domain.errors import NotFound
from pentad.domain.models import CallContext
from pentad.domain.runs import Run
from pentad.models.budgets.admission import BudgetAdmission, PlannedCall
from pentad.models.gateway.tokens import estimate_tokens
from pentad.orchestration.workflows.run_ends import Ends
from pentad.orchestration.workflows.steps import Entered, Stores


class Begin:
    """Begins workflows' runs.

    Args:
        stores: where everything is.
        admission: asks the budgets.
    """

    def __init__(self, stores: Stores, admission: BudgetAdmission) -> None:
        self._stores = stores
        self._ends = Ends(stores)
        self._admission = admission

    def __call__(self, at: Entered) -> dict[str, Any]:
        """Let a run be running, or refuse it before anything is spent.

        A run that goes on for a failed one is not refused: most of it may be done, and each call is asked for itself.

        Raises:
            BudgetExceeded: a budget can't pay for the parts that are done in any case.
            NotFound: no such run or workflow.
            InvalidTransition: the run has ended, or was redriven too often.
            StoreUnavailable: a store did not answer.
        """
        stores = self._stores
        begun = self._ends.begin(at)
        run = stores.get_run(at)
        if run.redrive_of_run_id is None:
            calls = self._plan_calls(at, run, stores.get_workflow(at.agent))
            self._admission.admit(at.tenant_id, at.run_id, calls, find_unspent=self._make_finder(at.tenant_id))
        return begun

    def _plan_calls(self, at: Entered, run: Run, spec: WorkflowSpec) -> Iterator[PlannedCall]:
        """Yield a call for each part that asks a model in any case; an agent may make more, within its limits."""
        steps = [spec.steps[name] for name in spec.certain if name in spec.steps]
        if not steps:
            return
        asked = estimate_tokens(self._stores.get_request(run))
        for step in steps:
            if isinstance(step, ModelStep):
                context = CallContext(
                    tenant_id=at.tenant_id,
                    agent=at.agent,
                    user_id=run.user_id,
                    session_id=at.session_id,
                    run_id=at.run_id,
                )
                yield PlannedCall(context, step.task, asked + estimate_tokens(step.system + step.prompt))
            elif isinstance(step, AgentStep) and step.agent in self._stores.catalog.agents:
                agent = self._stores.catalog.agents[step.agent]
                # Its run and session are new: the budgets of those are asked by its own calls.
                context = CallContext(tenant_id=at.tenant_id, agent=agent.name, user_id=run.user_id)
                yield PlannedCall(context, agent.task, asked + estimate_tokens(agent.prompt + step.prompt))

    def _make_finder(self, tenant_id: str) -> Callable[[str, int], int]:
        def find_unspent(run_id: str, amount_nanousd: int) -> int:
            try:
                other = self._stores.runs.get(tenant_id, run_id)
            except NotFound:
                return 0  # it was erased
            return 0 if other.status.ended else max(0, amount_nanousd - other.spent.cost_nanousd)

        return find_unspent
