"""What is remembered after a run is in the run's trace."""

import json
from typing import Any

import pytest

from functions.memory import remember
from pentad.domain.errors import StoreUnavailable
from pentad.domain.tracing import TraceContext, find_run_place, get_open_place
from pentad.memory.corrections.learn_correction import CorrectedAnswer
from pentad.memory.remember.remember import RECEIVES, EndedRun
from pentad.observability.feedback.ports import CORRECTED
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
        self.last: list[bool] = []

    def run(self, ended: EndedRun, *, deadline: float, last: bool) -> None:
        self.seen.append(get_open_place())
        self.last.append(last)


def test_it_knows_when_the_queue_does_not_deliver_again(monkeypatch: pytest.MonkeyPatch) -> None:
    remembering, telemetry = Remembering(), _Telemetry()
    for module in (entrypoint, queue_batch):
        monkeypatch.setattr(module, "telemetry_of", lambda service: telemetry)
    monkeypatch.setattr(wiring, "make_remember", lambda: remembering)
    for receives in (1, RECEIVES - 1, RECEIVES):
        event = sqs(json.dumps({"detail-type": FINISHED, "detail": build_detail(_run())}))
        event["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(receives)
        remember.handler(event, Context())
    assert remembering.last == [False, False, True]


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


def test_a_correction_of_an_answer_goes_to_what_learns_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[CorrectedAnswer, TraceContext | None]] = []

    class Learning:
        def run(self, corrected: CorrectedAnswer, *, deadline: float) -> None:
            if corrected.session_id == "down":
                raise StoreUnavailable("down")
            seen.append((corrected, get_open_place()))

    telemetry = _Telemetry()
    for module in (entrypoint, queue_batch):
        monkeypatch.setattr(module, "telemetry_of", lambda service: telemetry)
    monkeypatch.setattr(wiring, "make_learn_correction", Learning)
    run = _run()
    place = find_run_place(run)
    feedback = "fbk_" + "1" * 26

    def body(session: str) -> str:
        detail = {"tenant": "acme", "session": session, "feedback": feedback, "traceparent": place.header}
        return json.dumps({"detail-type": CORRECTED, "detail": detail})

    broken = json.dumps({"detail-type": CORRECTED, "detail": {"tenant": "acme"}})
    assert failed(remember.handler(sqs(body("s1"), body("down"), broken), Context())) == ["m1", "m2"]
    corrected = CorrectedAnswer(tenant_id="acme", session_id="s1", feedback_id=feedback, traceparent=place.header)
    assert seen == [(corrected, place)]
