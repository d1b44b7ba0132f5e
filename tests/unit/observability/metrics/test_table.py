"""The one table of metrics, against the code that counts and the domain's own words."""

import pytest

from pentad.domain import errors
from pentad.domain.models import Outcome
from pentad.domain.runs import ApprovalStatus, Band, Decision, Review, Run, RunStatus
from pentad.observability.metrics import names
from pentad.observability.metrics.table import (
    CEILING,
    METRICS,
    MOST_TOLD_APART,
    OTHER,
    check_count,
    compute_ceiling,
)


def values_of(metric: str, dimension: str) -> frozenset[str]:
    values = METRICS[metric].dimensions[dimension].values
    assert values is not None
    return values


def test_every_name_has_a_row_with_a_unit_that_cloudwatch_knows() -> None:
    constants = {value for name, value in vars(names).items() if name.isupper() and name != "NAMESPACE"}
    assert constants == set(METRICS)
    assert {one.unit for one in METRICS.values()} <= {"Count", "Milliseconds", "Bytes", "Percent", "None"}
    assert all(one.tells for one in METRICS.values())


def test_no_stage_can_have_more_metrics_than_the_ceiling() -> None:
    assert compute_ceiling() <= CEILING
    few = {"agent": 4, "tool": 12, "model": 6, "tier": 4, "function": 28}
    assert compute_ceiling(few) < compute_ceiling() / 3


def test_identifiers_are_no_dimensions_and_every_dimension_is_bounded() -> None:
    dimensions = [one for spec in METRICS.values() for one in spec.dimensions.values()]
    assert not {one.name for one in dimensions} & {"tenant", "run", "session", "user", "request_id", "call_id"}
    assert {one.name for one in dimensions if one.values is None} == {*MOST_TOLD_APART, "provider"}
    assert all(OTHER not in one.values for one in dimensions if one.values is not None)


def test_values_are_those_that_the_domain_has() -> None:
    assert values_of(names.MODEL_ATTEMPTS, "outcome") == set(Outcome)
    assert values_of(names.RUNS_ENDED, "status") == {one for one in RunStatus if one.ended}
    assert values_of(names.ASSESSMENTS, "band") == set(Band)
    decided = {one.value for one in ApprovalStatus} - {"pending"} | {"edited", "expired_approved", "expired_rejected"}
    assert values_of(names.APPROVALS_DECIDED, "outcome") == decided
    for metric, dimension, model, field in (
        (names.RUNS_STARTED, "trigger", Run, "trigger"),
        (names.TURNS, "decision", Decision, "kind"),
        (names.REVIEWS_OPENED, "kind", Review, "cause"),
    ):
        found = model.model_json_schema()["properties"][field]
        assert values_of(metric, dimension) == set(found["enum"])


def test_every_error_of_the_tree_is_told_apart() -> None:
    tree = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.PentadError)}
    assert tree <= values_of(names.ERRORS, "error")


@pytest.mark.parametrize(
    ("name", "unit", "dimensions", "said"),
    [
        ("NoSuch", "Count", {}, "no metric 'NoSuch'"),
        ("ToolCalls", "Milliseconds", {}, "the unit Count"),
        ("ToolCalls", "Count", {"tenant": "acme"}, "['tenant']"),
        ("ToolCalls", "Count", {"outcome": "sideways"}, "the outcome 'sideways'"),
    ],
)
def test_a_count_that_the_table_does_not_have_is_refused_in_tests(
    name: str, unit: str, dimensions: dict[str, str], said: str
) -> None:
    with pytest.raises(ValueError, match=said.replace("[", r"\[")):
        check_count(name, unit, dimensions)
