"""Take over the finished steps of the failed runs that a redriven run continues.

A step is the same by its name and by the round of the loops around it. What a model or an agent was asked has to be the
same as well: where the step's words, or a result that it refers to, are others by now, it is asked anew.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pentad.domain.declarations.workflows import Numbered, Plan, StepResult, WorkflowSpec, place_of, round_of
from pentad.domain.errors import InvalidTransition, NotFound
from pentad.domain.runs import Run
from pentad.domain.usage import Usage
from pentad.orchestration.runs.ports import RunStore
from pentad.orchestration.workflows.ports import ResultStore
from pentad.orchestration.workflows.steps import EnteredStep, Stores

LONGEST = 20
"""So many failed runs may be behind a run: each is looked at for each step that none of them has finished."""


def build_plan(run: Run, spec: WorkflowSpec, runs: RunStore, results: ResultStore) -> Plan:
    """Return what a run that begins goes by.

    Raises:
        InvalidTransition: it was redriven too often.
        StoreUnavailable: a store did not answer.
    """
    own = Numbered(run_id=run.run_id, numbers=_map_numbers(spec))
    return Plan(tenant_id=run.tenant_id, own=own, earlier=tuple(_list_earlier(run, own, runs, results)))


def _list_earlier(run: Run, own: Numbered, runs: RunStore, results: ResultStore) -> Iterable[Numbered]:
    found: list[Numbered] = []
    while run.redrive_of_run_id is not None:
        before = results.find_plan(run.tenant_id, run.redrive_of_run_id)
        if before is not None:
            found += [before.own, *before.earlier]
            break
        # It failed before it began, so all that it could hand on is its predecessor's.
        found.append(Numbered(run_id=run.redrive_of_run_id, numbers=own.numbers))
        try:
            run = runs.get(run.tenant_id, run.redrive_of_run_id)
        except NotFound:
            break
    if len(found) > LONGEST:
        raise InvalidTransition(f"the run was redriven more than {LONGEST} times", field="run", fix="start it again")
    return found


def _map_numbers(spec: WorkflowSpec) -> dict[str, int]:
    return {name: step.number for name, step in spec.steps.items()}


def iter_earlier_steps(stores: Stores, run: Run, at: EnteredStep) -> Iterator[EnteredStep]:
    """Yield the same step in the failed runs that a run goes on for, the newest first; most runs have none.

    Raises:
        StoreUnavailable: a store did not answer.
    """
    plan = None if run.redrive_of_run_id is None else stores.results.find_plan(at.tenant_id, at.run_id)
    for before in () if plan is None else plan.earlier:
        number = before.numbers.get(at.step)
        if number is not None:
            place = place_of(number, round_of(at.place))
            yield at.model_copy(update={"run_id": before.run_id, "place": place})


def find_earlier_answer(stores: Stores, run: Run, at: EnteredStep, asked: str) -> StepResult | None:
    """Return what a failed run was answered to the same question, as this run's own result; None where it has none.

    Args:
        stores: where everything is.
        run: the run.
        at: its step.
        asked: the hash of what is to be asked.

    Raises:
        StoreUnavailable: a store did not answer.
    """
    for before in iter_earlier_steps(stores, run, at):
        result = stores.results.get(before.tenant_id, before.run_id, before.place)
        if result is not None and result.status == "succeeded" and (result.name, result.asked) == (at.step, asked):
            return take_over(at, result, stores.now())
    return None


def take_over(at: EnteredStep, result: StepResult, now: datetime) -> StepResult:
    """Return a failed run's result as this run's own. What it cost is the failed run's, and it took no time here."""
    here = {"run_id": at.run_id, "place": at.place, "began_at": now, "ended_at": now}
    return result.model_copy(
        update=here
        | {"usage": Usage(), "cost_nanousd": 0, "taken_from_run_id": result.taken_from_run_id or result.run_id}
    )


def store_result(stores: Stores, result: StepResult) -> StepResult:
    """Store and record a result that was taken over; a repeat changes nothing.

    Its sources of untrusted text are noted before: of a result that the failed run has not collected, it knew none.

    Raises:
        NotFound: no such run.
        InvalidTransition: the run has ended.
        StoreUnavailable: a store did not answer.
    """
    if result.taint:
        stores.runs.note(result.tenant_id, result.run_id, taint=result.taint)
    stored = stores.results.put(result)
    stores.record(stored)
    return stored
