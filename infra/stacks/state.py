"""What must outlive a deployment: tables, buckets, keys, secrets."""

from collections.abc import Sequence

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.components import storage
from infra.components.reasons import acknowledge
from infra.config import Stage


class StateStack(Stack):
    """Tables, buckets, keys and secrets of one stage."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, provider_secrets: Sequence[str] = ()
    ) -> None:
        """Make the state.

        Args:
            scope: the app.
            construct_id: the stack's name.
            stage: the stage.
            provider_secrets: names of secrets that model providers need beyond those that every deployment has.
        """
        super().__init__(scope, construct_id)
        self.data_key = kms.Key(
            self,
            "data-key",
            alias=f"alias/{stage.prefix}-data",
            description="Encrypts Pentad's tables, buckets, queues and secrets",
            enable_key_rotation=True,
            removal_policy=stage.removal,
        )
        for service in ("events.amazonaws.com", "sqs.amazonaws.com"):
            storage.let_service_use_key(self.data_key, service)
        self.approval_key = kms.Key(
            self,
            "approval-key",
            alias=f"alias/{stage.prefix}-approval",
            description="Encrypts the task tokens of runs that wait for a human",
            enable_key_rotation=True,
            removal_policy=stage.removal,
        )
        self.state_table = storage.table(self, "state", stage=stage, key=self.data_key, indexed=True)
        self.ledger_table = storage.table(self, "ledger", stage=stage, key=self.data_key, indexed=False)
        self.transient_table = storage.table(self, "transient", stage=stage, key=self.data_key, indexed=False)
        self.records_table = storage.table(self, "records", stage=stage, key=self.data_key, indexed=False)
        self.log_bucket = storage.bucket(
            self, "access-logs", stage=stage, key=self.data_key, logs=None, expire_prefixes={"": 90}, announces=False
        )
        self.payload_bucket = storage.bucket(
            self,
            "payload",
            stage=stage,
            key=self.data_key,
            logs=self.log_bucket,
            expire_prefixes={"graphs/": 31},  # a day more than their checkpoints are kept
            announces=False,
        )
        self.documents_bucket = storage.bucket(
            self, "documents", stage=stage, key=self.data_key, logs=self.log_bucket, expire_prefixes={}, announces=True
        )
        names = dict.fromkeys(("anthropic", "openai", "pinecone", *provider_secrets))
        self.secrets = {name: self._secret(name, stage) for name in names}
        acknowledge(self.log_bucket, "AwsSolutions-S1", "It is the bucket that holds the access logs of the others.")
        CfnOutput(self, "StateTable", value=self.state_table.table_name)
        CfnOutput(self, "LedgerTable", value=self.ledger_table.table_name)
        CfnOutput(self, "TransientTable", value=self.transient_table.table_name)
        CfnOutput(self, "DocumentsBucket", value=self.documents_bucket.bucket_name)

    def _secret(self, name: str, stage: Stage) -> secretsmanager.Secret:
        """Return a secret that the operator fills after the first deployment; its first value is a random one."""
        secret = secretsmanager.Secret(
            self,
            f"secret-{name}",
            secret_name=f"{stage.prefix}/{name}",
            description=f'Credentials of {name}: JSON {{"api_key": ...}}',
            encryption_key=self.data_key,
            removal_policy=stage.removal,
        )
        acknowledge(
            secret,
            "AwsSolutions-SMG4",
            "A provider's key can't be rotated by AWS: the provider's console issues it. docs/operations.md says how.",
        )
        return secret
