"""What every handler is wrapped in: the first answer to a state says how long its process took to begin."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pentad.domain.errors import (
    BudgetExceeded,
    ConfigurationError,
    InvalidInput,
    ModelAuthentication,
    ModelThrottled,
    ModelUnavailable,
    PentadError,
    StoreUnavailable,
    ToolFailed,
)
from pentad.domain.values import FrozenValue
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.runtime import entrypoint
from tests.unit.functions.events import Context


class Asked(FrozenValue):
    """From a state."""

    state: int


class Handed(FrozenValue):
    """From somebody else."""

    other: int


Handler = Callable[[Mapping[str, Any], Any], Any]


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Handler:
    monkeypatch.setattr(entrypoint, "telemetry_of", lambda service: MemoryTelemetry())

    @entrypoint.entrypoint("cold", Asked | Handed, tells=(Asked,))
    def handle(event: Asked | Handed, context: Any) -> dict[str, int]:
        return {"answer": 1}

    return handle


def test_a_process_on_demand_tells_its_milliseconds_once(handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    first = handler({"state": 1}, Context())
    assert first.keys() == {"answer", "cold_start"} and first["cold_start"] > 0
    assert handler({"state": 2}, Context()) == {"answer": 1}


def test_a_restored_process_tells_that_it_was(handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    assert handler({"state": 1}, Context()) == {"answer": 1, "cold_start": "snap-start"}


def test_others_and_whoever_is_no_lambda_are_told_nothing(handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_INITIALIZATION_TYPE", raising=False)
    assert handler({"state": 1}, Context()) == {"answer": 1}
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    assert handler({"other": 1}, Context()) == {"answer": 1}, "and the process is not new any more"
    assert handler({"state": 1}, Context()) == {"answer": 1}


@pytest.mark.parametrize(
    ("error", "metric"),
    [
        (ModelThrottled("this tenant has 20 model calls running, its share"), None),
        (BudgetExceeded("used up"), None),
        (ModelUnavailable("nobody answers"), None),
        (ToolFailed("no"), None),
        (InvalidInput("no"), None),
        (StoreUnavailable("down"), "Faults"),
        (ConfigurationError("a right is missing"), "Faults"),
        (ModelAuthentication("the key is revoked"), "Faults"),
        (PentadError("?"), "Faults"),
        (KeyError("x"), "Faults"),
        (MemoryError(), "Faults"),
    ],
)
def test_an_error_is_counted_as_a_fault_or_as_what_a_function_refuses(
    monkeypatch: pytest.MonkeyPatch, error: Exception, metric: str | None
) -> None:
    telemetry = MemoryTelemetry()
    monkeypatch.setattr(entrypoint, "telemetry_of", lambda service: telemetry)

    @entrypoint.entrypoint("gateway", Asked)
    def handle(event: Asked, context: Any) -> None:
        raise error

    with pytest.raises(type(error)):
        handle({"state": 1}, Context())
    with pytest.raises(InvalidInput):  # our own state machine sends what nothing reads: a fault
        handle({"state": "x"}, Context())
    counted = [one.name for one in telemetry.counts if one.name in ("Faults", "Raised")]
    assert counted == [*([metric] if metric else []), "Raised", "Faults", "Raised"]
    assert sum(one.name == "Errors" for one in telemetry.counts) == 2


def test_a_function_that_no_run_needs_is_not_among_those_that_lambda_is_compared_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    telemetry = MemoryTelemetry()
    monkeypatch.setattr(entrypoint, "telemetry_of", lambda service: telemetry)

    @entrypoint.entrypoint("ingest", Asked)
    def handle(event: Asked, context: Any) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        handle({"state": 1}, Context())
    assert [one.name for one in telemetry.counts if one.name in ("Faults", "Raised")] == ["Faults"]


def test_the_age_of_a_process_grows() -> None:
    age = entrypoint.measure_age_ms()
    assert age is None or 0 < age <= (entrypoint.measure_age_ms() or 0)


def test_a_workflows_step_is_told_by_its_name_and_a_runs_by_its_number() -> None:
    given = {"tenant": "acme", "run": "run_1", "op": "step", "index": 2, "session": None, "other": "x"}
    assert entrypoint._name_keys({**given, "step": 3}) == {
        "tenant": "acme",
        "run": "run_1",
        "op": "step",
        "index": 2,
        "step": 3,
    }
    named = entrypoint._name_keys({**given, "step": "draft"})
    assert named == {"tenant": "acme", "run": "run_1", "op": "step", "index": 2, "step_name": "draft"}
