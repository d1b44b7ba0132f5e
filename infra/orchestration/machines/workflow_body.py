"""All states of a workflow: begin, its parts in one state, finish, deliver; and how a failure ends the run."""

from aws_cdk import aws_stepfunctions as sfn

from infra.orchestration.fragments.base import Fragment
from infra.orchestration.fragments.flow import Flow
from infra.orchestration.fragments.jsonata import DATA, ROUND, STOPS, expression, payload, refs_of, told
from infra.orchestration.fragments.states import catching, state
from infra.orchestration.fragments.steps import FUNCTION_SECONDS
from infra.orchestration.tasks import invoke
from pentad.orchestration.workflows.templates import INPUT, references


def compose_states(flow: Flow, root: Fragment) -> sfn.Chain:
    """Return all states: the body in one state, so that whatever fails in it ends the run in the store."""
    abort = _abort(flow)
    caught = told("{}")
    begin = state(
        flow,
        "Begin",
        invoke(flow.arn("workflow"), _first_payload(), seconds=FUNCTION_SECONDS)
        | {"Assign": _variables(), "Output": expression(f"{{'{ROUND}': 0}}")}
        | catching(abort, caught, _variables()),
    )
    body = sfn.Parallel.jsonata(flow, "Body", outputs=expression("$states.result[0]"))
    body.branch(root)
    finish = _task(flow, "Finish", "workflow", _finish(flow), abort)
    stop = _task(flow, "Stop", "workflow", payload("stop", _error()), abort)
    deliver = _task(
        flow,
        "Deliver",
        "deliver",
        "$merge([{'op': 'deliver', 'tenant': $tenant, 'run': $run, 'step': $states.input.step, "
        "'kind': $states.input.kind}, $exists($states.input.reason) ? {'reason': $states.input.reason} : {}])",
        abort,
        proof="status",
    )
    body.add_catch(stop, errors=list(STOPS), outputs=expression(caught))
    body.add_catch(abort, errors=["States.ALL"], outputs=expression(caught))
    stop.next(deliver)
    return sfn.Chain.start(begin).next(body).next(finish).next(deliver)


def _abort(flow: Flow) -> sfn.CustomState:
    """Return the state that ends a run whose execution failed."""
    error = ", ".join(f"'{name}': {value}" for name, value in _error().items())
    abort = state(
        flow,
        "Abort",
        invoke(
            flow.arn("deliver"),
            f"{{'op': 'abort', 'tenant': $tenant, 'run': $run, {error}}}",
            seconds=FUNCTION_SECONDS,
            attempts=8,
        )
        | {"Assign": {name: expression(value) for name, value in _error().items()}},
    )
    abort.next(sfn.Fail.jsonata(flow, "Failed", error=expression("$error"), cause=expression("$cause")))
    return abort


def _variables() -> dict[str, str]:
    return {name: expression(f"{DATA}.{name}") for name in ("tenant", "run", "session", "agent")}


def _first_payload() -> str:
    fields = ", ".join(f"'{name}': {DATA}.{name}" for name in ("tenant", "run", "session", "agent"))
    return f"{{'op': 'begin', {fields}}}"


def _error() -> dict[str, str]:
    return {"error": f"{DATA}.error", "cause": f"{DATA}.cause"}


def _finish(flow: Flow) -> str:
    steps = [one.step for one in references(flow.answer) if one.step != INPUT]
    shown = "[$keys($sift($states.input, function($v) {{ $type($v) = 'object' and $v.status = '{}' }}))]"
    fields = {"refs": refs_of(steps), "failed": shown.format("failed"), "capped": shown.format("capped")}
    return payload("finish", fields)


def _task(
    flow: Flow, name: str, function: str, arguments: str, abort: sfn.State, *, proof: str | None = None
) -> sfn.CustomState:
    task = invoke(flow.arn(function), arguments, seconds=FUNCTION_SECONDS, attempts=5, proof=proof)
    return state(flow, name, task | catching(abort, told("{}")))
