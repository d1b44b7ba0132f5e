"""A small world around the tool runner: runs with calls in memory, a clock by hand, crashes on demand."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pentad.domain.canonical import arguments_hash
from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.errors import InvalidTransition, NotFound, ToolBusy
from pentad.domain.runs import CallStatus, Run, RunStatus, ToolCall
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.tools.declare.context import ToolContext
from pentad.tools.declare.declare import Tool
from pentad.tools.files.adapters.files_memory import MemoryFiles
from pentad.tools.records.adapters.records_memory import MemoryRecords
from pentad.tools.runtime.adapters.audit_memory import MemoryAudit
from pentad.tools.runtime.adapters.effects_memory import MemoryEffects
from pentad.tools.runtime.adapters.functions_memory import MemoryFunctions
from pentad.tools.runtime.one_by_one import OneByOne
from pentad.tools.runtime.runner import Invocation, ToolRunner

RUN = "run_" + "0" * 26
START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
OPEN = {CallStatus.PENDING, CallStatus.AWAITING, CallStatus.APPROVED}


class Crash(BaseException):
    """The process dies here: nothing may catch it."""


class CallsInMemory:
    """The part of the run store that the runner needs."""

    def __init__(self) -> None:
        self.runs: dict[tuple[str, str], Run] = {}
        self.stored: dict[tuple[str, str, int, int], ToolCall] = {}

    def get(self, tenant_id: str, run_id: str) -> Run:
        try:
            return self.runs[tenant_id, run_id]
        except KeyError as error:
            raise NotFound("no such run") from error

    def get_call_and_run(self, tenant_id: str, run_id: str, step: int, index: int) -> tuple[ToolCall, Run]:
        return self.get_call(tenant_id, run_id, step, index), self.get(tenant_id, run_id)

    def get_call(self, tenant_id: str, run_id: str, step: int, index: int) -> ToolCall:
        try:
            return self.stored[tenant_id, run_id, step, index]
        except KeyError as error:
            raise NotFound("no such call") from error

    def save_call(self, call: ToolCall) -> None:
        place = (call.tenant_id, call.run_id, call.step, call.index)
        current = self.stored[place].status
        if current not in OPEN and (current, call.status) != (CallStatus.SUCCEEDED, CallStatus.UNDONE):
            if current is not call.status:
                raise InvalidTransition(f"the call is {current} already")
            return
        self.stored[place] = call


class Crashing:
    """Wraps a store; the process dies right after (or before) the named write, once; ``skip`` writes pass before."""

    def __init__(self, store: Any, method: str, *, before: bool = False, skip: int = 0) -> None:
        self._store = store
        self._method = method
        self._before = before
        self._armed = True
        self._skip = skip

    def __getattr__(self, name: str) -> Any:
        target = getattr(self._store, name)
        if name != self._method:
            return target

        def dying(*args: Any, **kwargs: Any) -> Any:
            if self._skip:
                self._skip -= 1
                return target(*args, **kwargs)
            armed, self._armed = self._armed, False
            if armed and self._before:
                raise Crash
            result = target(*args, **kwargs)
            if armed:
                raise Crash
            return result

        return dying


class Roomless:
    """The tools' functions, while Lambda has no room for them: calls reach none."""

    def __init__(self, functions: Any, world: "World") -> None:
        self._functions = functions
        self._world = world

    def call(self, tool: str, handed: Any, *, function: str | None) -> Any:
        if self._world.refusals:
            self._world.refusals -= 1
            raise ToolBusy("no room")
        return self._functions.call(tool, handed, function=function)


@dataclass
class World:
    """Everything the tool runner is wired to, and the tool's function, in memory."""

    tool: Tool[Any, Any]
    calls: Any = field(default_factory=CallsInMemory)
    effects: Any = field(default_factory=MemoryEffects)
    audit: Any = field(default_factory=MemoryAudit)
    records: MemoryRecords = field(default_factory=MemoryRecords)
    files: Any = field(default_factory=MemoryFiles)
    telemetry: MemoryTelemetry = field(default_factory=MemoryTelemetry)
    moment: datetime = START
    agent_tools: tuple[str, ...] | None = None
    invocations: int = 0
    gate: Any = None
    admission: Any = None
    policy: PolicySpec = field(default_factory=PolicySpec)
    left: float = 30.0
    settings: Any = None
    secrets: Any = None
    outside: Any = None
    refusals: int = 0
    """So many calls of the tool's function Lambda refuses yet."""

    def now(self) -> datetime:
        self.moment += timedelta(milliseconds=5)
        return self.moment

    def add_call(
        self,
        arguments: dict[str, Any],
        *,
        status: CallStatus | None = None,
        index: int = 0,
        tool: str | None = None,
        run_status: RunStatus = RunStatus.RUNNING,
        stored_hash: str | None = None,
    ) -> None:
        self.calls.runs["acme", RUN] = Run(
            tenant_id="acme",
            run_id=RUN,
            agent="helper",
            session_id="s1",
            user_id="ada",
            status=run_status,
            trigger="api",
            created_at=START,
            updated_at=START,
            ended_at=START if run_status.ended else None,
            request_seq=0,
            request_hash="x",
        )
        needed = CallStatus.APPROVED if self.tool.spec.approval == "always" else CallStatus.PENDING
        self.calls.stored["acme", RUN, 1, index] = ToolCall(
            tenant_id="acme",
            run_id=RUN,
            step=1,
            index=index,
            call_id=f"call_{index}",
            tool=tool or self.tool.name,
            arguments=arguments,
            arguments_hash=stored_hash or arguments_hash(arguments),
            status=status or needed,
        )

    @property
    def call(self) -> ToolCall:
        stored: ToolCall = self.calls.get_call("acme", RUN, 1, 0)
        return stored

    @property
    def result(self) -> Any:
        return json.loads(self.call.result or "null")

    @property
    def audited(self) -> list[tuple[str, str, str | None]]:
        """How tries ended, by the audit."""
        entries = self.audit.list_for_run("acme", RUN)
        return [(entry.action, entry.outcome, entry.error_type) for entry in entries if not entry.is_asked]

    @property
    def actions(self) -> list[str]:
        """All that the audit has, in order."""
        return [entry.action for entry in self.audit.list_for_run("acme", RUN)]

    def runtime(self, *, order: OneByOne | None = None) -> ToolRunner:
        tools = (self.tool.name,) if self.agent_tools is None else self.agent_tools
        agent = AgentSpec(name="helper", description="helps", prompt="help", tools=tools)
        functions = MemoryFunctions(
            {self.tool.name: self.tool},
            records=self.records.get_store,
            now=self.now,
            remaining_seconds=lambda: self.left,
            settings={} if self.settings is None else {self.tool.name: self.settings},
            secrets=self.secrets,
            outside=self.outside,
            files=self.files.get_store,
        )
        return ToolRunner(
            catalog=Catalog(agents={"helper": agent}, tools={self.tool.name: self.tool.spec}, policy=self.policy),
            runs=self.calls,
            effects=self.effects,
            audit=self.audit,
            functions=Roomless(functions, self),
            telemetry=self.telemetry,
            now=self.now,
            gate=self.gate,
            order=order,
            admission=self.admission,
        )

    def invocation(self) -> Invocation:
        self.invocations += 1
        return Invocation(request_id=f"request-{self.invocations}")

    def execute(self, *, agent: str = "helper", index: int = 0) -> dict[str, Any]:
        return self.runtime().execute("acme", RUN, agent, 1, index, invocation=self.invocation())

    def undo(self) -> dict[str, Any]:
        return self.runtime().undo("acme", RUN, 1, 0, invocation=self.invocation())


def context_for(
    records: MemoryRecords | None = None, *, effect_key: str = "k" * 64, now: Callable[[], datetime] = lambda: START
) -> ToolContext:
    """Return a context for calling a tool's function by itself."""
    return ToolContext(
        tenant="acme",
        run=RUN,
        session="s1",
        user="ada",
        step=1,
        index=0,
        effect_key=effect_key,
        now=now,
        remaining_seconds=lambda: 10.0,
        tables={"records": (records or MemoryRecords()).get_store("acme")},
    )
