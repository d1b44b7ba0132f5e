"""The wiring of functions.api.http: each router with what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from pentad.api.access import AccessRules
from pentad.api.acts.acts import Acts
from pentad.api.acts.adapters.acts_dynamodb import DynamoActs
from pentad.api.adapters.bulk_stepfunctions import StepFunctionsBulk
from pentad.api.adapters.claims_dynamodb import DynamoBulkClaims
from pentad.api.adapters.cursor_ciphers import KmsCursors
from pentad.api.adapters.documents_s3 import S3Documents, get_signing_client
from pentad.api.app import Api, Router
from pentad.api.documents import Documents
from pentad.api.found import FindRun
from pentad.api.mcp.calls import McpCalls
from pentad.api.mcp.humans import HumanInput
from pentad.api.mcp.listing import Listing
from pentad.api.mcp.router import McpRoutes
from pentad.api.mcp.service import McpService
from pentad.api.open_citation import OpenCitation
from pentad.api.rates.adapters.rates_dynamodb import DynamoRateCounter
from pentad.api.rates.rates import RequestRates
from pentad.api.routers.approvals import ApprovalRoutes
from pentad.api.routers.cost import CostRoutes
from pentad.api.routers.door import DoorRoutes
from pentad.api.routers.forks import ForkRoutes
from pentad.api.routers.knowledge.bulk import BulkRoutes
from pentad.api.routers.knowledge.documents import CitationRoutes, DocumentRoutes
from pentad.api.routers.memory import MemoryRoutes
from pentad.api.routers.quality.feedback import FeedbackRoutes, VerdictRoutes
from pentad.api.routers.reviews import ReviewRoutes
from pentad.api.routers.runs import CancelRoutes, RunRoutes, StartRoutes, TraceRoutes, UndoRoutes
from pentad.api.routers.sessions import SessionRoutes
from pentad.api.routers.system import SystemRoutes
from pentad.api.routers.users import UserRoutes
from pentad.api.sealed_cursors import SealedCursors
from pentad.api.views.approvals import HumanWaits
from pentad.api.views.lifecycle import CurrentView
from pentad.api.views.waiting import RunWaiter
from pentad.aws.clients import get_client
from pentad.aws.kms_text import KmsText
from pentad.memory.documents.adapters.registry_dynamodb import DynamoRegistry
from pentad.memory.facts.manage import ManageFacts
from pentad.memory.remember.adapters.progress_dynamodb import DynamoProgress
from pentad.memory.sessions.ports import SessionStore
from pentad.memory.turns.adapters.segments_dynamodb import DynamoSegments
from pentad.memory.turns.said import Said
from pentad.models.ledger.adapters.ledger_dynamodb import DynamoDBLedger
from pentad.models.ledger.adapters.spend_dynamodb import DynamoSpend
from pentad.observability.feedback.adapters.feedback_dynamodb import DynamoFeedback
from pentad.observability.feedback.give import GiveFeedback
from pentad.orchestration.approvals.decide import Decide
from pentad.orchestration.calibration.adapters.verdicts_dynamodb import DynamoVerdicts
from pentad.orchestration.erasure.adapters.erasures_dynamodb import DynamoErasures
from pentad.orchestration.erasure.request import RequestErasure
from pentad.orchestration.erasure.stays import KeptDays
from pentad.orchestration.lifecycle.undo import Undo
from pentad.orchestration.reviews.adapters.reviews_dynamodb import DynamoReviews
from pentad.orchestration.reviews.reviews import CountedReviews
from pentad.orchestration.runs.adapters.tool_lambda import LambdaTools
from pentad.orchestration.timetravel.fork import ForkRun
from pentad.orchestration.unwinding.effects import ListEffects
from pentad.orchestration.unwinding.unwind import UndoRun
from pentad.runtime.catalog import load_catalog
from pentad.runtime.clock import now
from pentad.runtime.settings import ApiSettings, read_settings
from pentad.runtime.wiring.ground.audit import make_sealed_log
from pentad.runtime.wiring.ground.humans import make_approvals
from pentad.runtime.wiring.ground.starting import Starting, make_starting
from pentad.runtime.wiring.ground.stores import make_facts, make_sessions, make_table, make_whole_results
from pentad.runtime.wiring.ground.telemetry import telemetry_of
from pentad.tools.graphs.adapters.nodes_dynamodb import DynamoGraphNodes
from pentad.tools.results.read import ReadResults
from pentad.tools.runtime.adapters.audit_dynamodb import DynamoAudit
from pentad.tools.runtime.adapters.call_order_dynamodb import DynamoCallOrder
from pentad.tools.runtime.adapters.effects_dynamodb import DynamoEffects

if TYPE_CHECKING:
    from pentad.api.door.service import Door
    from pentad.models.catalog.catalog import ModelCatalog

_UNDO_SECONDS = 25.0
"""How long to wait for a tool's undo; API Gateway ends the request after 30 s."""


@cache
def make_api() -> Api:
    """Return the HTTP API."""
    values, telemetry = read_settings(ApiSettings), telemetry_of("api")
    routers, rules = make_routers()
    ledger = make_table(values.ledger_table)
    log = DynamoActs(make_sealed_log(ledger, values.audit_key, telemetry))
    facts = make_facts(values, values.state_table)
    served = Listing(load_catalog()).agents
    acts = Acts(log, rules.runs, rules.sessions, telemetry, now=now, knows_fact=facts.has_fact, served=served)
    cursors = SealedCursors(KmsCursors(KmsText(get_client("kms"), values.approval_key)))
    return Api(routers, rules, telemetry, _make_rates(), acts, cursors)


@cache
def _make_rates() -> RequestRates:
    values = read_settings(ApiSettings)
    return RequestRates(DynamoRateCounter(make_table(values.transient_table)), telemetry_of("api"))


@cache
def make_routers() -> tuple[tuple[Router, ...], AccessRules]:
    """Return the API's routers, and the rules who may reach what they show."""
    values, telemetry, catalog = read_settings(ApiSettings), telemetry_of("api"), load_catalog()
    sessions, approvals = make_sessions(values), make_approvals(values, values.approval_key)
    starting = make_starting(values, approvals, telemetry)
    runs, engine = starting.runs, starting.engine
    state, ledger = make_table(values.state_table), DynamoDBLedger(make_table(values.ledger_table))
    find = FindRun(runs, now, telemetry)
    waits = HumanWaits(runs, approvals, catalog)
    current_view = CurrentView(runs, waits, starting.start.advance, telemetry, now)
    fork = ForkRun(catalog, _load_models, runs, sessions, engine, telemetry, now=now, switchboard=starting.switchboard)
    decide = Decide(catalog, runs, sessions, approvals, engine, starting.events, telemetry, now=now)
    # One attempt: a second one would undo twice.
    tools = LambdaTools(get_client("lambda", read_timeout=_UNDO_SECONDS, attempts=1), values.tool_runner)
    progress = DynamoProgress(state, clock=now)
    rules = AccessRules(catalog, runs, sessions, progress, approvals)
    undo = Undo(runs, tools, telemetry, now=now)
    effects = ListEffects(catalog, runs, DynamoEffects(state), DynamoAudit(make_table(values.ledger_table)))
    order = DynamoCallOrder(make_table(values.transient_table))
    waiting, feedback = RunWaiter(waits), DynamoFeedback(state, now=now)
    routers: tuple[Router, ...] = (
        StartRoutes(starting.start, waiting, current_view, now),
        RunRoutes(runs, ledger, approvals, find, current_view),
        TraceRoutes(runs, ledger, DynamoGraphNodes(state), engine, find, now),
        CancelRoutes(starting.cancel, undo, waits, find, now),
        UndoRoutes(UndoRun(effects, undo, runs, order), find, rules.explain_group, now),
        ForkRoutes(catalog, runs, sessions, approvals, fork, now),
        SessionRoutes(sessions, runs, Said(DynamoSegments(state)), progress, catalog.policy),
        ApprovalRoutes(approvals, decide, now),
        ReviewRoutes(catalog, CountedReviews(DynamoReviews(state), telemetry), runs, now),
        FeedbackRoutes(GiveFeedback(feedback, starting.events.publish, telemetry, now=now), feedback, runs, find),
        VerdictRoutes(DynamoVerdicts(state)),
        *_make_memory_routes(values, starting, find, sessions),
        CostRoutes(DynamoSpend(state), now),
        SystemRoutes(catalog),
        DoorRoutes(_make_door, now),
        _make_mcp(starting, waiting, find, HumanInput(approvals, decide, now)),
    )
    return routers, rules


def _make_memory_routes(
    values: ApiSettings, starting: Starting, find: FindRun, sessions: SessionStore
) -> tuple[Router, ...]:
    state = make_table(values.state_table)
    documents = Documents(S3Documents(get_signing_client(), values.documents_bucket), starting.events, now=now)
    kept = KeptDays(values.log_days, values.access_logs_days, values.backup_days)
    return (
        DocumentRoutes(documents, DynamoRegistry(state, clock=now)),
        BulkRoutes(
            StepFunctionsBulk(get_client("stepfunctions"), values.state_machine_arn_prefix),
            DynamoBulkClaims(make_table(values.transient_table)),
        ),
        CitationRoutes(OpenCitation(find, sessions, DynamoRegistry(state, clock=now))),
        MemoryRoutes(ManageFacts(make_facts(values, values.state_table), now), now),
        UserRoutes(RequestErasure(DynamoErasures(state), starting.runs, starting.events, now=now), kept),
    )


def _make_mcp(starting: Starting, waiting: RunWaiter, find: FindRun, humans: HumanInput) -> McpRoutes:
    """Return the server of MCP clients; the calls of their tools count as runs that are started."""
    values, catalog = read_settings(ApiSettings), load_catalog()
    listing = Listing(catalog)
    results = ReadResults(make_whole_results(values.payload_bucket))
    calls = McpCalls(catalog, listing, starting.start, waiting, find, starting.cancel, humans, now, results)
    origins = frozenset((values.mcp_origins or "").split())
    service = McpService(listing, calls, lambda caller: _make_rates().admit(caller, "starts"), origins)
    return McpRoutes(service, now)


# The models' catalog takes longer to import than all else here does beside boto3, and few requests need it: those of
# OpenAI's clients, and a fork that names a model.


@cache
def _make_door() -> "Door":
    from pentad.runtime.wiring.ground.door import make_door

    return make_door(read_settings(ApiSettings))


def _load_models() -> "ModelCatalog":
    from pentad.runtime.models import load_models

    return load_models()
