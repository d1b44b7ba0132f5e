"""What the model is told of a tool that failed."""

from collections.abc import Callable

import pytest

from pentad.domain.errors import PolicyDenied, ToolFailed
from pentad.testing.tools.trial import ToolTrial
from pentad.tools.declare.declare import tool
from pentad.tools.runtime.outcome import ToolOutcome

REFUSED = PolicyDenied("the tool may not connect to 'evil.example:443'", fix="write it into egress")
RAISED: list[Exception] = []


@tool(effects="none")
def fails() -> str:
    """Fail."""
    raise RAISED[-1]


def chain(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    "make",
    [
        lambda: ExceptionGroup("unhandled errors in a TaskGroup", [OSError("x"), ExceptionGroup("y", [REFUSED])]),
        lambda: chain(OSError("Max retries exceeded"), chain(ValueError("no connection"), REFUSED)),
    ],
    ids=["group", "chain"],
)
def test_a_refused_connection_is_told_as_what_it_is_though_a_library_says_something_else(
    make: Callable[[], Exception],
) -> None:
    RAISED.append(make())
    answer = ToolTrial(fails).call()
    assert (answer.is_error, answer.text) == (True, ToolOutcome.from_error(REFUSED).text)


def test_what_a_tool_says_itself_stays_and_a_circle_ends() -> None:
    RAISED.append(chain(ToolFailed("the office is closed"), REFUSED))
    assert "the office is closed" in ToolTrial(fails).call().text
    circle = chain(OSError("a"), ValueError("b"))
    chain(circle.__cause__, circle)  # type: ignore[arg-type]
    RAISED.append(circle)
    assert ToolTrial(fails).call().error_type == "OSError"
