"""What AWS itself takes for a run, as far as its trace tells: transitions and the time of functions. Pure.

Prices of us-east-1, as AWS lists them in November 2026; another region's differ by some percent. What a trace does not
tell is not in it: requests of DynamoDB, lines of logs, messages; the function of a tool, which its runner calls.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

TRANSITION_NANOUSD = 25_000
"""A transition of a Standard state machine: $0.000025 ("AWS Step Functions pricing")."""
REQUEST_NANOUSD = 200
"""A request to Lambda: $0.20 a million ("AWS Lambda pricing")."""
GB_SECOND_NANOUSD = 13_333
"""A GB-second of Lambda on arm64: $0.0000133334 ("AWS Lambda pricing")."""
MEMORY_GB = 0.5
"""Of most functions of the stack; the ones that read documents have more."""


class AwsCost(NamedTuple):
    """Nano-dollars of a run, beside those of its models."""

    transitions: int
    functions: int

    @property
    def total(self) -> int:
        """Both."""
        return self.transitions + self.functions


def estimate_aws_cost(transitions: int, spans: Sequence[Mapping[str, Any]]) -> AwsCost:
    """Return about what Step Functions and Lambda take.

    Args:
        transitions: states entered.
        spans: of the run's trace, as the API shows them.
    """
    took = [int(span["duration_ms"]) for span in spans if span["kind"] == "function"]
    lambdas = len(took) * REQUEST_NANOUSD + round(sum(took) / 1000 * MEMORY_GB * GB_SECOND_NANOUSD)
    return AwsCost(transitions * TRANSITION_NANOUSD, lambdas)
