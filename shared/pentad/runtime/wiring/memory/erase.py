"""The wiring of functions.memory.erase: the places of users' things, in the order in which they are visited."""

from functools import cache

from pentad.aws.clients import get_client
from pentad.aws.redelivery import SqsRedelivery
from pentad.domain.reading.packed_names import unpack_names
from pentad.orchestration.erasure.adapters.erasures_dynamodb import DynamoErasures
from pentad.orchestration.erasure.adapters.places_dynamodb import (
    DocumentsPlace,
    FeedbackPlace,
    MemoryPlace,
    RunsPlace,
    SessionsPlace,
    SpendPlace,
)
from pentad.orchestration.erasure.adapters.places_kept import FilesPlace, RecordsPlace, RepliesPlace, VectorsPlace
from pentad.orchestration.erasure.adapters.places_logs import ContentsPlace
from pentad.orchestration.erasure.adapters.run_things import RunThings, ToolMarks
from pentad.orchestration.erasure.adapters.wiping import VersionedObjects
from pentad.orchestration.erasure.erase import EraseUser
from pentad.runtime.clock import now
from pentad.runtime.settings import EraseSettings, read_settings
from pentad.runtime.wiring.ground.stores import make_table
from pentad.runtime.wiring.ground.telemetry import telemetry_of
from pentad.runtime.wiring.ground.vectors import make_vectors
from pentad.tools.files.adapters.files_s3 import ROOT


@cache
def make_queue() -> SqsRedelivery:
    """Return what lets a message come again after a while."""
    return SqsRedelivery(get_client("sqs"))


@cache
def make_erase() -> EraseUser:
    """Return what goes on with erasures."""
    values = read_settings(EraseSettings)
    state, s3 = make_table(values.state_table), get_client("s3")
    payloads = VersionedObjects(s3, values.payload_bucket)
    transient, records = make_table(values.transient_table), make_table(values.records_table)
    kinds = unpack_names(values.record_kinds)
    things = RunThings(state, transient, payloads, ToolMarks(records, kinds), now=now)
    places = (
        RunsPlace(state, things),
        SessionsPlace(state, things),
        # After the sessions, of which memories are made.
        MemoryPlace(state),
        DocumentsPlace(state, VersionedObjects(s3, values.documents_bucket), now=now),
        SpendPlace(state),
        # New ones stand last: receipts of erasures under way name a place by its number.
        FeedbackPlace(state),
        # After the documents, so that ingest has taken out what it knows of.
        VectorsPlace(make_vectors(values)),
        RecordsPlace(records, kinds),
        FilesPlace(payloads, ROOT),
        RepliesPlace(transient),
        ContentsPlace(get_client("logs"), values.contents_group),
    )
    return EraseUser(DynamoErasures(state), places, telemetry_of("erase"), now=now)
