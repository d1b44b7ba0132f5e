"""What an invocation of each function of the stack takes of DynamoDB, as measured on the twin. Pure data.

Units are those of a short run in a new session, measured 2026-11-30 by `python -m benchmarks.function_units`: a read
unit is 4 KB read strongly consistent, a write unit 1 KB, transactions take two, an index entry is a write of its own.
A long conversation reads more. Requests are the most that were seen, since circuits are kept for a while.
`tests/twin/stack/test_requests.py` holds requests and memory to what the twin has.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class FunctionUse(NamedTuple):
    """One invocation: requests to DynamoDB and their units."""

    requests: int
    read_units: float
    write_units: float


RUN_START: Final = FunctionUse(4, 3, 20)
"""The API's part: the rate, the kill switches, and the transaction that starts the run."""
MODEL_CALL: Final = FunctionUse(10, 2, 17)
"""The gateway, where a function asks it and no state: the embedding of a question, a model call of a graph."""
USES: Final[Mapping[str, FunctionUse]] = {
    "recall": FunctionUse(5, 3, 10),
    "gateway": FunctionUse(16, 18, 33),
    "run-tool": FunctionUse(6, 8, 7),
    "deliver": FunctionUse(4, 3, 10),
}
"""By the function that a state invokes."""
MEMORY_MB: Final[Mapping[str, int]] = {"recall": 512, "gateway": 1024, "run-tool": 512, "deliver": 512}
"""Lambda's memory by function; the others that states invoke have `OTHER_MEMORY_MB`."""
OTHER_MEMORY_MB: Final = 512
TOOL_MEMORY_MB: Final = 256
"""What a tool's function has where its declaration says nothing else; a trace does not tell."""


def find_use(function: str) -> FunctionUse | None:
    """Return what an invocation takes, by the function's full name; None where it was not measured."""
    return USES.get(_shorten(function))


def find_memory_mb(function: str) -> int:
    """Return a function's memory in MB, by its full name."""
    return MEMORY_MB.get(_shorten(function), OTHER_MEMORY_MB)


def _shorten(function: str) -> str:
    """Return the name in the tables that a full name, such as ``pentad-dev-gateway``, ends with."""
    return next((name for name in USES if function == name or function.endswith(f"-{name}")), function)
