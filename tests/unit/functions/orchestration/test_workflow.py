"""The workflows' handler over services in memory: each operation's payload, and what comes back of it."""

from contextlib import contextmanager
from typing import Any

import pytest

from functions.models import gateway
from functions.orchestration import workflow
from pentad.domain.errors import InvalidInput
from pentad.models.shares.adapters.shares_memory import MemoryShares
from pentad.models.shares.fair_share import FairShare
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.orchestration.workflows.run_ends import FINISH
from pentad.runtime import entrypoint
from pentad.runtime.wiring import gateway as gateway_wiring
from pentad.runtime.wiring import workflow as workflow_wiring
from tests.unit.functions.events import Context
from tests.unit.orchestration.workflows.conftest import Bench, bench

__all__ = ["bench"]


class _Telemetry(MemoryTelemetry):
    """The recorder, as the entrypoint binds it."""

    @contextmanager
    def bind(self, **keys: Any) -> Any:
        yield


@pytest.fixture(autouse=True)
def _services(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = _Telemetry()
    monkeypatch.setattr(entrypoint, "telemetry_of", lambda service: telemetry)
    share = FairShare(MemoryShares(), telemetry, most=1)
    monkeypatch.setattr(gateway_wiring, "make_share", lambda: share)
    monkeypatch.setattr(gateway_wiring, "make_task", lambda: bench.task)
    monkeypatch.setattr(gateway_wiring, "make_begin", lambda: bench.ends.begin)
    monkeypatch.setattr(
        workflow_wiring,
        "make_workflow",
        lambda: workflow_wiring.Workflow(bench.ends, bench.children, bench.calls, bench.humans),
    )


def ref(bench: Bench, operation: str, step: str | None = None, **more: Any) -> dict[str, Any]:
    entered = bench.entered.model_dump() if step is None else bench.at(step).model_dump(exclude={"retry"})
    return {"op": operation, **entered, **more}


def test_a_run_goes_from_its_beginning_to_its_end(bench: Bench) -> None:
    context = Context()
    assert gateway.handler(ref(bench, "begin"), Context("1")) == {}
    bench.world.model.script = ['{"n": 3}']
    told = gateway.handler(ref(bench, "task", "facts", retry=0), Context("1"))
    assert told == {"facts": {"n": 3, "status": "succeeded", "at": 1}}
    assert workflow.handler(ref(bench, "text", "words"), context)["words"]["at"] == 5
    child = workflow.handler(ref(bench, "child", "helper"), context)
    assert set(child) == {"tenant", "run", "session", "agent"}
    planned = {"tool": "calculator", "index": 0, "asks": False}
    assert workflow.handler(ref(bench, "call", "sum"), context) == planned
    asked = workflow.handler(ref(bench, "ask", "sign", task_token="token"), context)
    bench.world.decide("acme", asked["approval"], "approve", by="ann")
    assert workflow.handler(ref(bench, "human_done", "sign", strict=True), context)["sign"]["status"] == "approved"
    end = workflow.handler(ref(bench, "finish", refs={"words": 5}, failed=[], capped=[]), context)
    assert end == {"kind": "answer", "step": FINISH, "calls": []}


def test_a_stop_is_told_as_a_decision(bench: Bench) -> None:
    told = workflow.handler(ref(bench, "stop", error="StepRejected", cause="a human said no"), Context())
    assert (told["kind"], told["reason"]) == ("stop", "The run was stopped: a human said no.")


@pytest.mark.parametrize("wrong", [{"op": "text"}, {"op": "begin"}, {"op": "nothing"}, {"op": "text", "place": 0}])
def test_a_payload_that_is_wrong_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        workflow.handler(wrong, Context())
