"""A write that meets a transaction in flight is written again; what a condition refuses is not."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from pentad.aws.table import ConditionFailed, Table
from pentad.domain.errors import StoreUnavailable


def cancel(*codes: str) -> ClientError:
    error: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(error, "TransactWriteItems")


CONFLICT = ClientError({"Error": {"Code": "TransactionConflictException", "Message": "ongoing"}}, "PutItem")


class Client:
    """DynamoDB as it answers call by call: an error, or nothing in particular."""

    def __init__(self, *errors: ClientError) -> None:
        self.errors = list(errors)
        self.calls = 0

    def answer(self, **_: Any) -> dict[str, Any]:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return {}

    put_item = transact_write_items = answer


@pytest.mark.parametrize("conflict", [CONFLICT, cancel("None", "TransactionConflict")])
def test_a_write_that_meets_a_transaction_is_written_again_after_a_while(conflict: ClientError) -> None:
    client, slept = Client(conflict, conflict), list[float]()
    table = Table(client, "t", sleep=slept.append)
    if conflict is CONFLICT:
        table.put({"pk": "a"})
    else:
        table.transact([table.build_put({"pk": "a"})])
    assert (client.calls, len(slept)) == (3, 2)
    assert all(0 <= seconds <= 0.1 for seconds in slept)


@pytest.mark.parametrize("conflict", [CONFLICT, cancel("TransactionConflict")])
def test_a_write_that_meets_transactions_each_time_says_that_the_table_is_unavailable(conflict: ClientError) -> None:
    client = Client(*[conflict] * 14)
    table = Table(client, "t", sleep=lambda _: None)
    with pytest.raises(StoreUnavailable):
        if conflict is CONFLICT:
            table.put({"pk": "a"})
        else:
            table.transact([table.build_put({"pk": "a"})])
    assert client.calls == 12


def test_a_condition_that_fails_beside_a_conflict_is_told_at_once() -> None:
    client = Client(cancel("ConditionalCheckFailed", "TransactionConflict"))
    table = Table(client, "t", sleep=lambda _: None)
    with pytest.raises(ConditionFailed):
        table.transact([table.build_put({"pk": "a"}), table.build_put({"pk": "b"})])
    assert client.calls == 1
