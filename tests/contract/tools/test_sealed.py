"""What a chain of the audit shows to whoever checks it, over DynamoDB and KMS: real clients, moto's services."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from threading import Barrier
from typing import Any

import pytest
from moto import mock_aws

from pentad.aws.sealed import BATCH, HEAD, Linked, SealedLog, compute_hash
from pentad.aws.table import Item, Table
from pentad.domain.errors import ConfigurationError
from pentad.tools.runtime.adapters.audit_dynamodb import DynamoAudit
from tests.contract.tools.conftest import make_audit_key
from tests.contract.tools.test_audit import AT, entry
from tests.moto_clients import table

PK = "T#acme#AUDIT#r"


class Ledger:
    """A ledger table with a chain, whose items a test can change behind the chain's back."""

    def __init__(self) -> None:
        self.client = table("ledger")
        self.table = Table(self.client, "ledger")
        self.key = make_audit_key()
        self.told: list[Linked] = []
        self.chain = SealedLog(self.table, self.key, tell=self.told.append)
        self.audit = DynamoAudit(self.table, self.chain)

    @property
    def items(self) -> list[Item]:
        """The entries in the order in which they were written, without the head."""
        found = [item for item in self.table.iter_items(PK) if item["sk"] != HEAD]
        return sorted(found, key=lambda item: int(item["number"]))

    @property
    def faults(self) -> list[str]:
        return self.chain.check(PK).faults


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with mock_aws():
        yield Ledger()


@pytest.fixture
def written(ledger: Ledger) -> Ledger:
    """A ledger with five entries of one run, the last of them first by its time."""
    for number in (1, 2, 3, 4, 0):
        ledger.audit.append(entry(at=AT + timedelta(seconds=number), index=number))
    return ledger


def test_entries_are_numbered_linked_signed_and_told(written: Ledger) -> None:
    items = written.items
    assert [int(item["number"]) for item in items] == [1, 2, 3, 4, 5]
    assert all(one["hash"] == two["before"] for one, two in pairwise(items))
    assert [told.digest for told in written.told] == [item["hash"] for item in items]
    assert written.faults == []


def test_a_partition_without_entries_has_no_fault(ledger: Ledger) -> None:
    check = ledger.chain.check(PK)
    assert (check.entries, check.faults) == ([], [])


def change(name: str, value: Any) -> Callable[[Ledger], None]:
    def tamper(ledger: Ledger) -> None:
        ledger.table.put(ledger.items[2] | {name: value})

    return tamper


def reseal_without_the_key(ledger: Ledger) -> None:
    """Change an entry and all hashes after it, as somebody would who may write and not sign."""
    before = ledger.items[1]["hash"]
    for item in ledger.items[2:]:
        body = item | {"before": before, "outcome": "refused"}
        before = compute_hash(body)
        ledger.table.put(body | {"hash": before})
    ledger.table.put({"pk": PK, "sk": HEAD, "type": "seal_head", "number": 5, "hash": before})


def take_out(ledger: Ledger) -> None:
    ledger.table.delete(PK, ledger.items[2]["sk"])


def take_out_the_last(ledger: Ledger) -> None:
    ledger.table.delete(PK, ledger.items[-1]["sk"])


def take_out_all(ledger: Ledger) -> None:
    for item in ledger.items:
        ledger.table.delete(PK, item["sk"])


def take_out_the_head(ledger: Ledger) -> None:
    ledger.table.delete(PK, HEAD)


def exchange(ledger: Ledger) -> None:
    one, two = ledger.items[1:3]
    ledger.table.put(one | {"number": two["number"]})
    ledger.table.put(two | {"number": one["number"]})


def add_loose(ledger: Ledger) -> None:
    ledger.table.put({"pk": PK, "sk": "AUDIT#2026-03-01T00:00:09", "type": "audit", "body": "{}"})


def add_at_the_end(ledger: Ledger) -> None:
    last = ledger.items[-1]
    made: Item = {"pk": PK, "sk": "AUDIT#z", "type": "audit", "number": 6, "before": last["hash"]}
    ledger.table.put(made | {"hash": compute_hash(made), "code": last["code"]})
    ledger.table.put({"pk": PK, "sk": HEAD, "type": "seal_head", "number": 6, "hash": compute_hash(made)})


def sign_by_another_key(ledger: Ledger) -> None:
    last = ledger.items[-1]
    ledger.table.put(last | {"code": make_audit_key().make_code(bytes.fromhex(last["hash"])).hex()})


def take_a_code_away(ledger: Ledger) -> None:
    ledger.table.put({name: value for name, value in ledger.items[2].items() if name != "code"})


def take_a_code_and_its_mark_away(ledger: Ledger) -> None:
    ledger.table.put({name: value for name, value in ledger.items[2].items() if name not in ("code", "signed")})


def take_the_codes_away(ledger: Ledger) -> None:
    for item in ledger.items:
        ledger.table.put({name: value for name, value in item.items() if name != "code"})


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (change("outcome", "refused"), "entry 3 .* was changed"),
        (change("body", "{}"), "entry 3 .* was changed"),
        (change("extra", "x"), "entry 3 .* was changed"),
        (change("code", "00"), "entry 3 .* is not signed by the audit's key"),
        (change("code", "no hex"), "entry 3 .* is not signed by the audit's key"),
        (change("hash", "no hex"), "entry 3 .* was changed"),
        (reseal_without_the_key, "entry 5 .* is not signed by the audit's key"),
        (take_out, "entries 3 to 3 are gone"),
        (take_out_the_last, "does not end where its head says"),
        (take_out_all, "does not end where its head says"),
        (take_out_the_head, "does not end where its head says"),
        (exchange, "was changed"),
        (add_loose, "is not part of the chain"),
        (add_at_the_end, "entry 6 .* is not signed by the audit's key"),
        (sign_by_another_key, "entry 5 .* is not signed by the audit's key"),
        (take_the_codes_away, "the last entry is not signed"),
        (take_a_code_away, "the signature of entry 3 .* is gone"),
        (take_a_code_and_its_mark_away, "entry 3 .* was changed"),
    ],
)
def test_whoever_may_write_and_not_sign_is_found_out(
    written: Ledger, tamper: Callable[[Ledger], None], fault: str
) -> None:
    tamper(written)
    faults = written.faults
    assert any(re.search(fault, one) for one in faults), faults


def test_a_chain_of_another_run_does_not_pass_for_this_ones(written: Ledger) -> None:
    for item in [*written.items, written.table.get(PK, HEAD)]:
        assert item is not None
        written.table.put(item | {"pk": "T#acme#AUDIT#other"})
    assert written.chain.check("T#acme#AUDIT#other").faults


def test_an_older_end_shows_by_what_was_told_and_not_by_the_chain(written: Ledger) -> None:
    older = written.items[-2]
    written.table.delete(PK, written.items[-1]["sk"])
    written.table.put({"pk": PK, "sk": HEAD, "type": "seal_head", "number": 4, "hash": older["hash"]})
    assert written.faults == []
    assert [told.number for told in written.told] == [1, 2, 3, 4, 5]


def test_writers_at_once_make_one_chain(ledger: Ledger) -> None:
    start = Barrier(6)

    def write(index: int) -> None:
        start.wait(10)
        for step in (1, 2):
            ledger.audit.append(entry(index=index, step=step))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert [int(item["number"]) for item in ledger.items] == list(range(1, 13))
    assert ledger.faults == []


def test_many_entries_are_few_transactions_and_repeats_change_nothing(ledger: Ledger) -> None:
    entries = [entry(at=AT + timedelta(seconds=number)) for number in range(BATCH + 5)]
    ledger.audit.append(*entries[:7])
    ledger.audit.append(*entries)
    ledger.audit.append(*entries)
    items = ledger.items
    assert [int(item["number"]) for item in items] == list(range(1, BATCH + 6))
    assert sum("code" in item for item in items) == 3
    assert ledger.faults == []
    assert len(ledger.told) == BATCH + 5


def test_who_only_reads_can_neither_write_nor_check(ledger: Ledger) -> None:
    audit = DynamoAudit(ledger.table)
    assert audit.list_for_run("acme", "r") == []
    with pytest.raises(ConfigurationError, match="no key to sign with"):
        audit.append(entry())
    with pytest.raises(ConfigurationError, match="no key to check with"):
        SealedLog(ledger.table, None).check(PK)
