"""Ingest: S3 tells EventBridge, a rule fills a queue, a function parses, chunks, embeds and indexes."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from infra.components import grants, storage
from infra.components.build import Build
from pentad.domain import keys

_SECONDS = 300


class Ingest(Construct):
    """The documents' way from bucket to index."""

    def __init__(self, scope: Construct, name: str, *, build: Build, gateway: lambda_.IFunction) -> None:
        super().__init__(scope, name)
        stores, stage = build.stores, build.stage
        self.queue, self.dead = storage.create_queue_with_dlq(
            self, "ingest", prefix=stage.prefix, key=stores.data_key, visibility_seconds=6 * _SECONDS, receives=3
        )
        events.Rule(
            self,
            "objects",
            rule_name=f"{stage.prefix}-documents",
            description="Documents that come and go",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created", "Object Deleted"],
                detail={"bucket": {"name": [stores.documents_bucket.bucket_name]}},
            ),
            targets=[targets.SqsQueue(self.queue, dead_letter_queue=self.dead)],
        )
        made = build.create_function(
            self,
            "ingest",
            module="functions.memory.ingest",
            environment={
                "STATE_TABLE": stores.state_table.table_name,
                "DOCUMENTS_BUCKET": stores.documents_bucket.bucket_name,
                "GATEWAY_FUNCTION": gateway.function_arn,
                "PINECONE_SECRET": stores.secrets["pinecone"].secret_arn,
            },
            timeout_seconds=_SECONDS,
            memory_mb=1024,
            description="Ingest: parses, chunks, embeds and indexes documents",
        )
        self.function = made.function
        self.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=5,
                max_batching_window=Duration.seconds(0),
                max_concurrency=stage.ingest_concurrency,
                report_batch_item_failures=True,
            )
        )
        grants.grant_table(
            made.role,
            stores.state_table,
            [*grants.READ, *grants.WRITE, *grants.DELETE],
            keys=[keys.collection_pattern("DOCS"), keys.document_pattern()],
        )
        grants.grant_objects(made.role, stores.documents_bucket, ["s3:GetObject"])
        # Without it S3 says 403 of an object that is gone, and a deletion could not be told from a missing right.
        grants.grant_bucket(made.role, stores.documents_bucket, ["s3:ListBucket"])
        grants.grant_invoke(made.role, [gateway.function_arn])
        grants.grant_secret(made.role, stores.secrets["pinecone"])
