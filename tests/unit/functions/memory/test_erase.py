"""An erasure that is not at its end comes again by the queue."""

import json

import pytest

from functions.memory import erase
from pentad.domain.errors import StoreUnavailable
from pentad.orchestration.erasure.ports import ERASURE_REQUESTED, ErasureRequest
from pentad.runtime import entrypoint, queue_batch
from pentad.runtime.wiring.memory import erase as wiring
from tests.unit.functions.events import Context, failed, sqs
from tests.unit.functions.test_handlers import _Telemetry


class Erasing:
    """Answers as told."""

    def __init__(self, *answers: int | StoreUnavailable | None) -> None:
        self.answers = list(answers)
        self.seen: list[str] = []

    def run(self, request: ErasureRequest, *, deadline: float) -> int | None:
        self.seen.append(request.user_id)
        answer = self.answers.pop(0)
        if isinstance(answer, StoreUnavailable):
            raise answer
        return answer


class Queue:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []

    def send_again(self, queue_arn: str, body: str, seconds: int) -> None:
        self.sent.append((body, seconds))

    def postpone(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        """Let it come again."""


def test_what_is_not_at_its_end_comes_again_and_what_failed_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    erasing, queue, telemetry = Erasing(None, 8, 0, StoreUnavailable("broken on purpose")), Queue(), _Telemetry()
    for module in (entrypoint, queue_batch):
        monkeypatch.setattr(module, "telemetry_of", lambda service: telemetry)
    monkeypatch.setattr(queue_batch, "make_redelivery", lambda: queue)
    monkeypatch.setattr(wiring, "make_erase", lambda: erasing)
    monkeypatch.setattr(wiring, "make_queue", lambda: queue)
    bodies = [
        json.dumps(
            {"detail-type": ERASURE_REQUESTED, "detail": {"tenant": "acme", "user": user, "erasure": "era_" + "0" * 26}}
        )
        for user in ("ann", "bob", "cat", "dan")
    ]
    assert failed(erase.handler(sqs(*bodies, "[]", "no JSON"), Context())) == ["m3", "m4", "m5"]
    assert erasing.seen == ["ann", "bob", "cat", "dan"]
    assert queue.sent == [(bodies[1], 8), (bodies[2], 0)]
