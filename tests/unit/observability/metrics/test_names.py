"""Metrics are listed with their units, and dimensions are bounded."""

import pytest

from pentad.observability.metrics import names
from pentad.observability.metrics.dimensions import Dimensions


def test_every_metric_has_a_unit_that_cloudwatch_knows() -> None:
    constants = {
        value
        for name, value in vars(names).items()
        if name.isupper() and isinstance(value, str) and name not in ("NAMESPACE", "OTHER")
    }
    assert constants == set(names.UNITS)
    assert set(names.UNITS.values()) <= {"Count", "Milliseconds", "Bytes", "Percent", "None"}


def test_identifiers_are_no_dimensions() -> None:
    assert not names.DIMENSIONS & {"tenant", "run", "session", "user", "request_id", "call_id"}
    assert Dimensions().limit({"tenant": "acme", "tool": "notes", "model": ""}) == {"tool": "notes"}


def test_there_are_at_most_five_dimensions() -> None:
    assert len(Dimensions().limit(dict.fromkeys(names.DIMENSIONS, "x"))) == names.MAX_DIMENSIONS


@pytest.mark.parametrize(("seen", "expected"), [(99, "new"), (100, "other")])
def test_values_beyond_the_bound_are_other(seen: int, expected: str) -> None:
    dimensions = Dimensions()
    for number in range(seen):
        dimensions.limit({"tool": f"t{number}"})
    assert dimensions.limit({"tool": "new"}) == {"tool": expected}
    assert dimensions.limit({"tool": "t0"}) == {"tool": "t0"}
