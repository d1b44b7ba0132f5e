"""The terms of classification: a call, what it needs to know about the account, and what no classifier knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twin.iam.model import ACCOUNT_ID, Access, IamError


class UnknownCall(IamError):
    """No classifier knows this call, so nothing can allow it."""


class AccountResolver(Protocol):
    """Looks up in the running account what a request alone does not say."""

    def find_partition_key(self, table: str, index: str | None) -> str | None:
        """Return the name of the partition key of a table or index."""

    def find_secret_arn(self, secret_id: str) -> str | None:
        """Return the ARN of a secret given by name, partial ARN or ARN."""

    def find_key_arn(self, key_id: str) -> str | None:
        """Return the ARN of a KMS key given by id, alias or ARN."""

    def find_token_machine(self, task_token: str) -> str | None:
        """Return the ARN of the state machine that a task token belongs to."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the classifiers see it."""

    service: str
    operation: str
    params: Mapping[str, Any]
    region: str
    resolver: AccountResolver

    def format_arn(self, resource: str, service: str | None = None) -> str:
        """Return the ARN of a resource of this account and region."""
        return f"arn:aws:{service or self.service}:{self.region}:{ACCOUNT_ID}:{resource}"

    @property
    def action(self) -> str:
        """The action named like the operation."""
        return f"{self.service}:{self.operation}"


Classifier = Callable[[Call], Sequence[Access]]
