"""The wiring of functions.memory.ingest."""

from functools import cache

from pentad.aws.clients import get_client
from pentad.aws.redelivery import SqsRedelivery
from pentad.aws.table import Table
from pentad.memory.documents.adapters.reader_process import ProcessReader
from pentad.memory.documents.adapters.registry_dynamodb import DynamoRegistry
from pentad.memory.documents.adapters.upload_keys_dynamodb import DynamoUploadKeys
from pentad.memory.documents.ingest import Ingest
from pentad.memory.documents.reader.process_wall import hide_process
from pentad.memory.objects.adapters.objects_s3 import S3Objects
from pentad.models.remote.adapters.gateway_lambda import LambdaEmbedder
from pentad.models.shares.adapters.shares_dynamodb import DynamoShares
from pentad.runtime.clock import now
from pentad.runtime.fair_queue import FairQueue
from pentad.runtime.settings import IngestSettings, read_process_environment, read_settings
from pentad.runtime.wiring.ground.telemetry import telemetry_of
from pentad.runtime.wiring.ground.vectors import make_vectors

_GATEWAY_SECONDS = 120.0
"""How long to wait for the gateway's answer with vectors; more than its own attempts take."""


@cache
def make_fair_queue() -> FairQueue:
    """Return what keeps one tenant's documents from holding up another's."""
    values = read_settings(IngestSettings)
    shares = DynamoShares(Table(get_client("dynamodb"), values.transient_table), "ingest")
    queue = SqsRedelivery(get_client("sqs"))
    return FairQueue(shares, queue, telemetry_of("ingest"), most=values.ingest_share)


@cache
def make_bulk_share() -> FairQueue:
    """Return what bounds how many batches of documents all bulk ingestions of one tenant are at work on at once."""
    values = read_settings(IngestSettings)
    shares = DynamoShares(Table(get_client("dynamodb"), values.transient_table), "bulk")
    queue = SqsRedelivery(get_client("sqs"))
    return FairQueue(shares, queue, telemetry_of("ingest"), most=values.bulk_share)


@cache
def make_ingest() -> Ingest:
    """Return what keeps the index as the documents bucket is."""
    hide_process()  # before the first document is read by a process of this user
    values = read_settings(IngestSettings)
    # One attempt: a second one would embed, and bill, twice. The queue brings a failed message back.
    gateway = get_client("lambda", read_timeout=_GATEWAY_SECONDS, attempts=1)
    return Ingest(
        objects=S3Objects(get_client("s3"), values.documents_bucket),
        keys=DynamoUploadKeys(Table(get_client("dynamodb"), values.state_table)),
        reader=ProcessReader(read_process_environment()),
        registry=DynamoRegistry(Table(get_client("dynamodb"), values.state_table), clock=now),
        vectors=make_vectors(values),
        embedder=LambdaEmbedder(gateway, values.gateway_function),
        telemetry=telemetry_of("ingest"),
        clock=now,
    )
