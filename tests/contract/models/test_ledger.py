"""One conformance suite over both ledgers."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws

from pentad.aws.table import Table
from pentad.domain.errors import ConfigurationError
from pentad.domain.ids import hash_user
from pentad.domain.models import Attempt, Outcome
from pentad.domain.usage import Usage
from pentad.models.ledger.adapters.ledger_dynamodb import DynamoDBLedger
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.ledger.ports import Ledger
from tests.moto_clients import table
from tests.unit.models.samples import CONTEXT, NOW

RUN = str(CONTEXT.run_id)


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        yield table("ledger")


@pytest.fixture(params=["memory", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    if request.param == "memory":
        return MemoryLedger()
    return DynamoDBLedger(Table(request.getfixturevalue("dynamodb"), "ledger"))


def attempt(number: int, *, tenant_id: str = "acme", run_id: str | None = RUN, **fields: Any) -> Attempt:
    values: dict[str, Any] = {
        "attempt_id": f"att_{number:04d}",
        "context": CONTEXT.model_copy(update={"tenant_id": tenant_id, "run_id": run_id}),
        "provider": "anthropic",
        "model": "claude-sonnet-5-5",
        "tier": "primary",
        "link": 0,
        "number": 1,
        "outcome": Outcome.OK,
        "started_at": NOW + timedelta(microseconds=number),
        "duration_ms": 5,
        "usage": Usage(input_tokens=number, thinking_tokens=1, output_tokens=1),
        "cost_nanousd": 10**15 + number,
        "request_id": "req_1",
    }
    return Attempt.model_validate(values | fields)


def test_attempts_come_back_as_they_were_in_the_order_they_were_made(ledger: Ledger) -> None:
    made = [attempt(number) for number in (1, 2, 10, 999_999, 1_000_000)]
    for each in reversed(made):
        ledger.record(each)
    assert ledger.list_for_run("acme", RUN) == made


def test_a_repeat_changes_nothing(ledger: Ledger) -> None:
    ledger.record(attempt(1))
    ledger.record(attempt(1, cost_nanousd=5))
    assert ledger.list_for_run("acme", RUN) == [attempt(1)]


def test_runs_and_tenants_are_apart(ledger: Ledger) -> None:
    ledger.record(attempt(1))
    ledger.record(attempt(2, tenant_id="other"))
    ledger.record(attempt(3, run_id="run_00000000000000000000000000"))
    ledger.record(attempt(4, run_id=None))
    assert ledger.list_for_run("acme", RUN) == [attempt(1)]
    assert ledger.list_for_run("acme", "run_unknown") == []


def test_an_attempt_of_no_run_is_kept_by_its_day(dynamodb: Any) -> None:
    DynamoDBLedger(Table(dynamodb, "ledger")).record(attempt(4, run_id=None))
    items = dynamodb.scan(TableName="ledger")["Items"]
    assert [(item["pk"]["S"], item["sk"]["S"]) for item in items] == [
        ("T#acme#D#2026-11-22", "ATTEMPT#2026-11-22T12:00:00.000004+00:00#att_0004")
    ]


def test_a_table_that_is_not_there_is_a_configuration_error(dynamodb: Any) -> None:
    with pytest.raises(ConfigurationError):
        DynamoDBLedger(Table(dynamodb, "nothing")).record(attempt(1))


def begun(number: int) -> Attempt:
    nothing: dict[str, Any] = {"usage": Usage(), "cost_nanousd": 0, "request_id": None, "duration_ms": 0}
    return attempt(number, outcome=Outcome.BEGUN, **nothing)


def test_an_attempt_that_was_begun_is_seen_until_its_outcome_takes_its_place(ledger: Ledger) -> None:
    ledger.begin(begun(1))
    assert ledger.list_for_run("acme", RUN) == [begun(1)]
    ledger.record(attempt(1))
    assert ledger.list_for_run("acme", RUN) == [attempt(1)]


def test_an_attempt_that_was_not_sent_is_not_one(ledger: Ledger) -> None:
    for number in (1, 2):
        ledger.begin(begun(number))
    ledger.cancel(begun(1))
    assert ledger.list_for_run("acme", RUN) == [begun(2)]


def test_a_repeat_of_a_beginning_changes_nothing(ledger: Ledger) -> None:
    ledger.begin(begun(1))
    ledger.record(attempt(1))
    ledger.begin(begun(1))
    assert ledger.list_for_run("acme", RUN) == [attempt(1)]


def test_a_user_is_named_by_a_hash_and_whom_nobody_named_is_nobody(ledger: Ledger) -> None:
    made = attempt(1)
    of_ada = made.model_copy(update={"context": CONTEXT.model_copy(update={"user_id": "ada@example.com"})})
    of_nobody = attempt(2).model_copy(update={"context": CONTEXT.model_copy(update={"user_id": None})})
    ledger.begin(of_ada)
    ledger.record(of_ada)
    ledger.record(of_nobody)
    users = [each.context.user_id for each in ledger.list_for_run("acme", RUN)]
    assert users == [hash_user("ada@example.com"), None]
