"""A whole deployment in memory: real services over in-memory adapters, with a scripted model and a small engine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pentad.domain.declarations.agents import AgentSpec, Catalog, ToolSpec
from pentad.domain.errors import InvalidTransition, ModelUnavailable, PentadError
from pentad.domain.ids import make_id
from pentad.domain.messages import ContentBlock, Message, TextBlock, ToolCallBlock
from pentad.domain.models import Attempt, ChatReply, ChatRequest, Outcome, StopReason
from pentad.domain.runs import CallStatus, Decision, Manifest, Run
from pentad.domain.usage import Limits, Usage
from pentad.memory.sessions.adapters.sessions_memory import MemorySessions
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.orchestration.approvals.adapters.approvals_memory import MemoryApprovals
from pentad.orchestration.approvals.adapters.ciphers import MemoryCipher
from pentad.orchestration.approvals.ask import Asking
from pentad.orchestration.approvals.decide import Decide
from pentad.orchestration.lifecycle.cancel import CancelRun
from pentad.orchestration.lifecycle.deliver import Deliver
from pentad.orchestration.lifecycle.handle_message import Triggered
from pentad.orchestration.lifecycle.redrive import Redrive
from pentad.orchestration.lifecycle.start import RunRequest, StartRun
from pentad.orchestration.reviews.adapters.reviews_memory import MemoryReviews
from pentad.orchestration.reviews.reviews import CountedReviews
from pentad.orchestration.runs.adapters.runs_memory import MemoryRuns
from pentad.orchestration.switches.adapters.switches_memory import MemorySwitches
from pentad.orchestration.switches.switchboard import Switches
from pentad.orchestration.turn.think import Think, TurnInput
from pentad.tools.runtime.adapters.effects_memory import MemoryEffects

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TENANT = "acme"


def tool(name: str, **values: Any) -> ToolSpec:
    return ToolSpec(name=name, description=name, input_schema={"type": "object"}, effects="none", **values)


CATALOG = Catalog(
    agents={
        "assistant": AgentSpec(
            name="assistant",
            description="helps",
            prompt="You help.",
            tools=("calculator", "notes"),
            limits=Limits(steps=5, seconds=600),
            approval_seconds=3600,
        ),
        "plain": AgentSpec(name="plain", description="talks", prompt="You talk."),
    },
    tools={"calculator": tool("calculator"), "notes": tool("notes", approval="always", reversible=True)},
)


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


Say = str | list[tuple[str, dict[str, Any]]] | PentadError


class ScriptedModel:
    """Answers what the script says, in order; refuses to be asked more, and tells what was not asked."""

    def __init__(self, ledger: MemoryLedger, clock: Clock) -> None:
        self.script: list[Any] = []
        self.requests: list[ChatRequest] = []
        self.degraded = False
        self.notices: tuple[str, ...] = ()
        self._ledger = ledger
        self._clock = clock

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        self.requests.append(request)
        assert self.script, "the model was asked more often than the script says"
        say = self.script.pop(0)
        if isinstance(say, PentadError):
            raise say
        usage, cost = Usage(input_tokens=100, output_tokens=20), 1000
        attempt = Attempt(
            attempt_id=make_id("att", self._clock()),
            context=request.context,
            provider="scripted",
            model="model-1",
            tier="primary",
            link=0,
            number=1,
            outcome=Outcome.OVERLOAD if self.degraded else Outcome.OK,
            started_at=self._clock(),
            duration_ms=5,
            usage=usage,
            cost_nanousd=cost,
        )
        self._ledger.record(attempt)
        if self.degraded:
            outage = ModelUnavailable("no model could be reached")
            outage.attempts = (attempt,)
            raise outage
        blocks = _blocks(say, len(self.requests))
        message = Message(message_id="whatever", role="assistant", blocks=blocks, created_at=self._clock())
        return ChatReply(
            message=message,
            stop=StopReason.END if isinstance(say, str) else StopReason.TOOL_CALLS,
            usage=usage,
            cost_nanousd=cost,
            provider="scripted",
            model="model-1",
            notices=self.notices,
        )


def _blocks(say: Say, turn: int) -> tuple[ContentBlock, ...]:
    if isinstance(say, str):
        return (TextBlock(text=say),)
    assert isinstance(say, list)
    return tuple(
        ToolCallBlock(call_id=f"call_{turn}_{index}", tool=name, arguments=arguments)
        for index, (name, arguments) in enumerate(say)
    )


@dataclass
class FakeEngine:
    """Notes what is started and woken; fails on request."""

    started: dict[str, dict[str, Any]] = field(default_factory=dict)
    woken: dict[str, dict[str, Any]] = field(default_factory=dict)
    failure: Exception | None = None
    dead: set[str] = field(default_factory=set)
    events: list[dict[str, Any]] = field(default_factory=list)

    def start(self, agent: str, name: str, payload: dict[str, Any]) -> str:
        if self.failure is not None:
            raise self.failure
        self.started.setdefault(name, payload)
        return self.build_execution_arn(agent, name)

    def build_execution_arn(self, agent: str, name: str) -> str:
        return f"arn:execution:{agent}:{name}"

    def stop(self, execution_arn: str, *, error: str, cause: str) -> None:
        self.dead.add(execution_arn)

    def complete_task(self, task_token: str, output: dict[str, Any]) -> None:
        if task_token in self.woken or task_token in self.dead:
            raise InvalidTransition("the task no longer waits")
        self.woken[task_token] = output

    def is_running(self, execution_arn: str) -> bool:
        return execution_arn not in self.dead

    def get_history(self, execution_arn: str) -> list[dict[str, Any]]:
        return self.events


class Events:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []

    def publish(self, detail_type: str, detail: dict[str, Any]) -> None:
        self.published.append((detail_type, detail))


class World:
    """All services of a deployment, in memory."""

    def __init__(self, catalog: Catalog = CATALOG) -> None:
        self.clock = Clock()
        self.catalog = catalog
        self.telemetry = MemoryTelemetry()
        self.sessions = MemorySessions(clock=self.clock)
        self.runs = MemoryRuns(self.sessions, self.clock)
        self.approvals = MemoryApprovals(MemoryCipher())
        self.stored_reviews = MemoryReviews()
        self.reviews = CountedReviews(self.stored_reviews, self.telemetry)
        self.ledger = MemoryLedger()
        self.model = ScriptedModel(self.ledger, self.clock)
        self.engine = FakeEngine()
        self.events = Events()
        now = self.clock
        self.switches = Switches(MemorySwitches(), self.telemetry, now)
        self.cancel = CancelRun(self.runs, self.approvals, self.engine, self.events, self.telemetry, now=now)
        self.start = StartRun(
            catalog,
            self.runs,
            self.engine,
            self.telemetry,
            now=now,
            switchboard=self.switches,
            cancel=self.cancel,
        )
        self.think = Think(catalog, self.runs, self.sessions, self.model, self.ledger, self.telemetry, now=now)
        humans = (catalog, self.runs, self.sessions, self.approvals, self.engine, self.events, self.telemetry)
        self.asking = Asking(*humans, now=now)
        self.decide = Decide(*humans, now=now)
        self.deliver = Deliver(
            self.runs,
            self.sessions,
            self.approvals,
            self.events,
            self.telemetry,
            now=now,
            ledger=self.ledger,
            catalog=catalog,
        )

    def begin(self, message: str = "What is 2 + 2?", *, agent: str = "assistant", **values: Any) -> Run:
        """Start a run and recall for it, as the first state does."""
        key = values.pop("idempotency_key", None)
        request = RunRequest(agent=agent, message=message, **values)
        run = self.start(TENANT, request, trigger="api", idempotency_key=key)
        manifest = Manifest(epoch_first_seq=0, request_seq=run.request_seq, passages=0, estimated_tokens=10)
        return self.runs.set_manifest(TENANT, run.run_id, manifest)

    def turn(self, run: Run, step: int = 1, *, retry: int = 0) -> Decision:
        """Think once."""
        turn = TurnInput(
            tenant_id=TENANT, run_id=run.run_id, session_id=run.session_id, agent=run.agent, step=step, retry=retry
        )
        return self.think(turn, deadline=self.clock().timestamp() + 60)

    def act(self, run: Run, decision: Decision, work: Callable[[str, dict[str, Any]], str] | None = None) -> None:
        """Run a decision's calls, as the Act state does."""
        for reference in decision.calls:
            call = self.runs.get_call(TENANT, run.run_id, decision.step, reference.index)
            result = work(call.tool, call.arguments) if work else "4"
            ended = {"status": CallStatus.SUCCEEDED, "result": result, "ended_at": self.clock()}
            self.runs.save_call(call.model_copy(update=ended | {"started_at": self.clock()}))

    def words(self, session_id: str) -> list[str]:
        """Return the words of a session's messages."""
        head = self.sessions.get(TENANT, session_id)
        assert head is not None
        return [one.message.text for one in self.sessions.read(TENANT, session_id, 0, head.length - 1)]

    def message_ids(self, session_id: str) -> list[str]:
        """Return the ids of a session's messages, without the run."""
        head = self.sessions.get(TENANT, session_id)
        assert head is not None
        stored = self.sessions.read(TENANT, session_id, 0, head.length - 1)
        return ["_".join(one.message.message_id.split("_")[-2:]) for one in stored]


def triggered(world: World, effects: MemoryEffects | None = None) -> Triggered:
    """Return what handles the messages of the runs queue, over a world's services."""
    effects = effects or MemoryEffects()
    redrive = Redrive(world.catalog, world.runs, world.sessions, effects, world.start, world.engine, now=world.clock)
    return Triggered(world.start, redrive, world.deliver, world.runs, world.telemetry)
