"""The wiring of functions.orchestration.deliver."""

from functools import cache

from pentad.aws.clients import get_client
from pentad.models.ledger.adapters.ledger_dynamodb import DynamoDBLedger
from pentad.orchestration.lifecycle.deliver import Deliver
from pentad.orchestration.reviews.adapters.reviews_dynamodb import DynamoReviews
from pentad.orchestration.reviews.reviews import CountedReviews
from pentad.orchestration.runs.adapters.events_eventbridge import EventBridge
from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches
from pentad.orchestration.switches.switchboard import Switches
from pentad.runtime.catalog import load_catalog
from pentad.runtime.clock import now
from pentad.runtime.settings import DeliverSettings, read_settings
from pentad.runtime.wiring.ground.humans import make_approvals
from pentad.runtime.wiring.ground.stores import make_runs, make_sessions, make_table
from pentad.runtime.wiring.ground.telemetry import telemetry_of


@cache
def make_deliver() -> Deliver:
    """Return what ends runs and calls."""
    values, telemetry = read_settings(DeliverSettings), telemetry_of("deliver")
    return Deliver(
        make_runs(values),
        make_sessions(values),
        make_approvals(values),
        EventBridge(get_client("events"), values.event_bus),
        telemetry,
        now=now,
        reviews=CountedReviews(DynamoReviews(make_table(values.state_table)), telemetry),
        switchboard=Switches(DynamoSwitches(make_table(values.transient_table)), telemetry, now),
        ledger=DynamoDBLedger(make_table(values.ledger_table)),
        catalog=load_catalog(),
    )
