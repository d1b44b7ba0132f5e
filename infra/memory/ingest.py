"""Ingest: S3 tells EventBridge, a rule fills a queue, a function parses, chunks, embeds and indexes."""

from pathlib import Path

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.vectors import (
    build_vector_environment,
    grant_vectors,
    list_vector_folders,
    list_vector_layers,
)
from infra.components.work_queue import WorkQueue
from layers import build as builds
from pentad.domain import keys
from pentad.domain.knowledge import DOCUMENT_REQUESTED
from pentad.memory.documents.ingest import INGEST_SECONDS, RECEIVES
from pentad.orchestration.runs.ports import SOURCE


class Ingest(FunctionConstruct):
    """The documents' way from bucket to index.

    Attributes:
        work: the queue of documents that come and go.
    """

    def __init__(
        self, scope: Construct, name: str, *, build: Build, bus: events.IEventBus, gateway: lambda_.IFunction
    ) -> None:
        layer = create_layer(scope, build.root)
        super().__init__(scope, name, build=build, options=_build_options(build, gateway, layer))
        self.work = WorkQueue(self, "ingest", build=build, timeout_seconds=INGEST_SECONDS, receives=RECEIVES)
        self.work.add_rule(
            "objects",
            rule="documents",
            description="Documents that come and go",
            pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created", "Object Deleted"],
                detail={"bucket": {"name": [build.stores.documents_bucket.bucket_name]}},
            ),
        )
        self.work.add_rule(
            "requested",
            rule="documents-requested",
            description="Documents that are to be read anew",
            pattern=events.EventPattern(source=[SOURCE], detail_type=[DOCUMENT_REQUESTED]),
            bus=bus,
        )
        # One message an invocation: a document that ends the function takes no other one along.
        self.work.connect_to(self.function, batch_size=1, concurrency=build.stage.ingest_concurrency)
        self._grant(build, gateway)

    def _grant(self, build: Build, gateway: lambda_.IFunction) -> None:
        stores = build.stores
        grants.grant_table(
            self.role,
            stores.state_table,
            [*grants.READ, *grants.WRITE, *grants.DELETE, *grants.CONDITION],
            keys=[keys.collection_pattern("DOCS"), keys.document_pattern()],
        )
        # A tenant has a share of the documents at work; what is more goes back to the queue.
        grants.grant_table(self.role, stores.transient_table, grants.WRITE, keys=[keys.collection_pattern("SHARES")])
        self.work.grant_send_again(self.function)
        # Whether the key of an upload was revoked.
        grants.grant_table(self.role, stores.state_table, ["dynamodb:GetItem"], keys=[keys.collection_pattern("KEYS")])
        grants.grant_objects(self.role, stores.documents_bucket, ["s3:GetObject"])
        # Without it S3 says 403 of an object that is gone, and a deletion could not be told from a missing right.
        grants.grant_bucket(self.role, stores.documents_bucket, ["s3:ListBucket"])
        grants.grant_invoke(self.role, [gateway.function_arn])
        grant_vectors(self.role, build)


def create_layer(scope: Construct, root: Path) -> lambda_.ILayerVersion:
    """Return the layer with what reads documents, which no other function has."""
    return lambda_.LayerVersion(
        scope,
        "layer-documents",
        code=lambda_.Code.from_asset(str(builds.build_documents_layer(root))),
        compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
        compatible_architectures=[lambda_.Architecture.ARM_64],
        description="Pentad: documents",
    )


def _build_options(build: Build, gateway: lambda_.IFunction, layer: lambda_.ILayerVersion) -> FunctionOptions:
    stores = build.stores
    return FunctionOptions(
        name="ingest",
        module="functions.memory.ingest",
        environment={
            "STATE_TABLE": stores.state_table.table_name,
            "TRANSIENT_TABLE": stores.transient_table.table_name,
            "INGEST_SHARE": str(build.stage.ingest_share),
            "BULK_SHARE": str(build.stage.ingest_concurrency),
            "DOCUMENTS_BUCKET": stores.documents_bucket.bucket_name,
            "GATEWAY_FUNCTION": gateway.function_arn,
            **build_vector_environment(build.stage),
        },
        timeout_seconds=INGEST_SECONDS,
        memory_mb=1769,
        sends_again=True,
        layers=[layer, *list_vector_layers(layer, build)],
        layer_folders=[builds.build_documents_layer(build.root), *list_vector_folders(build)],
        description="Ingest: parses, chunks, embeds and indexes documents",
    )
