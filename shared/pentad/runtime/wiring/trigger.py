"""The wiring of functions.orchestration.trigger."""

from functools import cache

from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys
from pentad.api.identity.caller import Caller
from pentad.api.identity.keys import KeyAuthenticator
from pentad.api.identity.signed import SignedRequests
from pentad.api.rates.adapters.rates_dynamodb import DynamoRateCounter
from pentad.api.rates.rates import RequestRates
from pentad.domain.errors import ModelThrottled
from pentad.models.ledger.adapters.ledger_dynamodb import DynamoDBLedger
from pentad.orchestration.lifecycle.deliver import Deliver
from pentad.orchestration.lifecycle.handle_message import Triggered
from pentad.orchestration.lifecycle.queue_messages import Read, ReadQueues, RunRequested
from pentad.orchestration.lifecycle.redrive import Redrive
from pentad.orchestration.reviews.adapters.reviews_dynamodb import DynamoReviews
from pentad.orchestration.reviews.reviews import CountedReviews
from pentad.runtime.catalog import load_catalog
from pentad.runtime.clock import now
from pentad.runtime.settings import TriggerSettings, read_settings
from pentad.runtime.wiring.ground.humans import make_approvals
from pentad.runtime.wiring.ground.starting import make_starting
from pentad.runtime.wiring.ground.stores import make_sessions, make_table
from pentad.runtime.wiring.ground.telemetry import telemetry_of
from pentad.tools.runtime.adapters.effects_dynamodb import DynamoEffects

_REFUSED_SECONDS = 300.0


@cache
def make_reader() -> ReadQueues:
    """Return what reads the messages of both queues: requests are signed with the tenants' API keys."""
    values = read_settings(TriggerSettings)
    keys = KeyAuthenticator(DynamoKeys(make_table(values.state_table)), now=now)
    return ReadQueues(values.lifecycle_queue, SignedRequests(keys, now=now))


@cache
def make_rates() -> RequestRates:
    """Return what counts the requests of the queue, by the key that has signed them."""
    values = read_settings(TriggerSettings)
    return RequestRates(DynamoRateCounter(make_table(values.transient_table)), telemetry_of("trigger"))


def admit(read: Read) -> None:
    """Return if what a message asks for may begin now; what the stack tells itself always may.

    Raises:
        ModelThrottled: its key, user or tenant asks for too much: the message comes again.
    """
    if isinstance(read, RunRequested) and read.requester is not None:
        asks = read.requester
        caller = Caller(read.message.tenant_id, asks.key_id or "", asks.user_id, frozenset())
        try:
            make_rates().admit(caller, "queue")
        except ModelThrottled as error:
            # A message is received so often before it is a dead letter: what can wait has long waits between.
            error.retry_after = _REFUSED_SECONDS
            raise


@cache
def make_triggered() -> Triggered:
    """Return what does what a message of the runs queue asks for."""
    values, telemetry = read_settings(TriggerSettings), telemetry_of("trigger")
    sessions, approvals, state = make_sessions(values), make_approvals(values), make_table(values.state_table)
    starting = make_starting(values, approvals, telemetry)
    redrive = Redrive(
        load_catalog(),
        starting.runs,
        sessions,
        DynamoEffects(state),
        starting.start,
        starting.engine,
        now=now,
    )
    aborts = Deliver(
        starting.runs,
        sessions,
        approvals,
        starting.events,
        telemetry,
        now=now,
        reviews=CountedReviews(DynamoReviews(state), telemetry),
        ledger=DynamoDBLedger(make_table(values.ledger_table)),
    )
    return Triggered(starting.start, redrive, aborts, starting.runs, telemetry)
