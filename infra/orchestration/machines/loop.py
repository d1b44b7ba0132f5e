"""The definition of an agent's state machine (JSONata): the loop that docs/architecture.md draws.

Payloads are references only. Transient errors of the error tree and Lambda's own are retried with backoff and full
jitter; what is left goes to Abort, which ends the run in the store, and the execution fails.

An execution has at most 25,000 history events, so a long run goes on in executions of the same version that each wait
for the next: ``{run}``, ``{run}-2``, ... What the first one answers is what the last one answers, and stopping it stops
them all. The definition counts the events of each turn itself; only retries of tools are not counted, and the limit
leaves room for them (see `EVENT_LIMIT`).
"""

from collections.abc import Mapping, Sequence

from infra.orchestration.tasks import ENGINE_ERRORS, INVOKE, MODELS_THROTTLED, TOOL_BUSY, State, invoke, retry
from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.declarations.release_mark import build_comment

EVENT_LIMIT = 1500
"""From so many events on a run goes on in another execution.

A call is counted as 7 events: its iteration's two and its task's five. At worst it has 103: three retries of the tool
and of CallFailed, eight more of each where Lambda throttles them, and eight of the tool where Lambda throttles its own
function, of three events each, and its failure. So what is counted as 1,500 is at most 22,072, and one turn of 16 such
calls adds 1,648: 25,000 are never reached.
"""
_TASK_EVENTS = 5
_CHOICE_EVENTS = 2
_WAIT_EVENTS = 6
_ACT_EVENTS = 4 + _CHOICE_EVENTS
_CALL_EVENTS = 7
_RETRY_EVENTS = 3
_CALLS_AT_ONCE = 8
_YEAR = 31_536_000
_REF = "'tenant': $tenant, 'run': $run"
_ABORT: list[State] = [
    {
        "ErrorEquals": ["States.ALL"],
        "Output": "{% {'error': $states.errorOutput.Error, 'cause': $substring($states.errorOutput.Cause, 0, 1000)} %}",
        "Next": "Abort",
    }
]


def build_definition(
    spec: AgentSpec,
    *,
    recall: str,
    think: str,
    await_human: str,
    deliver: str,
    run_tool: str,
    tools: Mapping[str, str],
    seconds: Mapping[str, int],
    one_by_one: Sequence[str] = (),
    event_limit: int = EVENT_LIMIT,
) -> State:
    """Return the state machine of an agent.

    Args:
        spec: the agent.
        recall: ARN of functions.memory.recall.
        think: ARN of functions.models.gateway.
        await_human: ARN of functions.orchestration.await_human.
        deliver: ARN of functions.orchestration.deliver.
        run_tool: ARN of functions.orchestration.run_tool.
        tools: the agent's tools, name to function ARN; the tool runner is told which one to call.
        seconds: the functions' timeouts by the names above.
        one_by_one: those of the tools whose calls run one after the other.
        event_limit: see `EVENT_LIMIT`.
    """
    return {
        "Comment": build_comment(spec),
        "QueryLanguage": "JSONata",
        "StartAt": "Recall",
        "States": {
            "Recall": _build_recall(recall, tools, seconds["recall"]),
            "Think": _build_think(think, seconds["think"]),
            "Decide": _build_decide(event_limit),
            "Act": _build_act(run_tool, deliver, seconds, one_by_one),
            "AwaitHuman": _build_await_human(await_human),
            "Expire": _build_expire(await_human, seconds["await_human"]),
            "Version": _build_version(),
            "Continue": _build_continue(),
            "Deliver": _build_deliver(deliver, seconds["deliver"]),
            "Abort": _build_abort(deliver, seconds["deliver"]),
            "Failed": {"Type": "Fail", "Error": "{% $error %}", "Cause": "{% $cause %}"},
        },
    }


def _count_with_retries(events: int) -> str:
    return f"{events} + {_RETRY_EVENTS} * $states.context.State.RetryCount"


def _build_recall(function_arn: str, tools: Mapping[str, str], seconds: int) -> State:
    names = ("tenant", "run", "session", "agent")
    inputs = ", ".join(f"'{name}': $states.input.{name}" for name in names)
    first: State = {name: f"{{% $states.input.{name} %}}" for name in names} | {
        # A fork begins, and a continuation goes on, at a later step.
        "step": "{% $exists($states.input.step) ? $states.input.step : 1 %}",
        "part": "{% $exists($states.input.part) ? $states.input.part : 1 %}",
        "events": f"{{% 1 + {_count_with_retries(_TASK_EVENTS)} %}}",
        "toolFunctions": dict(tools),
    }
    # The variables are set on the way out and on the error's way out, since Abort needs them as well.
    caught = [catch | {"Assign": {name: first[name] for name in (*names, "step")}} for catch in _ABORT]
    return invoke(function_arn, f"{{{inputs}}}", seconds=seconds + 5, waits_for=[MODELS_THROTTLED]) | {
        "Assign": first,
        "Catch": caught,
        "Next": "Think",
    }


def _build_think(function_arn: str, seconds: int) -> State:
    return _build_deciding(
        function_arn,
        f"{{'op': 'think', {_REF}, 'session': $session, 'agent': $agent, 'step': $step, "
        "'retry': $states.context.State.RetryCount}",
        seconds,
        snapshot=True,
        waits_for=[MODELS_THROTTLED],
    )


def _build_expire(function_arn: str, seconds: int) -> State:
    payload = f"{{'op': 'expire', {_REF}, 'session': $session, 'agent': $agent, 'step': $step}}"
    return _build_deciding(function_arn, payload, seconds)


def _build_deciding(
    function_arn: str, payload: str, seconds: int, *, snapshot: bool = False, waits_for: Sequence[str] = ()
) -> State:
    """Return a task that answers with a decision."""
    return invoke(function_arn, payload, seconds=seconds + 5, snapshot=snapshot, waits_for=waits_for) | {
        "Assign": {"events": f"{{% $events + {_count_with_retries(_TASK_EVENTS)} %}}"},
        "Catch": _ABORT,
        "Next": "Decide",
    }


def _build_decide(event_limit: int) -> State:
    ends = "$states.input.kind in ['answer', 'stop']"
    return {
        "Type": "Choice",
        "Choices": [
            # The next execution begins with this step: its Think returns the stored decision, and comes here again.
            {"Condition": f"{{% $events >= {event_limit} and $not({ends}) %}}", "Next": "Version"},
            {"Condition": "{% $states.input.kind = 'tools' %}", "Next": "Act"},
            {"Condition": "{% $states.input.kind in ['approve', 'ask', 'escalate'] %}", "Next": "AwaitHuman"},
        ],
        "Default": "Deliver",
    }


def _build_version() -> State:
    """Ask which version of the machine this is: a run in flight stays on its own."""
    found = "$exists($states.result.StateMachineVersionArn)"
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:describeExecution",
        "Arguments": {"ExecutionArn": "{% $states.context.Execution.Id %}"},
        "Output": {
            "machine": f"{{% {found} ? $states.result.StateMachineVersionArn : $states.result.StateMachineArn %}}"
        },
        "TimeoutSeconds": 60,
        "Retry": retry(5, also=ENGINE_ERRORS),
        "Catch": _ABORT,
        "Next": "Continue",
    }


def _build_continue() -> State:
    names = ("tenant", "run", "session", "agent", "step")
    following: State = {name: f"{{% ${name} %}}" for name in names} | {"part": "{% $part + 1 %}"}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {
            "StateMachineArn": "{% $states.input.machine %}",
            # A repeat is the same execution.
            "Name": "{% $run & '-' & $string($part + 1) %}",
            "Input": following,
        },
        "Output": "{% $states.result.Output %}",
        "TimeoutSeconds": _YEAR,
        "Retry": retry(5, also=ENGINE_ERRORS),
        "Catch": _ABORT,
        "End": True,
    }


def _build_act(run_tool: str, deliver: str, seconds: Mapping[str, int], one_by_one: Sequence[str]) -> State:
    call = f"{_REF}, 'step': $step, 'index': $states.input.index"
    tool = invoke(
        run_tool,
        f"{{'op': 'run', {call}, 'agent': $agent, 'function': $lookup($toolFunctions, $states.input.tool)}}",
        seconds=seconds["run_tool"] + 5,
        waits_for=[TOOL_BUSY],
    ) | {
        "Catch": [
            {
                "ErrorEquals": ["States.ALL"],
                "Output": "{% {'index': $states.input.index, 'error': $states.errorOutput.Error, "
                "'cause': $substring($states.errorOutput.Cause, 0, 1000)} %}",
                "Next": "CallFailed",
            }
        ],
        "End": True,
    }
    failed = invoke(
        deliver,
        f"{{'op': 'call_failed', {call}, 'error': $states.input.error, 'cause': $states.input.cause}}",
        seconds=seconds["deliver"] + 5,
    ) | {"End": True}
    return {
        "Type": "Map",
        # In brackets: a path to an array of one would otherwise yield its element.
        "Items": "{% [$states.input.calls] %}",
        "MaxConcurrency": _build_concurrency(one_by_one),
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "Call",
            "States": {"Call": tool, "CallFailed": failed},
        },
        "Assign": {
            "step": "{% $step + 1 %}",
            "events": f"{{% $events + {_ACT_EVENTS} + {_CALL_EVENTS} * $count($states.input.calls) %}}",
        },
        "Output": {},
        "Catch": _ABORT,
        "Next": "Think",
    }


def _build_concurrency(one_by_one: Sequence[str]) -> int | str:
    """Return how many calls of a reply run at once: one, where it has a call of a tool whose calls keep their order."""
    if not one_by_one:
        return _CALLS_AT_ONCE
    names = ", ".join(f"'{name}'" for name in one_by_one)
    ordered = f"$count($states.input.calls[tool in [{names}]]) > 0"
    return f"{{% {ordered} ? 1 : {_CALLS_AT_ONCE} %}}"


def _build_await_human(function_arn: str) -> State:
    counted = {"events": f"{{% $events + {_count_with_retries(_CHOICE_EVENTS + _WAIT_EVENTS)} %}}"}
    return {
        "Type": "Task",
        "Resource": f"{INVOKE}.waitForTaskToken",
        "Arguments": {
            "FunctionName": function_arn,
            "Payload": "{% {'op': 'request', 'tenant': $tenant, 'run': $run, 'session': $session, 'agent': $agent, "
            "'step': $step, 'task_token': $states.context.Task.Token} %}",
        },
        "Assign": counted,
        # A decision again: what the human's say, or the time, leads to.
        "Output": "{% $states.result %}",
        "TimeoutSeconds": "{% $states.input.wait %}",
        "Retry": retry(3),
        "Catch": [
            {"ErrorEquals": ["States.Timeout"], "Assign": counted, "Output": {}, "Next": "Expire"},
            *_ABORT,
        ],
        "Next": "Decide",
    }


def _build_deliver(function_arn: str, seconds: int) -> State:
    return invoke(
        function_arn,
        f"$merge([{{'op': 'deliver', {_REF}, 'step': $step, 'kind': $states.input.kind}}, "
        "$exists($states.input.reason) ? {'reason': $states.input.reason} : {}])",
        seconds=seconds + 5,
        attempts=5,
        proof="status",
    ) | {"Catch": _ABORT, "End": True}


def _build_abort(function_arn: str, seconds: int) -> State:
    return invoke(
        function_arn,
        f"{{'op': 'abort', {_REF}, 'step': $step, 'error': $states.input.error, 'cause': $states.input.cause}}",
        seconds=seconds + 5,
        attempts=8,
    ) | {
        "Assign": {"error": "{% $states.input.error %}", "cause": "{% $states.input.cause %}"},
        "Next": "Failed",
    }
