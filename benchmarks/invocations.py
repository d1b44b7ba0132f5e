"""Which invocation made which request, and what was read twice in one."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.requests import PREFIX, READS, Key, Request

if TYPE_CHECKING:
    from twin.host.model import InvocationReport

_CLOCK_MS = 1.0  # a report's start is in whole milliseconds


@dataclass(frozen=True)
class Repeat:
    """An item or a query that one invocation read more than once."""

    function: str
    operation: str
    items: str
    times: int


def invocation_of(request: Request, function: str, reports: Sequence["InvocationReport"]) -> str | None:
    """Return the request id of the invocation that made a request, or None.

    Invocations of one function must not overlap: the newest that had begun is the one.
    """
    began = [one for one in reports if one.function == function and one.started_ms <= request.at_ms + _CLOCK_MS]
    return max(began, key=lambda one: one.started_ms).request_id if began else None


def repeated_reads(
    requests: Iterable[Request], reports: Sequence["InvocationReport"], functions: Mapping[str, str]
) -> list[Repeat]:
    """Return what was read more than once in one invocation.

    Args:
        requests: of one run.
        reports: of the same run's invocations.
        functions: the function by the name of its role.
    """
    read: Counter[tuple[str, str, str, Key]] = Counter()
    for request in requests:
        function = functions.get(request.principal)
        invocation = invocation_of(request, function, reports) if function else None
        if function and invocation and request.operation in READS:
            for key in request.keys:
                read[invocation, function, request.operation, key] += 1
    found = [
        Repeat(function.removeprefix(PREFIX), operation, key.kind, times)
        for (_, function, operation, key), times in read.items()
        if times > 1
    ]
    return sorted(found, key=lambda one: (-one.times, one.function, one.items))
