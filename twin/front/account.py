"""What moto's account holds, read in the process: policies in force, keys of tables, ARNs of secrets and keys.

moto stays the one place where the account's state is kept, so a policy changed through the API counts at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from moto.awslambda.exceptions import UnknownFunctionException
from moto.backends import get_backend

from twin.iam.model import ACCOUNT_ID, PolicyError
from twin.iam.policy import Policy, parse_policy
from twin.iam.sources import policy_holder

GLOBAL: Final = "aws"
TokenResolver = Callable[[str], str | None]


class MotoAccount:
    """Reads moto's backends of one region: a policy source, and the resolver that classification needs."""

    def __init__(self, region: str) -> None:
        self._region = region
        self.token_resolver: TokenResolver | None = None

    def get_service_backend(self, service: str, region: str | None = None) -> Any:
        """Return moto's backend of a service."""
        backends: Any = get_backend(service)  # type: ignore[call-overload]
        return backends[ACCOUNT_ID][region or self._region]

    def list_role_policies(self, role_arn: str) -> Sequence[Policy]:
        """Return a role's inline and managed policies.

        Raises:
            PolicyError: One of them cannot be evaluated, or the role has a permissions boundary.
        """
        role = self._find_role(role_arn)
        if role is None:
            return ()
        if getattr(role, "permissions_boundary", None):
            reason = "has a permissions boundary, which the local twin does not evaluate: remove it"
            raise PolicyError(f"the role '{role_arn}' {reason}")
        documents = [
            *role.policies.values(),
            *(_read_managed_policy(managed) for managed in role.managed_policies.values()),
        ]
        return [parse_policy(document) for document in documents]

    def list_granted_actions(self) -> dict[str, list[str]]:
        """Return what the policies of each role allow, by the role's ARN: actions as they are written.

        Raises:
            PolicyError: A policy cannot be read.
        """
        roles = list(self.get_service_backend("iam", GLOBAL).roles.values())
        return {
            role.arn: sorted(
                {
                    action
                    for policy in self.list_role_policies(role.arn)
                    for statement in policy.statements
                    if statement.allow
                    for action in statement.actions
                }
            )
            for role in roles
        }

    def find_trust_policy(self, role_arn: str) -> Policy | None:
        """Return who may assume a role.

        Raises:
            PolicyError: The trust policy cannot be evaluated.
        """
        role = self._find_role(role_arn)
        return parse_policy(role.assume_role_policy_document) if role is not None else None

    def _find_role(self, role_arn: str) -> Any:
        roles = list(self.get_service_backend("iam", GLOBAL).roles.values())
        return next((role for role in roles if role.arn == role_arn), None)

    def find_resource_policy(self, resource_arn: str) -> Policy | None:
        """Return the policy on a resource.

        Raises:
            PolicyError: It cannot be evaluated.
        """
        holder = policy_holder(resource_arn)
        service, _, name = holder.split(":", 2)[2].partition(":") if holder.count(":") >= 5 else ("", "", "")
        reader = _READERS.get(service)
        document = reader(self, holder, name.rsplit(":", 1)[-1]) if reader else None
        if not document:
            return None
        return parse_policy(document.decode() if isinstance(document, bytes) else document)

    def find_partition_key(self, table: str, index: str | None) -> str | None:
        """Return the name of the partition key of a table or index."""
        found = self.get_service_backend("dynamodb").tables.get(table)
        if found is None:
            return None
        if index is None:
            return str(found.hash_key_attr)
        for candidate in [*found.global_indexes, *found.indexes]:
            if candidate.name == index:
                return next((key["AttributeName"] for key in candidate.schema if key["KeyType"] == "HASH"), None)
        return None

    def find_secret_arn(self, secret_id: str) -> str | None:
        """Return the ARN of a secret."""
        found = self.get_service_backend("secretsmanager").secrets.get(secret_id)
        return str(found.arn) if found is not None else None

    def find_key_arn(self, key_id: str) -> str | None:
        """Return the ARN of a KMS key given by id, alias or ARN."""
        keys = list(self.get_service_backend("kms").keys.values())
        name = key_id.split(":", 5)[-1]
        if name.startswith("alias/"):
            return next((str(key.arn) for key in keys if name in key.aliases), None)
        return next((str(key.arn) for key in keys if key.id == name.rsplit("/", 1)[-1]), None)

    def is_aws_key(self, key_arn: str) -> bool:
        """Tell whether a key is one that AWS manages for a service; moto makes those on demand."""
        key = self.get_service_backend("kms").keys.get(key_arn.rsplit("/", 1)[-1])
        return key is not None and any(name.startswith("alias/aws/") for name in key.aliases)

    def find_token_machine(self, task_token: str) -> str | None:
        """Return the state machine of a task token, if the interpreter has said how to tell."""
        return self.token_resolver(task_token) if self.token_resolver else None


def reset_account() -> None:
    """Forget everything that moto holds in this process: for tests, and before a deployment from nothing."""
    from moto.moto_api._internal.models import moto_api_backend

    moto_api_backend.reset()


def _read_managed_policy(managed: Any) -> str:
    versions = managed.versions
    return str(next(v.document for v in versions if v.version_id == managed.default_version_id))


Document = str | bytes | dict[str, Any] | None


def _read_queue_policy(account: MotoAccount, arn: str, name: str) -> Document:
    queue = account.get_service_backend("sqs").queues.get(name)
    document: Document = queue.policy if queue is not None else None
    return document


def _read_bucket_policy(account: MotoAccount, arn: str, name: str) -> Document:
    bucket = account.get_service_backend("s3", GLOBAL).buckets.get(arn.removeprefix("arn:aws:s3:::"))
    document: Document = bucket.policy if bucket is not None else None
    return document


def _read_function_policy(account: MotoAccount, arn: str, name: str) -> Document:
    try:
        statements = account.get_service_backend("lambda").get_function(name).policy.statements
    except UnknownFunctionException:
        return None
    return {"Statement": statements} if statements else None


def _read_key_policy(account: MotoAccount, arn: str, name: str) -> Document:
    key = account.get_service_backend("kms").keys.get(name.rsplit("/", 1)[-1])
    document: Document = key.policy if key is not None else None
    return document


def _read_secret_policy(account: MotoAccount, arn: str, name: str) -> Document:
    secret = account.get_service_backend("secretsmanager").secrets.get(arn)
    document: Document = secret.policy if secret is not None else None
    return document


def _read_topic_policy(account: MotoAccount, arn: str, name: str) -> Document:
    topic = account.get_service_backend("sns").topics.get(arn)
    document: Document = json.dumps(topic._policy_json) if topic is not None else None
    return document


def _read_bus_policy(account: MotoAccount, arn: str, name: str) -> Document:
    bus = account.get_service_backend("events").event_buses.get(name.removeprefix("event-bus/"))
    document: Document = bus.policy if bus is not None else None
    return document


def _read_table_policy(account: MotoAccount, arn: str, name: str) -> Document:
    found = account.get_service_backend("dynamodb").resource_policies.get(arn)
    document: Document = found.policy_doc if found is not None else None
    return document


_READERS: Final[dict[str, Callable[[MotoAccount, str, str], Document]]] = {
    "sqs": _read_queue_policy,
    "s3": _read_bucket_policy,
    "lambda": _read_function_policy,
    "kms": _read_key_policy,
    "secretsmanager": _read_secret_policy,
    "sns": _read_topic_policy,
    "events": _read_bus_policy,
    "dynamodb": _read_table_policy,
}
