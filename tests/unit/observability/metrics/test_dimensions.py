"""What passes as a metric's dimension, and what becomes ``other``."""

import pytest

from pentad.observability.metrics import names
from pentad.observability.metrics.dimensions import Dimensions, choose_told_apart
from pentad.observability.metrics.table import MOST_TOLD_APART

MOST = MOST_TOLD_APART["tool"]


def test_only_a_metrics_own_dimensions_pass() -> None:
    given = {"tenant": "acme", "tool": "notes", "outcome": "ok", "model": "m"}
    assert Dimensions().limit(names.TOOL_DURATION, given) == ((("tool", "notes"),),)
    assert Dimensions().limit("NoSuchMetric", given) == ()
    assert Dimensions().limit(names.TOOL_CALLS, {"tool": "", "outcome": ""}) == ()


def test_a_value_that_the_table_does_not_have_is_other() -> None:
    found = Dimensions().limit(names.TOOL_CALLS, {"tool": "notes", "outcome": "user 17 said hello"})
    assert found == ((("outcome", "other"), ("tool", "notes")),)


def test_a_metric_with_two_sets_is_written_under_each() -> None:
    found = Dimensions().limit(names.ERRORS, {"function": "api", "error": "NotFound"})
    assert found == ((("function", "api"),), (("error", "NotFound"),))


@pytest.mark.parametrize(("seen", "expected"), [(MOST - 1, "new"), (MOST, "other")])
def test_declared_names_beyond_the_bound_are_other(seen: int, expected: str) -> None:
    dimensions = Dimensions()
    for number in range(seen):
        dimensions.limit(names.TOOL_DURATION, {"tool": f"t{number}"})
    assert dimensions.limit(names.TOOL_DURATION, {"tool": "new"}) == ((("tool", expected),),)
    assert dimensions.limit(names.TOOL_DURATION, {"tool": "t0"}) == ((("tool", "t0"),),)


def test_processes_that_see_other_names_first_tell_the_same_ones_apart() -> None:
    declared = [f"tool-{number:03}" for number in range(3 * MOST)]
    chosen = choose_told_apart({"tool": declared, "agent": ["one", "two"]})
    assert chosen == {"tool": declared[:MOST]}
    seen = set()
    for order in (declared, declared[::-1], declared[MOST:] + declared[:MOST]):
        process = Dimensions(chosen)
        seen |= {process.limit(names.TOOL_DURATION, {"tool": name}) for name in order}
    assert len(seen) == MOST + 1


def test_a_provider_is_other_with_its_model() -> None:
    dimensions = Dimensions({"model": ["known"]})
    known, unknown = ({"model": name, "provider": "anthropic"} for name in ("known", "unknown"))
    assert dimensions.limit(names.MODEL_COST, known) == ((("model", "known"), ("provider", "anthropic")),)
    assert dimensions.limit(names.MODEL_COST, unknown) == ((("model", "other"), ("provider", "other")),)


def test_each_value_that_became_other_is_reported_once_and_not_without_end() -> None:
    told: list[tuple[str, str, str]] = []
    dimensions = Dimensions(report=lambda *one: told.append(one))
    for _ in range(3):
        dimensions.limit(names.RUNS_ENDED, {"agent": "a", "status": "odd"})
    assert told == [("RunsEnded", "status", "odd")]
    for number in range(500):
        dimensions.limit(names.RUNS_ENDED, {"agent": "a", "status": f"odd {number}"})
    assert len(told) == 20
