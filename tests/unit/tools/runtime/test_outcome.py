"""What the model is told of a tool that failed."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator

from pentad.domain.errors import PolicyDenied, ToolFailed
from pentad.testing.tools.trial import ToolTrial
from pentad.tools.declare.declare import tool
from pentad.tools.results.keep import fit_result
from pentad.tools.runtime.outcome import ToolOutcome, make_outcome, run_function
from tests.unit.tools.worlds import context_for

REFUSED = PolicyDenied("the tool may not connect to 'evil.example:443'", fix="write it into egress")
RAISED: list[Exception] = []


@tool(effects="none")
def fails() -> str:
    """Fail."""
    raise RAISED[-1]


def refuse(value: int) -> int:
    """Raise what pydantic does not expect of a validator."""
    if value == 0:
        raise KeyError("rates.csv")
    return value


Checked = Annotated[int, AfterValidator(refuse)]


@tool(effects="none")
def checks(count: Checked) -> Checked:
    """Count down."""
    return count - 1


def test_what_a_validator_raises_is_told_of_arguments_and_of_results() -> None:
    refused, unusable = ToolTrial(checks).call(count=0), ToolTrial(checks).call(count=1)
    assert (refused.is_error, refused.text) == (True, "KeyError: 'rates.csv'")
    assert unusable.text == "ToolFailed: the tool ran, but its result can't be used: KeyError: 'rates.csv'"
    assert ToolTrial(checks).call(count=3).value == 2


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


@pytest.mark.parametrize("kind", [RuntimeError, ToolFailed])
def test_a_long_error_is_shown_by_its_ends_and_kept_whole(kind: type[Exception]) -> None:
    kept: list[bytes] = []

    def fit(text: str, limit: int, value: Any = None) -> str:
        return fit_result(kept.append, "res_1_0_5f0c2a9d1b7e", text, limit, value)

    RAISED.append(kind("begin\n" + "line of a build\n" * 5_000 + "the end"))
    answer = run_function(fails, {}, context_for())
    outcome = make_outcome(answer, reversible=False, fit=fit)
    assert outcome.is_error and outcome.error_type == kind.__name__
    assert outcome.text.startswith(f"{kind.__name__}: begin") and outcome.text.endswith("the end")
    assert len(outcome.text.encode()) <= 4_096
    assert 'read_result, handle "res_1_0_5f0c2a9d1b7e"' in outcome.text
    assert kept[0].count(b"line of a build") == 5_000


def test_an_error_without_end_is_bounded_and_a_short_one_is_kept_nowhere() -> None:
    kept: list[bytes] = []
    RAISED.append(RuntimeError("x" * 3_000_000))
    answer = run_function(fails, {}, context_for())
    assert len(answer.text.encode()) <= 200_000
    RAISED.append(RuntimeError("short"))
    make_outcome(
        run_function(fails, {}, context_for()),
        reversible=False,
        fit=lambda text, limit, value=None: fit_result(kept.append, "res", text, limit, value),
    )
    assert kept == []
