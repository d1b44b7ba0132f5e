"""All states of a workflow: begin, its parts in one state, finish, deliver; and how a failure ends the run."""

from aws_cdk import aws_stepfunctions as sfn

from infra.orchestration.fragments.base import Fragment
from infra.orchestration.fragments.flow import Flow
from infra.orchestration.fragments.jsonata import (
    DATA,
    ROUND,
    STOPS,
    build_catch_output,
    build_payload,
    build_refs,
    wrap_jsonata,
)
from infra.orchestration.fragments.states import build_catch, create_state
from infra.orchestration.fragments.steps import FUNCTION_SECONDS, GATEWAY_SECONDS
from infra.orchestration.tasks import invoke
from pentad.orchestration.workflows.templates import INPUT, find_references


def compose_states(flow: Flow, root: Fragment) -> sfn.Chain:
    """Return all states: the body in one state, so that whatever fails in it ends the run in the store."""
    abort = _abort(flow)
    caught = build_catch_output("{}")
    stop = _task(flow, "Stop", "workflow", build_payload("stop", _error()), abort)
    begin = _begin(flow, stop, abort)
    body = sfn.Parallel.jsonata(flow, "Body", outputs=wrap_jsonata("$states.result[0]"))
    body.branch(root)
    finish = _task(flow, "Finish", "workflow", _finish(flow), abort)
    deliver = _task(
        flow,
        "Deliver",
        "deliver",
        "$merge([{'op': 'deliver', 'tenant': $tenant, 'run': $run, 'step': $states.input.step, "
        "'kind': $states.input.kind}, $exists($states.input.reason) ? {'reason': $states.input.reason} : {}])",
        abort,
        proof="status",
    )
    body.add_catch(stop, errors=list(STOPS), outputs=wrap_jsonata(caught))
    body.add_catch(abort, errors=["States.ALL"], outputs=wrap_jsonata(caught))
    stop.next(deliver)
    return sfn.Chain.start(begin).next(body).next(finish).next(deliver)


def _begin(flow: Flow, stop: sfn.State, abort: sfn.State) -> sfn.CustomState:
    """Return the state that asks the gateway, which knows the budgets, whether the run may begin."""
    caught, variables = build_catch_output("{}"), _build_variables()
    refused = build_catch(stop, caught, variables, error="BudgetExceeded")["Catch"]
    task = invoke(flow.arn("gateway"), _build_begin_payload(), seconds=GATEWAY_SECONDS, snapshot=True)
    return create_state(
        flow,
        "Begin",
        task
        | {"Assign": variables, "Output": wrap_jsonata(f"{{'{ROUND}': 0}}")}
        | {"Catch": [*refused, *build_catch(abort, caught, variables)["Catch"]]},
    )


def _abort(flow: Flow) -> sfn.CustomState:
    """Return the state that ends a run whose execution failed."""
    error = ", ".join(f"'{name}': {value}" for name, value in _error().items())
    abort = create_state(
        flow,
        "Abort",
        invoke(
            flow.arn("deliver"),
            f"{{'op': 'abort', 'tenant': $tenant, 'run': $run, {error}}}",
            seconds=FUNCTION_SECONDS,
            attempts=8,
        )
        | {"Assign": {name: wrap_jsonata(value) for name, value in _error().items()}},
    )
    abort.next(sfn.Fail.jsonata(flow, "Failed", error=wrap_jsonata("$error"), cause=wrap_jsonata("$cause")))
    return abort


def _build_variables() -> dict[str, str]:
    return {name: wrap_jsonata(f"{DATA}.{name}") for name in ("tenant", "run", "session", "agent")}


def _build_begin_payload() -> str:
    fields = ", ".join(f"'{name}': {DATA}.{name}" for name in ("tenant", "run", "session", "agent"))
    return f"{{'op': 'begin', {fields}}}"


def _error() -> dict[str, str]:
    return {"error": f"{DATA}.error", "cause": f"{DATA}.cause"}


def _finish(flow: Flow) -> str:
    steps = [one.step for one in find_references(flow.answer) if one.step != INPUT]
    shown = "[$keys($sift($states.input, function($v) {{ $type($v) = 'object' and $v.status = '{}' }}))]"
    fields = {"refs": build_refs(steps), "failed": shown.format("failed"), "capped": shown.format("capped")}
    return build_payload("finish", fields)


def _task(
    flow: Flow, name: str, function: str, arguments: str, abort: sfn.State, *, proof: str | None = None
) -> sfn.CustomState:
    task = invoke(flow.arn(function), arguments, seconds=FUNCTION_SECONDS, attempts=5, proof=proof)
    return create_state(flow, name, task | build_catch(abort, build_catch_output("{}")))
