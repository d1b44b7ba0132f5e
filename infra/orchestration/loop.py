"""The definition of an agent's state machine (JSONata): the loop that docs/architecture.md draws.

Payloads are references only. Transient errors of the error tree and Lambda's own are retried with backoff and full
jitter; what is left goes to Abort, which ends the run in the store, and the execution fails.
"""

from collections.abc import Mapping
from typing import Any

from pentad.domain.agents import AgentSpec
from pentad.domain.errors import transient_names

State = dict[str, Any]

LAMBDA_ERRORS = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
)
_INVOKE = "arn:aws:states:::lambda:invoke"


def retry(attempts: int) -> list[State]:
    """Return the retry rule of a task.

    Args:
        attempts: retries after the first try.
    """
    return [
        {
            "ErrorEquals": [*transient_names(), *LAMBDA_ERRORS],
            "IntervalSeconds": 1,
            "BackoffRate": 2,
            "MaxDelaySeconds": 20,
            "MaxAttempts": attempts,
            "JitterStrategy": "FULL",
        }
    ]


def invoke(function_arn: str, payload: str, *, seconds: int, attempts: int = 3) -> State:
    """Return a task that invokes a function.

    Args:
        function_arn: the function, or an expression that yields it.
        payload: a JSONata expression without its braces.
        seconds: the task's timeout; a little more than the function's own.
        attempts: retries.
    """
    return {
        "Type": "Task",
        "Resource": _INVOKE,
        "Arguments": {"FunctionName": function_arn, "Payload": f"{{% {payload} %}}"},
        "Output": "{% $states.result.Payload %}",
        "TimeoutSeconds": seconds,
        "Retry": retry(attempts),
    }


_ABORT: list[State] = [
    {
        "ErrorEquals": ["States.ALL"],
        "Output": "{% {'error': $states.errorOutput.Error, 'cause': $substring($states.errorOutput.Cause, 0, 1000)} %}",
        "Next": "Abort",
    }
]


def definition(
    spec: AgentSpec,
    *,
    recall: str,
    think: str,
    await_human: str,
    deliver: str,
    tools: Mapping[str, str],
    seconds: Mapping[str, int],
) -> State:
    """Return the state machine of an agent.

    Args:
        spec: the agent.
        recall: ARN of functions.memory.recall.
        think: ARN of functions.models.gateway.
        await_human: ARN of functions.orchestration.await_human.
        deliver: ARN of functions.orchestration.deliver.
        tools: the agent's tools, name to function ARN.
        seconds: the functions' timeouts by the names above, and ``tool`` for the longest of the tools.
    """
    ref = "'tenant': $tenant, 'run': $run"
    return {
        "Comment": f"Agent {spec.name}: {spec.description}",
        "QueryLanguage": "JSONata",
        "StartAt": "Recall",
        "States": {
            "Recall": _recall(recall, tools, seconds["recall"]),
            "Think": invoke(
                think,
                f"{{'op': 'think', {ref}, 'session': $session, 'agent': $agent, 'step': $step, "
                "'retry': $states.context.State.RetryCount}",
                seconds=seconds["think"] + 5,
            )
            | {"Catch": _ABORT, "Next": "Decide"},
            "Decide": _decide(),
            "Act": _act(deliver, seconds),
            "AwaitHuman": _await_human(await_human, spec.approval_seconds),
            "Expire": invoke(
                await_human,
                f"{{'op': 'expire', {ref}, 'session': $session, 'agent': $agent, 'step': $step}}",
                seconds=seconds["await_human"] + 5,
            )
            | {"Catch": _ABORT, "Next": "Act"},
            "Deliver": invoke(
                deliver,
                f"$merge([{{'op': 'deliver', {ref}, 'step': $step, 'kind': $states.input.kind}}, "
                "$exists($states.input.reason) ? {'reason': $states.input.reason} : {}])",
                seconds=seconds["deliver"] + 5,
                attempts=5,
            )
            | {"Catch": _ABORT, "End": True},
            "Abort": invoke(
                deliver,
                f"{{'op': 'abort', {ref}, 'error': $states.input.error, 'cause': $states.input.cause}}",
                seconds=seconds["deliver"] + 5,
                attempts=8,
            )
            | {
                "Assign": {"error": "{% $states.input.error %}", "cause": "{% $states.input.cause %}"},
                "Next": "Failed",
            },
            "Failed": {"Type": "Fail", "Error": "{% $error %}", "Cause": "{% $cause %}"},
        },
    }


def _recall(function_arn: str, tools: Mapping[str, str], seconds: int) -> State:
    names = ("tenant", "run", "session", "agent")
    inputs = ", ".join(f"'{name}': $states.input.{name}" for name in names)
    first: State = {name: f"{{% $states.input.{name} %}}" for name in names} | {
        "step": 1,
        "toolFunctions": dict(tools),
    }
    # The variables are set on the way out and on the error's way out, since Abort needs them as well.
    caught = [catch | {"Assign": {name: first[name] for name in names}} for catch in _ABORT]
    return invoke(function_arn, f"{{{inputs}}}", seconds=seconds + 5) | {
        "Assign": first,
        "Catch": caught,
        "Next": "Think",
    }


def _decide() -> State:
    return {
        "Type": "Choice",
        "Choices": [
            {"Condition": "{% $states.input.kind = 'tools' %}", "Next": "Act"},
            {"Condition": "{% $states.input.kind = 'approve' %}", "Next": "AwaitHuman"},
        ],
        "Default": "Deliver",
    }


def _act(deliver: str, seconds: Mapping[str, int]) -> State:
    call = "'tenant': $tenant, 'run': $run, 'step': $step, 'index': $states.input.index"
    tool = invoke(
        "{% $lookup($toolFunctions, $states.input.tool) %}",
        f"{{'op': 'run', {call}, 'agent': $agent}}",
        seconds=seconds["tool"] + 5,
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
        "MaxConcurrency": 8,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "Call",
            "States": {"Call": tool, "CallFailed": failed},
        },
        "Assign": {"step": "{% $step + 1 %}"},
        "Output": {},
        "Catch": _ABORT,
        "Next": "Think",
    }


def _await_human(function_arn: str, approval_seconds: int) -> State:
    return {
        "Type": "Task",
        "Resource": f"{_INVOKE}.waitForTaskToken",
        "Arguments": {
            "FunctionName": function_arn,
            "Payload": "{% {'op': 'request', 'tenant': $tenant, 'run': $run, 'session': $session, 'agent': $agent, "
            "'step': $step, 'task_token': $states.context.Task.Token} %}",
        },
        "Output": "{% $states.result %}",
        "TimeoutSeconds": approval_seconds,
        "Retry": retry(3),
        "Catch": [{"ErrorEquals": ["States.Timeout"], "Output": {}, "Next": "Expire"}, *_ABORT],
        "Next": "Act",
    }
