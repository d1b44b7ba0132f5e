"""What AWS itself takes for a run, as far as its trace tells: transitions, functions, DynamoDB. Pure.

Prices of us-east-1, as AWS lists them in November 2026; another region's differ by some percent. Transitions and times
are the run's own. DynamoDB is estimated: what each function takes as measured (`function_use`), times its invocations.
`NOT_COUNTED` says what is not in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pentad.cli.commands.runs.function_use import (
    MODEL_CALL,
    RUN_START,
    TOOL_MEMORY_MB,
    FunctionUse,
    find_memory_mb,
    find_use,
)
from pentad.cli.screen import format_count

TRANSITION_NANOUSD = 25_000
"""A transition of a Standard state machine: $0.000025 ("AWS Step Functions pricing")."""
REQUEST_NANOUSD = 200
"""A request to Lambda: $0.20 a million ("AWS Lambda pricing")."""
GB_SECOND_NANOUSD = 13_333
"""A GB-second of Lambda on arm64: $0.0000133334 ("AWS Lambda pricing")."""
WRITE_UNIT_NANOUSD = 625
"""A write request unit of an on-demand table: $0.625 a million ("Amazon DynamoDB pricing"); transactions take two."""
READ_UNIT_NANOUSD = 125
"""A read request unit of an on-demand table: $0.125 a million ("Amazon DynamoDB pricing"); transactions take two."""
NOT_COUNTED: Final = "the API's function, the work after the run, what tools themselves ask, logs, S3"
_MB_OF_GB = 1024

Span = Mapping[str, Any]


class AwsCost(NamedTuple):
    """Nano-dollars of a run, beside those of its models.

    Attributes:
        transitions: of Step Functions.
        functions: of Lambda, those of tools included.
        dynamodb: of DynamoDB's request units, estimated.
        requests: requests to DynamoDB, estimated.
        unmeasured: invocations of functions whose requests were not measured; they are not in ``dynamodb``.
    """

    transitions: int
    functions: int
    dynamodb: int
    requests: int
    unmeasured: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.transitions + self.functions + self.dynamodb


class _Invocation(NamedTuple):
    """One invocation of a function; ``use`` is None where it was not measured."""

    duration_ms: int
    memory_mb: int
    use: FunctionUse | None


def estimate_aws_cost(transitions: int, spans: Sequence[Span]) -> AwsCost:
    """Return about what Step Functions, Lambda and DynamoDB take.

    Args:
        transitions: states entered.
        spans: of the run's trace, as the API shows them: parents before their children.
    """
    invocations = list(_iter_invocations(spans))
    gb_seconds = sum(one.duration_ms / 1000 * one.memory_mb / _MB_OF_GB for one in invocations)
    # Without a history no function is known, and a sum of the start alone would look like that of the run.
    uses = [one.use for one in invocations if one.use is not None] + ([RUN_START] if invocations else [])
    units = sum(use.read_units * READ_UNIT_NANOUSD + use.write_units * WRITE_UNIT_NANOUSD for use in uses)
    return AwsCost(
        transitions=transitions * TRANSITION_NANOUSD,
        functions=len(invocations) * REQUEST_NANOUSD + round(gb_seconds * GB_SECOND_NANOUSD),
        dynamodb=round(units),
        requests=sum(use.requests for use in uses),
        unmeasured=sum(1 for one in invocations if one.use is None),
    )


def describe_dynamodb(cost: AwsCost) -> str:
    """Return what the estimate of DynamoDB is based on, and what it leaves out."""
    without = f", without {format_count(cost.unmeasured, 'invocation')} not measured" if cost.unmeasured else ""
    return f"about {cost.requests} requests, by what each function takes in a short run{without}"


def _iter_invocations(spans: Sequence[Span]) -> Iterator[_Invocation]:
    """Yield the functions of states, and those that they call: of tools, and the gateway."""
    around: list[Span] = []
    for span in spans:
        around = [one for one in around if int(one["depth"]) < int(span["depth"])]
        function = next((str(one["name"]) for one in reversed(around) if one["kind"] == "function"), "")
        took = int(span["duration_ms"])
        if span["kind"] == "function":
            yield _Invocation(took, find_memory_mb(str(span["name"])), find_use(str(span["name"])))
        elif span["kind"] == "tool" and function.endswith("run-tool"):
            yield _Invocation(took, TOOL_MEMORY_MB, _NOTHING)
        elif span["kind"] == "model" and function and not function.endswith("gateway") and _is_first(span):
            yield _Invocation(took, find_memory_mb("gateway"), MODEL_CALL)
        around.append(span)


_NOTHING: Final = FunctionUse(0, 0, 0)
"""What a tool reads and writes itself is its author's, and in no table."""


def _is_first(attempt: Span) -> bool:
    """Tell whether a model attempt is its invocation's first: the gateway itself tries again, or another model."""
    return int(attempt["attributes"].get("attempt", 1)) == 1
