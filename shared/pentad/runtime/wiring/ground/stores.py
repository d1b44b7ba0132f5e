"""The stores that most functions share: sessions and runs in their tables, with large content in the payload bucket."""

from pentad.aws.clients import get_client, get_credentials
from pentad.aws.table import Table
from pentad.memory.facts.adapters.facts_dynamodb import DynamoFacts
from pentad.memory.objects.adapters.objects_s3 import S3Objects
from pentad.memory.sessions.adapters.sessions_dynamodb import DynamoSessions
from pentad.orchestration.runs.adapters.runs_dynamodb import DynamoRuns
from pentad.orchestration.runs.adapters.runs_start import RunStart
from pentad.orchestration.runs.spill import Spill
from pentad.runtime.clock import now
from pentad.runtime.settings import FactSettings, StateTable
from pentad.tools.results.adapters.whole_s3 import S3WholeResults


def make_table(name: str) -> Table:
    """Return a table by its name."""
    return Table(get_client("dynamodb"), name)


def make_facts(values: FactSettings, state_table: str) -> DynamoFacts:
    """Return what is remembered of users, kept for as long as the stage says."""
    return DynamoFacts(make_table(state_table), facts_days=values.facts_days, decisions_days=values.decisions_days)


def make_objects(bucket: str) -> S3Objects:
    """Return the objects of a bucket."""
    return S3Objects(get_client("s3"), bucket)


def make_whole_results(bucket: str, endpoint: str | None = None) -> S3WholeResults:
    """Return the results of tools that were shown in part.

    Args:
        bucket: of payloads.
        endpoint: that addresses are signed for, in place of AWS's own; a reader signs none.
    """
    return S3WholeResults(get_client("s3"), bucket, credentials=get_credentials, endpoint=endpoint)


def make_sessions(values: StateTable) -> DynamoSessions:
    """Return the session store."""
    return DynamoSessions(make_table(values.state_table), make_objects(values.payload_bucket), clock=now)


def make_runs(values: StateTable) -> DynamoRuns:
    """Return the run store."""
    state, transient = make_table(values.state_table), make_table(values.transient_table)
    objects = make_objects(values.payload_bucket)
    return DynamoRuns(state, transient, Spill(objects), RunStart(state, transient, objects), now)
