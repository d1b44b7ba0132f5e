"""The API over in-memory services, called with API Gateway's events."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from pentad.api.access import AccessRules
from pentad.api.acts.acts import Acts
from pentad.api.acts.adapters.acts_memory import MemoryActs
from pentad.api.adapters.cursor_ciphers import MemoryCursors
from pentad.api.app import Api, Router
from pentad.api.documents import Documents
from pentad.api.door.service import Door
from pentad.api.found import FindRun
from pentad.api.identity.caller import ALL_USERS, SCOPES, Caller
from pentad.api.mcp.calls import McpCalls
from pentad.api.mcp.humans import HumanInput
from pentad.api.mcp.listing import Listing
from pentad.api.mcp.router import McpRoutes
from pentad.api.mcp.service import McpService
from pentad.api.open_citation import OpenCitation
from pentad.api.ports import BulkIngest, Holder, UploadTerms
from pentad.api.rates.adapters.rates_memory import MemoryRateCounter
from pentad.api.rates.rates import RateLimits, RequestRates
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
from pentad.domain.errors import NotFound, PentadError
from pentad.domain.models import CallContext, EmbedReply
from pentad.domain.runs import CallStatus
from pentad.domain.usage import Usage
from pentad.memory.corrections.adapters.corrections_memory import MemoryCorrections
from pentad.memory.documents.adapters.registry_memory import MemoryRegistry
from pentad.memory.facts.adapters.facts_memory import MemoryFacts
from pentad.memory.facts.manage import ManageFacts
from pentad.memory.remember.adapters.progress_memory import MemoryProgress
from pentad.memory.turns.adapters.segments_memory import MemorySegments
from pentad.memory.turns.said import Said
from pentad.models.catalog.catalog import load
from pentad.observability.feedback.adapters.feedback_memory import MemoryFeedback
from pentad.observability.feedback.give import GiveFeedback
from pentad.orchestration.calibration.adapters.verdicts_memory import MemoryVerdicts
from pentad.orchestration.erasure.adapters.erasures_memory import MemoryErasures
from pentad.orchestration.erasure.request import RequestErasure
from pentad.orchestration.erasure.stays import KeptDays
from pentad.orchestration.lifecycle.undo import Undo
from pentad.orchestration.timetravel.fork import ForkRun
from pentad.orchestration.unwinding.effects import ListEffects
from pentad.orchestration.unwinding.unwind import UndoRun
from pentad.tools.graphs.adapters.nodes_memory import MemoryGraphNodes
from pentad.tools.results.adapters.whole_memory import MemoryWholeResults
from pentad.tools.results.read import ReadResults
from pentad.tools.runtime.adapters.audit_memory import MemoryAudit
from pentad.tools.runtime.adapters.call_order_memory import MemoryCallOrder
from pentad.tools.runtime.adapters.effects_memory import MemoryEffects
from tests.unit.orchestration.world import TENANT, World

OWN_SCOPES = " ".join(sorted(set(SCOPES) - {ALL_USERS}))
"""All that a credential may do, but for reaching the things of all users."""


class Context:
    """Lambda's context."""

    aws_request_id = "request-1"
    function_name = "api"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:function"

    def __init__(self, remaining_ms: int = 29_000) -> None:
        self.remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


class Bucket:
    """A documents bucket that signs nothing."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    def sign_upload(self, terms: UploadTerms) -> tuple[str, dict[str, str]]:
        self.terms = terms
        return f"https://bucket/{terms.key}?expires={terms.seconds}", {"Content-Type": terms.media_type}

    def delete(self, key: str) -> None:
        self.deleted.append(key)


_BEGUN = BulkIngest(
    status="running",
    documents=0,
    done=0,
    failed=0,
    running=0,
    error=None,
    started_at=datetime(2026, 11, 30, tzinfo=UTC),
    ended_at=None,
)


class Bulk:
    """Bulk ingestions that go on as they are told; one that nothing is told of has begun."""

    def __init__(self) -> None:
        self.started: dict[str, tuple[str, str]] = {}
        self.found: dict[str, BulkIngest] = {}

    def start(self, tenant_id: str, name: str, prefix: str) -> None:
        self.started.setdefault(name, (tenant_id, prefix))

    def get(self, name: str) -> BulkIngest:
        if name not in self.started:
            raise NotFound("no such bulk ingestion", field="bulk")
        return self.found.get(name, _BEGUN)


class Claims:
    """Places of bulk ingestions, in memory; what holds one took it long ago."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.seconds = 3_600

    def take(self, tenant_id: str, place: str, name: str, *, replaces: str | None = None) -> Holder | None:
        held = self.held.setdefault((tenant_id, place), name)
        if held not in (name, replaces):
            return Holder(name=held, seconds=self.seconds)
        self.held[tenant_id, place] = name
        return None


class UndoingTools:
    """Tools whose undo succeeds, or fails as told."""

    failure: PentadError | None = None

    def __init__(self, world: World) -> None:
        self._world = world

    def undo(self, tenant_id: str, run_id: str, step: int, index: int) -> None:
        if self.failure is not None:
            raise self.failure
        call = self._world.runs.get_call(tenant_id, run_id, step, index)
        self._world.runs.save_call(call.model_copy(update={"status": CallStatus.UNDONE}))


class MemoryServices:
    """The API's collaborators, all of them in memory."""

    def __init__(self, world: World) -> None:
        self.catalog = world.catalog
        self.runs = world.runs
        self.sessions = world.sessions
        self.approvals = world.approvals
        self.reviews = world.reviews
        self.ledger = world.ledger
        self.spend = world.ledger
        self.engine = world.engine
        self.telemetry = world.telemetry
        self.start_run = world.start
        self.cancel = world.cancel
        self.fork = ForkRun(
            world.catalog, load, world.runs, world.sessions, world.engine, world.telemetry, now=world.clock
        )
        self.decide = world.decide
        self.now = world.clock
        self.registry = MemoryRegistry(clock=world.clock)
        self.facts = MemoryFacts()
        self.erasures = MemoryErasures()
        self.verdicts = MemoryVerdicts(world.stored_reviews.list_all, world.approvals.list_all)
        self.corrections = MemoryCorrections()
        self.feedback = MemoryFeedback(now=world.clock, tell=self.corrections.add)
        self.give_feedback = GiveFeedback(self.feedback, world.events.publish, world.telemetry, now=world.clock)
        self.said = Said(MemorySegments())
        self.progress = MemoryProgress(clock=world.clock)
        self.graph_nodes = MemoryGraphNodes()
        self.bucket = Bucket()
        self.bulk = Bulk()
        self.claims = Claims()
        self.documents = Documents(self.bucket, world.events, now=world.clock)
        self.tools = UndoingTools(world)
        self.undo = Undo(world.runs, self.tools, world.telemetry, now=world.clock)
        self.order = MemoryCallOrder()
        effects = ListEffects(world.catalog, world.runs, MemoryEffects(), MemoryAudit())
        self.undo_run = UndoRun(effects, self.undo, world.runs, self.order)
        self.rules = AccessRules(self.catalog, self.runs, self.sessions, self.progress, self.approvals)
        self.timer = lambda: world.clock().timestamp()
        self.embedded: list[tuple[str, ...]] = []
        self.dimensions: list[int | None] = []
        self.door = Door(world.model, self, load(), now=world.clock)
        self.waits = HumanWaits(world.runs, world.approvals, world.catalog)
        self.acts = MemoryActs()
        self.admitted: list[Caller] = []
        self.refuse_calls: Callable[[Caller], None] | None = None
        self.slept: list[float] = []
        self.waiting = RunWaiter(self.waits, sleep=self._sleep, timer=lambda: world.clock().timestamp())
        self.world = world

    def routers(self) -> tuple[Router, ...]:
        """The API's routers over these."""
        find = FindRun(self.runs, self.now)
        current_view = CurrentView(self.runs, self.waits, self.start_run.advance, self.telemetry, self.now)
        return (
            StartRoutes(self.start_run, self.waiting, current_view, self.now),
            RunRoutes(self.runs, self.ledger, self.approvals, find, current_view),
            TraceRoutes(self.runs, self.ledger, self.graph_nodes, self.engine, find, self.now),
            CancelRoutes(self.cancel, self.undo, self.waits, find, self.now),
            UndoRoutes(self.undo_run, find, self.rules.explain_group, self.now, timer=self.timer),
            ForkRoutes(self.catalog, self.runs, self.sessions, self.approvals, self.fork, self.now),
            SessionRoutes(self.sessions, self.runs, self.said, self.progress),
            ApprovalRoutes(self.approvals, self.decide, self.now),
            ReviewRoutes(self.catalog, self.reviews, self.runs, self.now),
            FeedbackRoutes(self.give_feedback, self.feedback, self.runs, find),
            VerdictRoutes(self.verdicts),
            DocumentRoutes(self.documents, self.registry),
            BulkRoutes(self.bulk, self.claims),
            CitationRoutes(OpenCitation(find, self.world.sessions, self.registry)),
            MemoryRoutes(ManageFacts(self.facts, self.now), self.now),
            UserRoutes(RequestErasure(self.erasures, self.runs, self.world.events, now=self.now), KeptDays(14, 90, 7)),
            CostRoutes(self.spend, self.now),
            SystemRoutes(self.catalog),
            DoorRoutes(lambda: self.door, self.now),
            McpRoutes(self._make_mcp(find), self.now),
        )

    def embed(
        self, texts: Sequence[str], context: CallContext, *, deadline: float, dimensions: int | None = None
    ) -> EmbedReply:
        self.embedded.append(tuple(texts))
        self.dimensions.append(dimensions)
        vectors = tuple((0.6, 0.8) for _ in texts)
        usage = Usage(input_tokens=len(texts))
        return EmbedReply(vectors=vectors, provider="p", model="m", dimensions=2, usage=usage, cost_nanousd=3)

    def _make_mcp(self, find: FindRun) -> McpService:
        listing = Listing(self.catalog)
        humans = HumanInput(self.approvals, self.decide, self.now)
        self.whole = MemoryWholeResults()
        services = (self.start_run, self.waiting, find, self.cancel, humans, self.now, ReadResults(self.whole))
        calls = McpCalls(self.catalog, listing, *services)
        return McpService(listing, calls, self._admit, frozenset({"https://desk.example"}))

    def _admit(self, caller: Caller) -> None:
        if self.refuse_calls is not None:
            self.refuse_calls(caller)
        self.admitted.append(caller)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.world.clock.advance(seconds)


class Reply:
    """An answer of the API."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.status: int = answer["statusCode"]
        self.headers = {name.lower(): value for name, value in answer["headers"].items()}
        self.text: str = answer["body"]

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Client:
    """Sends events."""

    def __init__(self, world: World | None = None, limits: RateLimits | None = None) -> None:
        self.world = world or World()
        self.services = MemoryServices(self.world)
        services = self.services
        rules = services.rules
        self.api = Api(
            services.routers(),
            rules,
            services.telemetry,
            RequestRates(
                MemoryRateCounter(),
                services.telemetry,
                limits=limits,
                clock=lambda: self.world.clock().timestamp(),
            ),
            Acts(
                services.acts,
                services.runs,
                services.sessions,
                services.telemetry,
                now=services.now,
                knows_fact=services.facts.has_fact,
                served=Listing(services.catalog).agents,
            ),
            SealedCursors(MemoryCursors()),
        )

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: str | None = None,
        sent: str | None = None,
        tenant_id: str | None = TENANT,
        user_id: str = "",
        scopes: str = OWN_SCOPES,
        groups: str = "*",
        caller: dict[str, Any] | None = None,
        encoded: bool = False,
        headers: dict[str, str] | None = None,
        remaining_ms: int = 29_000,
        came_ms: int | None = None,
        request_id: str = "request-1",
    ) -> Reply:
        path, _, query = path.partition("?")
        path = unquote(path)  # as API Gateway hands it on
        parameters = dict(part.split("=", 1) for part in query.split("&")) if query else None
        said = {"tenant": tenant_id, "key_id": "abc", "user": user_id, "scopes": scopes, "groups": groups}
        if caller is not None:
            said = caller
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": "ANY /v1/{proxy+}",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"content-type": "application/json"} | {k.lower(): v for k, v in (headers or {}).items()},
            "queryStringParameters": parameters,
            "requestContext": {
                "stage": "$default",
                "requestId": request_id,
                **({} if came_ms is None else {"timeEpoch": came_ms}),
                "authorizer": {"lambda": said} if tenant_id else {},
                "http": {"method": method, "path": path, "sourceIp": "127.0.0.1", "userAgent": "", "protocol": "H"},
            },
            "isBase64Encoded": False,
        }
        text = raw if raw is not None else None if body is None else json.dumps(body)
        if sent is not None:
            event |= {"body": sent, "isBase64Encoded": True}
        if text is not None:
            event["body"] = base64.b64encode(text.encode()).decode() if encoded else text
            event["isBase64Encoded"] = encoded
        return Reply(self.api(event, Context(remaining_ms)))

    def send(self, method: str, path: str, body: str, *, encoded: bool, headers: dict[str, str]) -> Reply:
        """Send a body as API Gateway passes it on: text, or base64 of what is none."""
        return self(method, path, raw=body if not encoded else None, sent=body if encoded else None, headers=headers)
