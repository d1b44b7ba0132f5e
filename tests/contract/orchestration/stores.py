"""The stores of both kinds for the conformance suites: in memory, and DynamoDB in the process (moto)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from moto import mock_aws

from pentad.aws.kms_text import KmsText
from pentad.aws.table import Table
from pentad.memory.objects.adapters.objects_s3 import S3Objects
from pentad.memory.sessions.adapters.sessions_dynamodb import DynamoSessions
from pentad.memory.sessions.adapters.sessions_memory import MemorySessions
from pentad.memory.sessions.ports import SessionStore
from pentad.orchestration.approvals.adapters.approvals_dynamodb import DynamoApprovals
from pentad.orchestration.approvals.adapters.approvals_memory import MemoryApprovals
from pentad.orchestration.approvals.adapters.ciphers import KmsCipher, MemoryCipher
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.runs.adapters.runs_dynamodb import DynamoRuns
from pentad.orchestration.runs.adapters.runs_memory import MemoryRuns
from pentad.orchestration.runs.adapters.runs_start import RunStart
from pentad.orchestration.runs.ports import RunStore
from pentad.orchestration.runs.spill import Spill
from tests.moto_clients import client, table

KINDS = ("memory", "dynamodb")
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class Stores:
    """The stores of one kind over one deployment."""

    runs: RunStore
    sessions: SessionStore
    approvals: ApprovalStore
    clock: Clock
    state: Table | None = None
    transient: Table | None = None
    s3: Any = None


@contextmanager
def open_stores(kind: str) -> Iterator[Stores]:
    """Open empty stores of a kind."""
    clock = Clock()
    if kind == "memory":
        sessions = MemorySessions(clock=clock)
        yield Stores(MemoryRuns(sessions, clock), sessions, MemoryApprovals(MemoryCipher()), clock)
        return
    with mock_aws():
        state = Table(table("state", index=True), "state")
        transient = Table(table("transient"), "transient")
        s3, kms = client("s3"), client("kms")
        s3.create_bucket(Bucket="payload")
        key = kms.create_key()["KeyMetadata"]["Arn"]
        objects = S3Objects(s3, "payload")
        spill = Spill(objects)
        starting = RunStart(state, transient, objects, sleep=lambda _: None)
        yield Stores(
            DynamoRuns(state, transient, spill, starting, clock),
            DynamoSessions(state, objects, clock=clock),
            DynamoApprovals(state, spill, KmsCipher(KmsText(kms, key))),
            clock,
            state,
            transient,
            s3,
        )
