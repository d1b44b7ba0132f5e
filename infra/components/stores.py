"""The stores of one stage, as whoever grants rights on them is given them: tables, buckets, keys, secrets."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.config import Stage


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Where everything is that outlives a deployment of functions.

    Attributes:
        data_key: encrypts tables, buckets, queues and secrets.
        approval_key: encrypts the task tokens of runs that wait for a human.
        audit_key: signs the audit; nobody can take it out of KMS.
        state_table: sessions, runs, steps, approvals, documents.
        ledger_table: what calls of models and tools cost.
        transient_table: leases, budgets, caches, switches: items that expire or are counted.
        records_table: the tools' own records.
        payload_bucket: contents too large for an item.
        documents_bucket: documents as they were uploaded.
        anchor_bucket: anchors of the audit, under Object Lock.
        secrets: the credentials that every deployment has, by provider.
        provider_secrets: names of the secrets of the project's own providers, by provider. They are reached by name:
            an import of an ARN would keep a provider from being removed.
    """

    data_key: kms.Key
    approval_key: kms.Key
    audit_key: kms.Key
    state_table: dynamodb.Table
    ledger_table: dynamodb.Table
    transient_table: dynamodb.Table
    records_table: dynamodb.Table
    payload_bucket: s3.Bucket
    documents_bucket: s3.Bucket
    anchor_bucket: s3.Bucket
    secrets: Mapping[str, secretsmanager.Secret]
    provider_secrets: Mapping[str, str]


def name_secret(stage: Stage, provider: str) -> str:
    """Return the name of the secret with a provider's credentials."""
    return f"{stage.prefix}/{provider}"


def name_vector_bucket(stage: Stage) -> str:
    """Return the name of the bucket of S3 Vectors: names are an account's own, in a region."""
    return f"{stage.prefix}-vectors"
