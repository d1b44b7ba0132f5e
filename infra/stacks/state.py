"""What must outlive a deployment: tables, buckets, keys, secrets."""

from collections.abc import Sequence

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3vectors as s3vectors
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.components import storage
from infra.components.reasons import acknowledge
from infra.components.stores import Stores, name_secret, name_vector_bucket
from infra.config import Stage
from pentad.tools.outside.places import name_tool_secret

_SECRETS = ("anthropic", "openai")
"""Of every deployment."""


class StateStack(Stack):
    """Tables, buckets, keys and secrets of one stage.

    Attributes:
        stores: all of them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        provider_secrets: Sequence[str] = (),
        tool_secrets: Sequence[str] = (),
    ) -> None:
        """Make the state.

        Args:
            scope: the app.
            construct_id: the stack's name.
            stage: the stage.
            provider_secrets: names of secrets that model providers need beyond those that every deployment has.
            tool_secrets: names of secrets as tools declare them.
        """
        super().__init__(scope, construct_id)
        data_key = self._key("data", "Encrypts Pentad's tables, buckets, queues and secrets", stage)
        services = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "sqs.amazonaws.com"]
        if stage.alerts.has_targets:
            services.append("sns.amazonaws.com")  # from the topics of alarms to the queue of alerts
        for service in services:
            storage.grant_key_to_service(data_key, service)
        approval_key = self._key("approval", "Encrypts the task tokens of runs that wait for a human", stage)
        tables = {
            name: storage.create_table(self, name, stage=stage, key=data_key, indexed=name in ("state", "ledger"))
            for name in ("state", "ledger", "transient", "records")
        }
        payload, documents, anchors = self._buckets(stage, data_key)
        for name in dict.fromkeys(provider_secrets):
            if name not in _SECRETS:
                self._create_secret(name, stage, data_key)
        for name in tool_secrets:
            self._create_tool_secret(name, stage, data_key)
        store_secret = self._create_vector_store(stage, data_key)
        self.stores = Stores(
            data_key=data_key,
            approval_key=approval_key,
            audit_key=self._create_audit_key(stage),
            state_table=tables["state"],
            ledger_table=tables["ledger"],
            transient_table=tables["transient"],
            records_table=tables["records"],
            payload_bucket=payload,
            documents_bucket=documents,
            anchor_bucket=anchors,
            secrets={name: self._create_secret(name, stage, data_key) for name in _SECRETS},
            provider_secrets={name: name_secret(stage, name) for name in provider_secrets},
        )
        self._export_stores(store_secret if stage.vector_store == "pinecone" else None)
        CfnOutput(self, "StateTable", value=tables["state"].table_name)
        CfnOutput(self, "LedgerTable", value=tables["ledger"].table_name)
        CfnOutput(self, "AuditKey", value=self.stores.audit_key.key_arn)
        CfnOutput(self, "TransientTable", value=tables["transient"].table_name)
        CfnOutput(self, "DocumentsBucket", value=documents.bucket_name)
        CfnOutput(self, "AnchorBucket", value=anchors.bucket_name)

    def _export_stores(self, pinecone: secretsmanager.Secret | None) -> None:
        """Export whatever another stack can refer to, or could in a release, whether one does or not.

        CDK exports what is referred to in this synth. An export that a later synth does not need would be removed
        first, while the deployed agent stack still imports it: CloudFormation refuses that, and every deployment after
        it. Secrets of a project's own providers come and go with them: they are reached by name
        (`infra.components.stores.Stores.provider_secrets`).
        """
        stores = self.stores
        tables = (stores.state_table, stores.ledger_table, stores.transient_table, stores.records_table)
        buckets = (stores.payload_bucket, stores.documents_bucket, stores.anchor_bucket)
        for value in (
            *(value for table in tables for value in (table.table_arn, table.table_name)),
            *(value for bucket in buckets for value in (bucket.bucket_arn, bucket.bucket_name)),
            *(key.key_arn for key in (stores.data_key, stores.approval_key, stores.audit_key)),
            *(secret.secret_arn for secret in stores.secrets.values()),
        ):
            self.export_value(value)
        if pinecone is not None:
            # Nothing imports it any more but agent stacks of 0.1.0, which are upgraded after this one.
            self.export_value(pinecone.secret_arn)

    def _key(self, name: str, description: str, stage: Stage) -> kms.Key:
        return kms.Key(
            self,
            f"{name}-key",
            alias=f"alias/{stage.prefix}-{name}",
            description=description,
            enable_key_rotation=True,
            removal_policy=stage.removal,
        )

    def _create_audit_key(self, stage: Stage) -> kms.Key:
        """Return the key by which entries of the audit are signed; they are checked for as long as they are kept."""
        return kms.Key(
            self,
            "audit-key",
            alias=f"alias/{stage.prefix}-audit",
            description="Signs Pentad's audit",
            key_spec=kms.KeySpec.HMAC_256,
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            removal_policy=stage.removal,
        )

    def _buckets(self, stage: Stage, key: kms.Key) -> tuple[s3.Bucket, s3.Bucket, s3.Bucket]:
        """Return the buckets of payloads, documents and anchors, which write their access logs into a fourth."""
        access = storage.create_bucket(
            self,
            "access-logs",
            stage=stage,
            key=key,
            logs=None,
            expire_prefixes={"": stage.retention.access_logs_days},
            announces=False,
        )
        acknowledge(access, "AwsSolutions-S1", "This bucket holds the access logs of the other buckets.")
        payload = storage.create_bucket(
            self,
            "payload",
            stage=stage,
            key=key,
            logs=access,
            expire_prefixes={"graphs/": 31},  # a day more than their checkpoints are kept
            announces=False,
        )
        documents = storage.create_bucket(
            self, "documents", stage=stage, key=key, logs=access, expire_prefixes={}, announces=True
        )
        if stage.cors_origins:  # A page sends a document's content to the bucket itself.
            documents.add_cors_rule(
                allowed_methods=[s3.HttpMethods.PUT],
                allowed_origins=list(stage.cors_origins),
                allowed_headers=["*"],
                max_age=3600,
            )
        anchors = storage.create_bucket(
            self,
            "anchors",
            stage=stage,
            key=key,
            logs=access,
            expire_prefixes={},
            announces=False,
            lock=stage.audit_lock,
        )
        return payload, documents, anchors

    def _create_vector_store(self, stage: Stage, key: kms.Key) -> secretsmanager.Secret | None:
        """Make what the chosen vector store needs, reached by name: a secret, which is returned, or a bucket."""
        if stage.vector_store != "s3vectors":
            return self._create_secret(stage.vector_store, stage, key)
        # Who stores a vector is not who indexes it, later.
        storage.grant_key_to_service(key, "indexing.s3vectors.amazonaws.com")
        bucket = s3vectors.CfnVectorBucket(
            self,
            "vectors",
            vector_bucket_name=name_vector_bucket(stage),
            encryption_configuration=s3vectors.CfnVectorBucket.EncryptionConfigurationProperty(
                sse_type="aws:kms", kms_key_arn=key.key_arn
            ),
        )
        bucket.apply_removal_policy(stage.removal)
        return None

    def _create_tool_secret(self, name: str, stage: Stage, key: kms.Key) -> None:
        """Make a secret that tools declare, with a random first value; tools reach it by name, as it comes and goes."""
        secret = secretsmanager.Secret(
            self,
            f"tool-secret-{name}",
            secret_name=name_tool_secret(stage.prefix, name),
            description=f"The secret '{name}' of tools: what docs/tools/settings.md and the tool's page say",
            encryption_key=key,
            removal_policy=stage.removal,
        )
        acknowledge(
            secret,
            "AwsSolutions-SMG4",
            "AWS cannot rotate a vendor's credential: the vendor issues it. docs/operations.md says how.",
        )

    def _create_secret(self, name: str, stage: Stage, key: kms.Key) -> secretsmanager.Secret:
        """Return a secret that the operator fills after the first deployment; its first value is a random one."""
        secret = secretsmanager.Secret(
            self,
            f"secret-{name}",
            secret_name=name_secret(stage, name),
            description=f'Credentials of {name}: JSON {{"api_key": ...}}',
            encryption_key=key,
            removal_policy=stage.removal,
        )
        acknowledge(
            secret,
            "AwsSolutions-SMG4",
            "AWS cannot rotate a provider's key: the provider's console issues it. docs/operations.md says how.",
        )
        return secret
