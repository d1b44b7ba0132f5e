"""Stores of each kind: in memory, and in DynamoDB as moto plays it in this process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from moto import mock_aws

from pentad.aws.sealed import SealedLog
from pentad.aws.table import Table
from pentad.models.remote.adapters.mac_kms import KmsMacKey
from pentad.tools.records.adapters.records_dynamodb import DynamoRecords
from pentad.tools.records.adapters.records_memory import MemoryRecords
from pentad.tools.records.ports import RecordStore
from pentad.tools.runtime.adapters.audit_dynamodb import DynamoAudit
from pentad.tools.runtime.adapters.audit_memory import MemoryAudit
from pentad.tools.runtime.adapters.effects_dynamodb import DynamoEffects
from pentad.tools.runtime.adapters.effects_memory import MemoryEffects
from pentad.tools.runtime.ports import AuditLog, EffectStore
from tests.moto_clients import client as moto_client
from tests.moto_clients import table


@dataclass
class Stores:
    """The stores under test, and the low-level client where there is one."""

    effects: EffectStore
    audit: AuditLog
    records: Callable[[str], RecordStore]
    client: Any = None
    ended: set[str] = field(default_factory=set)

    def end(self, run_id: str) -> None:
        """End a run of the tenant acme, as far as effects can see."""
        self.ended.add(run_id)
        if self.client is not None:
            Table(self.client, "state").put({"pk": f"T#acme#R#{run_id}", "sk": "META", "status": "cancelled"})


def make_audit_key() -> KmsMacKey:
    """A new key that signs, as the state stack makes it."""
    kms = moto_client("kms")
    made = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    return KmsMacKey(kms, made["KeyMetadata"]["Arn"])


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        ended: set[str] = set()
        effects = MemoryEffects(lambda tenant, run: run in ended)
        yield Stores(effects, MemoryAudit(), MemoryRecords().get_store, ended=ended)
        return
    with mock_aws():
        for name in ("state", "ledger", "records"):
            client = table(name)
        tables = {name: Table(client, name) for name in ("state", "ledger", "records")}
        yield Stores(
            DynamoEffects(tables["state"]),
            DynamoAudit(tables["ledger"], SealedLog(tables["ledger"], make_audit_key())),
            lambda tenant: DynamoRecords(tables["records"], tenant),
            client,
        )
