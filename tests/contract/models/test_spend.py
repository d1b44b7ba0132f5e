"""Spend equals the ledger, whichever way it is asked for, in memory and in DynamoDB."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from pentad.aws.table import Table
from pentad.domain.errors import InvalidInput
from pentad.domain.models import Attempt, Outcome
from pentad.domain.usage import Usage
from pentad.models.ledger.adapters import spend_dynamodb
from pentad.models.ledger.adapters.ledger_dynamodb import DynamoDBLedger
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.ledger.adapters.spend_dynamodb import DynamoSpend
from pentad.models.ledger.ports import Ledger, SpendReader
from pentad.models.ledger.spend import DIMENSIONS, By, Spending
from tests.contract.models.test_budgets import dynamo
from tests.contract.models.test_ledger import attempt
from tests.unit.models.samples import CONTEXT

FIRST, LAST = date(2026, 11, 20), date(2026, 11, 24)


class Books:
    """A ledger and what reads its sums."""

    def __init__(self, ledger: Ledger, spend: SpendReader, table: Table | None = None, wire: Any = None) -> None:
        self.ledger, self.spend, self.table, self.wire = ledger, spend, table, wire

    def by(self, dimension: By, **fields: Any) -> Spending:
        days = fields.pop("first", FIRST), fields.pop("last", LAST)
        return self.spend.read("acme", dimension, *days, user_id=fields.pop("user_id", None), **fields)


@pytest.fixture(params=["memory", "dynamodb"])
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    if request.param == "memory":
        ledger = MemoryLedger()
        yield Books(ledger, ledger)
        return
    with dynamo() as world:
        assert world.wire is not None
        state, transient = Table(world.wire, "state"), Table(world.wire, "transient")
        ledger_table = transient  # any table will do
        yield Books(DynamoDBLedger(ledger_table, state, sleep=lambda _: None), DynamoSpend(state), state, world.wire)


def made(number: int, **context: Any) -> Attempt:
    return attempt(
        number,
        attempt_id=f"att_{number:04d}",
        context=CONTEXT.model_copy(update=context),
        started_at=attempt(0).started_at + timedelta(hours=number % 30),
        model=("claude-sonnet-5-5", "gpt-6.1-sol")[number % 2],
        provider=("anthropic", "openai")[number % 2],
        usage=Usage(input_tokens=number, output_tokens=2),
        cost_nanousd=number * 7 + 1,
    )


def several() -> list[Attempt]:
    return [
        made(
            number,
            agent=None if number % 5 == 0 else f"agent{number % 3}",
            user_id=None if number % 4 == 0 else f"user{number % 3}@example.com",
            session_id=f"s{number % 4}",
            run_id=None if number % 5 == 0 else f"run_{number % 6}",
        )
        for number in range(1, 41)
    ]


def test_rows_make_up_the_ledgers_sum_by_every_dimension(books: Books) -> None:
    attempts = several()
    for each in attempts:
        books.ledger.record(each)
        books.ledger.record(each)  # a repeat
    for by in DIMENSIONS:
        spending = books.by(by)
        for rows in (spending.rows, (spending.total,)):
            assert sum(row.cost_nanousd for row in rows) == sum(each.cost_nanousd for each in attempts), by
            assert sum(row.attempts for row in rows) == len(attempts), by
            assert sum(row.tokens for row in rows) == sum(each.usage.total_tokens for each in attempts), by


def test_rows_are_those_of_the_ledger(books: Books) -> None:
    attempts = several()
    for each in attempts:
        books.ledger.record(each)
    wanted: dict[str, int] = {}
    for each in attempts:
        key = each.context.user_id or "-"
        wanted[key] = wanted.get(key, 0) + each.cost_nanousd
    assert {row.key: row.cost_nanousd for row in books.by("user").rows} == wanted
    assert {row.key for row in books.by("provider").rows} == {"anthropic", "openai"}
    assert {row.key for row in books.by("agent").rows} == {"-", "agent0", "agent1", "agent2"}
    assert [row.key for row in books.by("day").rows] == ["2026-11-22", "2026-11-23"]
    assert [row.key for row in books.by("tenant").rows] == ["acme"]


def test_what_is_estimated_of_a_sum_is_told_by_every_dimension(books: Books) -> None:
    attempts = [one.model_copy(update={"is_estimated": number % 3 == 0}) for number, one in enumerate(several())]
    for each in attempts:
        books.ledger.record(each)
        books.ledger.record(each)
    wanted = sum(each.cost_nanousd for each in attempts if each.is_estimated)
    assert wanted > 0
    for by in DIMENSIONS:
        spending = books.by(by, limit=2)
        rows = [*spending.rows, *([spending.others] if spending.others else [])]
        assert sum(row.estimated_nanousd for row in rows) == spending.total.estimated_nanousd == wanted, by
        assert all(row.estimated_nanousd <= row.cost_nanousd for row in rows), by


def test_only_the_days_that_are_asked_for_count(books: Books) -> None:
    attempts = several()
    for each in attempts:
        books.ledger.record(each)
    day = date(2026, 11, 23)
    wanted = sum(each.cost_nanousd for each in attempts if each.started_at.date() == day)
    for by in ("agent", "user", "run"):
        assert books.by(by, first=day, last=day).total.cost_nanousd == wanted
    assert books.by("day", first=date(2026, 11, 24)).total.cost_nanousd == 0


def test_another_tenants_spend_is_not_seen(books: Books) -> None:
    books.ledger.record(made(1, tenant_id="other"))
    assert books.by("tenant").total.cost_nanousd == 0


def test_rows_beyond_the_limit_are_summed_up(books: Books) -> None:
    for number in range(1, 6):
        books.ledger.record(made(number, session_id=f"s{number}"))
    spending = books.by("session", limit=2)
    assert [row.key for row in spending.rows] == ["s5", "s4"]
    assert spending.others is not None
    assert spending.others.attempts == 3
    assert sum(row.cost_nanousd for row in spending.rows) + spending.others.cost_nanousd == spending.total.cost_nanousd


def test_what_was_begun_only_costs_nothing(books: Books) -> None:
    books.ledger.begin(made(1).model_copy(update={"outcome": Outcome.BEGUN, "cost_nanousd": 0}))
    assert books.by("tenant").total.attempts == 0


def test_a_question_that_reads_too_much_is_refused(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    if books.table is None:
        pytest.skip("memory is bounded by its ledger")
    monkeypatch.setattr(spend_dynamodb, "MAX_COUNTERS", 2)
    for number in range(1, 5):
        books.ledger.record(made(number, session_id=f"s{number}"))
    with pytest.raises(InvalidInput):
        books.by("session")


def test_counters_are_bounded_and_expire(books: Books) -> None:
    if books.table is None:
        pytest.skip("memory is bounded by its ledger")
    for number in range(60):
        books.ledger.record(made(1).model_copy(update={"attempt_id": f"att_{number}"}))
    items = books.table._client.scan(TableName="state")["Items"]
    assert len(items) <= 16 + 16 + 2  # parts of the total and of nobody's user; one session, one run
    assert all("ttl" in item and item["pk"]["S"].startswith("T#acme#SPEND#") for item in items)


def test_many_at_once_with_conflicts_lose_and_double_nothing(books: Books) -> None:
    if books.wire is not None:
        books.wire.conflicts = lambda: books.wire.transactions % 3 == 0
    attempts = [made(number) for number in range(1, 41)]
    barrier = threading.Barrier(8)

    def record(part: int) -> None:
        barrier.wait(timeout=60)
        for each in attempts[part::8]:
            books.ledger.record(each)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record, range(8)))
    assert books.by("tenant").total.cost_nanousd == sum(each.cost_nanousd for each in attempts)
