"""What a call of a tool costs beyond the tool's own function: on the twin, beside the function called bare."""

import time
from dataclasses import dataclass
from statistics import median

from benchmarks.orchestration_units import Units, units_of
from benchmarks.requests import PREFIX
from benchmarks.stage import Case, Stage
from functions.tools.calculator import calculator

EXPRESSION = "1 + 1"
"""As near to nothing as a tool of the project comes."""
CALL = Case("1 tool call", tool_calls=(("calculator", {"expression": EXPRESSION}),))
RUNNER, TOOL = "run-tool", "tool-calculator"
_BARE = 2_000


@dataclass(frozen=True)
class Overhead:
    """One call.

    Attributes:
        invocations: Lambda invocations for the call: the runner's and the tool's.
        requests: of the runner to DynamoDB, and of the tool's function.
        units: those requests' units.
        other: the runner's requests to other services but the invocation.
        runner_ms: the runner's time, the median of warm calls; the tool's function runs within it.
        tool_ms: the tool's function's time, the same way.
        bare_ms: the tool's code called in this process.
    """

    invocations: int
    requests: int
    units: Units
    other: int
    runner_ms: float
    tool_ms: float
    bare_ms: float

    @property
    def ratio(self) -> float:
        """The runner's time in that of the tool's function: what is around a call, side by side in one run."""
        return self.runner_ms / self.tool_ms


def measure(running: Stage, samples: int) -> Overhead:
    """Measure one call, and time so many.

    Raises:
        BenchError: a run did not succeed.
    """
    running.ask(CALL)  # warm
    turn = running.measure(CALL)
    roles = {running.role_of(RUNNER), running.role_of(TOOL)}
    mine = [one for one in running.requests if one.principal in roles]
    before = len(running.reports())
    for _ in range(samples):
        running.ask(CALL)
    reports = [one for one in running.reports()[before:] if one.init_ms is None]
    times = {
        name: median(one.duration_ms for one in reports if one.function == f"{PREFIX}{name}") for name in (RUNNER, TOOL)
    }
    others = sum(count for what, count in turn.other.items() if what.endswith((f"by {RUNNER}", f"by {TOOL}")))
    return Overhead(
        invocations=sum(turn.invocations.get(name, 0) for name in (RUNNER, TOOL)),
        requests=len(mine),
        units=units_of(mine, running.twin.get_admin_client("dynamodb")),
        other=others - 1,
        runner_ms=times[RUNNER],
        tool_ms=times[TOOL],
        bare_ms=_time_bare(),
    )


def _time_bare() -> float:
    began = time.perf_counter()
    for _ in range(_BARE):
        calculator(EXPRESSION)
    return (time.perf_counter() - began) / _BARE * 1000
