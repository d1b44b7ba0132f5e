"""What is remembered after a run is in the run's trace."""

import json
from typing import Any

import pytest

from functions.memory import remember
from pentad.domain.tracing import TraceContext, find_run_place, get_open_place
from pentad.memory.remember.remember import EndedRun
from pentad.orchestration.lifecycle.announce_end import FINISHED, build_detail
from pentad.runtime import entrypoint, queue_batch
from pentad.runtime.wiring import remember as wiring
from tests.unit.functions.events import Context, failed, sqs
from tests.unit.functions.test_handlers import _Telemetry
from tests.unit.orchestration.trace.test_run_spans import _run


class Remembering:
    """Keeps what was open while it ran."""

    def __init__(self) -> None:
        self.seen: list[TraceContext | None] = []

    def run(self, ended: EndedRun, *, deadline: float) -> None:
        self.seen.append(get_open_place())


@pytest.mark.parametrize("caller", [None, f"00-{'a' * 32}-{'b' * 16}-01"])
def test_it_is_below_the_runs_root(monkeypatch: pytest.MonkeyPatch, caller: str | None) -> None:
    remembering, telemetry = Remembering(), _Telemetry()
    for module in (entrypoint, queue_batch):
        monkeypatch.setattr(module, "telemetry_of", lambda service: telemetry)
    monkeypatch.setattr(wiring, "make_remember", lambda: remembering)
    run = _run(traceparent=caller)
    event: dict[str, Any] = {"detail-type": FINISHED, "detail": build_detail(run)}
    older = {"detail-type": FINISHED, "detail": event["detail"] | {"traceparent": "not valid"}}
    assert failed(remember.handler(sqs(json.dumps(event), json.dumps(older)), Context())) == []
    assert remembering.seen == [find_run_place(run), None]
    assert get_open_place() is None
