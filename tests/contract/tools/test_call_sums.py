"""Sums of rules: in memory, and in DynamoDB as moto plays it in this process."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from moto import mock_aws

from pentad.aws.table import Table
from pentad.tools.policy.adapters.sums_dynamodb import DynamoCallSums
from pentad.tools.policy.adapters.sums_memory import MemoryCallSums
from pentad.tools.policy.ports import CallSums, SumPlace
from tests.moto_clients import table

TODAY = SumPlace(tenant_id="acme", rule="refund#amount", name="refund#amount#ada#2026-11-30", expires_at=1_900_000_000)
TOMORROW = TODAY.model_copy(update={"name": "refund#amount#ada#2026-12-01"})


@pytest.fixture(params=["memory", "dynamodb"])
def sums(request: pytest.FixtureRequest) -> Iterator[CallSums]:
    if request.param == "memory":
        yield MemoryCallSums()
        return
    with mock_aws():
        yield DynamoCallSums(Table(table("transient"), "transient", sleep=lambda seconds: None))


def test_amounts_are_added_up_to_the_limit_and_not_beyond_it(sums: CallSums) -> None:
    assert sums.get(TODAY) == 0
    assert sums.add(TODAY, "a", Decimal("150.50"), at_most=Decimal(200))
    assert not sums.add(TODAY, "b", Decimal("49.51"), at_most=Decimal(200))
    assert sums.add(TODAY, "c", Decimal("49.5"), at_most=Decimal(200))
    assert sums.get(TODAY) == 200


def test_a_call_counts_once_however_often_it_is_tried_and_on_whatever_day(sums: CallSums) -> None:
    assert sums.add(TODAY, "a", Decimal(150), at_most=Decimal(200))
    assert sums.add(TODAY, "a", Decimal(150), at_most=Decimal(200))
    assert sums.add(TOMORROW, "a", Decimal(150), at_most=Decimal(200))
    assert [sums.get(TODAY), sums.get(TOMORROW)] == [150, 0]


def test_what_a_human_allowed_counts_also_beyond_the_limit(sums: CallSums) -> None:
    assert sums.add(TODAY, "a", Decimal(500), at_most=None)
    assert sums.get(TODAY) == 500
    assert sums.add(TODAY, "a", Decimal(500), at_most=Decimal(200))
    assert not sums.add(TODAY, "b", Decimal("0.01"), at_most=Decimal(200))
    assert not sums.add(TODAY, "c", Decimal(500), at_most=Decimal(200))


def test_what_is_given_back_is_given_back_once_and_where_it_was_added(sums: CallSums) -> None:
    sums.add(TODAY, "a", Decimal("1.000000001"), at_most=Decimal(200))
    sums.add(TODAY, "b", Decimal(20), at_most=Decimal(200))
    for _ in range(2):
        sums.give_back(TOMORROW, "a")
    sums.give_back(TODAY, "nobody")
    assert [sums.get(TODAY), sums.get(TOMORROW)] == [20, 0]
    assert sums.add(TODAY, "a", Decimal(180), at_most=Decimal(200))
    assert sums.get(TODAY) == 200


def test_tenants_are_apart(sums: CallSums) -> None:
    sums.add(TODAY, "a", Decimal(20), at_most=Decimal(200))
    assert sums.get(TODAY.model_copy(update={"tenant_id": "other"})) == 0


def test_calls_at_once_never_pass_the_limit_together(sums: CallSums) -> None:
    with ThreadPoolExecutor(50) as pool:
        said = list(pool.map(lambda one: sums.add(TODAY, f"c{one}", Decimal(30), at_most=Decimal(200)), range(50)))
    assert said.count(True) == 6
    assert sums.get(TODAY) == 180
