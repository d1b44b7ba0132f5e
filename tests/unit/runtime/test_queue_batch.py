"""Batches of SQS messages: which come again, and when."""

from contextlib import contextmanager
from typing import Any

import pytest

from pentad.domain.errors import InvalidInput, PentadError, SessionBusy, StoreUnavailable
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.runtime import entrypoint, queue_batch
from pentad.runtime.queue_batch import consume, wait_seconds
from tests.unit.functions.events import Context, failed, sqs


class _Telemetry(MemoryTelemetry):
    @contextmanager
    def bind(self, **keys: Any) -> Any:
        yield


class _Redelivery:
    def __init__(self, error: PentadError | None = None) -> None:
        self.postponed: list[int] = []
        self._error = error

    def postpone(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        if self._error is not None:
            raise self._error
        self.postponed.append(seconds)


@pytest.fixture
def redelivery(monkeypatch: pytest.MonkeyPatch) -> _Redelivery:
    fake = _Redelivery()
    telemetry = _Telemetry()
    monkeypatch.setattr(queue_batch, "make_redelivery", lambda: fake)
    for module in (entrypoint, queue_batch):
        monkeypatch.setattr(module, "telemetry_of", lambda service: telemetry)
    return fake


def _raising(error: PentadError) -> Any:
    def handle(record: Any, context: Any) -> None:
        raise error

    return handle


def test_a_message_that_would_fail_again_comes_back_at_once_and_so_reaches_the_dead_letter_queue(
    redelivery: _Redelivery,
) -> None:
    answer = consume("trigger", sqs("x"), Context(), _raising(InvalidInput("no")))
    assert len(failed(answer)) == 1
    assert redelivery.postponed == [0]


def test_a_message_that_met_a_passing_error_waits(redelivery: _Redelivery) -> None:
    consume("trigger", sqs("x"), Context(), _raising(SessionBusy("busy")))
    assert redelivery.postponed == [2]


def test_messages_that_are_handled_stay_away(redelivery: _Redelivery) -> None:
    answer = consume("trigger", sqs("x", "y"), Context(), lambda record, context: None)
    assert failed(answer) == []
    assert redelivery.postponed == []


def test_a_queue_that_refuses_the_wait_still_gets_the_failure(
    redelivery: _Redelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_batch, "make_redelivery", lambda: _Redelivery(StoreUnavailable("down")))
    answer = consume("trigger", sqs("x"), Context(), _raising(SessionBusy("busy")))
    assert len(failed(answer)) == 1


@pytest.mark.parametrize(("receives", "seconds"), [(1, 2), (2, 4), (5, 32), (8, 256), (9, 300), (1000, 300)])
def test_the_wait_doubles_up_to_its_bound(receives: int, seconds: int) -> None:
    assert wait_seconds(StoreUnavailable("down"), receives) == seconds


def test_a_longer_wait_that_the_error_asks_for_is_honoured_up_to_the_bound() -> None:
    assert wait_seconds(SessionBusy("busy", retry_after=40), 1) == 40
    assert wait_seconds(SessionBusy("busy", retry_after=86_400), 1) == 300
