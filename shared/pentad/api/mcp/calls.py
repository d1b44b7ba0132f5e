"""Calls of served tools: each is a run of its own, found again by the same request, waited for, and told of."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import ValidationError

from pentad.api.found import FindRun
from pentad.api.identity.caller import Caller
from pentad.api.mcp.humans import HumanInput
from pentad.api.mcp.listing import AGENT_SCHEMA, Listing
from pentad.api.mcp.protocol import INVALID_PARAMS, McpFault, McpRequest
from pentad.api.mcp.states import build_result, build_task
from pentad.api.views.waiting import RunWaiter, is_settled
from pentad.domain.canonical import canonical_json, sha256_of
from pentad.domain.declarations.agents import Catalog
from pentad.domain.declarations.serving import ServedSpec
from pentad.domain.errors import InvalidInput, InvalidTransition, NotFound
from pentad.domain.ids import check_id
from pentad.domain.runs import Actor, Run, RunStatus, ToolCall
from pentad.orchestration.lifecycle.cancel import CancelRun
from pentad.orchestration.lifecycle.start import MESSAGE_CHARACTERS, RunRequest, StartRun, to_invalid_input
from pentad.orchestration.runs.run_ids import derive_run_id
from pentad.tools.results.handles import CallPlace, parse_handle
from pentad.tools.results.read import ReadResults, parse_query
from pentad.tools.runtime.sanitise import Cleaner

Json = dict[str, Any]
TRIGGER: Literal["api"] = "api"
WINDOW_SECONDS = 60
_UNIQUE_CHARACTERS = 16
"""An id that a client has made at random is at least so long; a shorter one is a count, which begins anew."""
_CALL = (1, 0)
"""A served tool's workflow has one step, which is one call."""


@dataclass(frozen=True)
class McpCalls:
    """Starts and follows the runs of calls.

    Attributes:
        catalog: agents, workflows and tools.
        listing: what is served.
        start: starts runs.
        waiting: waits for a run's end.
        find: finds runs.
        cancel_run: cancels runs.
        humans: asks a client's human.
        now: the clock.
        results: reads whole results that were shown in part; None where nothing is kept.
    """

    catalog: Catalog
    listing: Listing
    start: StartRun
    waiting: RunWaiter
    find: FindRun
    cancel_run: CancelRun
    humans: HumanInput
    now: Callable[[], datetime]
    results: ReadResults | None = None

    def begin(self, caller: Caller, asked: McpRequest, *, key: str | None, traceparent: str | None) -> Run:
        """Return the run of a call: a new one, or the one that this same request has started.

        Args:
            caller: who calls.
            asked: the request ``tools/call``.
            key: the header Idempotency-Key.
            traceparent: the caller's span.

        Raises:
            McpFault: there is no such tool, or its arguments are no object.
            InvalidInput: an agent does not take these arguments.
            PolicyDenied: the caller may not start runs, or an operator has switched this off.
            SessionBusy: another run of the conversation has not ended.
            PentadError: what starting a run raises.
        """
        served = self.listing.get(asked.params.get("name"))
        arguments = asked.params.get("arguments", {})
        if not isinstance(arguments, dict):
            raise McpFault(INVALID_PARAMS, "arguments must be an object")
        caller.check_scope("runs:write")
        request = _build_request(served, arguments, caller.resolve_user(None))
        requester = caller.to_actor(self.now())
        name = self._name_request(caller.tenant_id, requester, asked, served, arguments, key)
        return self.start(
            caller.tenant_id,
            request,
            trigger=TRIGGER,
            requester=requester,
            idempotency_key=name,
            traceparent=traceparent,
        )

    def wait(self, run: Run, seconds: float) -> Run:
        """Return a run as it is once it is settled, or when the time is over."""
        return self.waiting(run, seconds)

    def get_run(self, caller: Caller, run_id: object) -> Run:
        """Return the run of an earlier call.

        Raises:
            McpFault: there is none for this caller.
        """
        try:
            run = self.find(caller.tenant_id, check_id("run", str(run_id)))
        except (NotFound, InvalidInput):
            raise _make_unknown() from None
        if run.agent not in self.listing.agents or not caller.may_reach(run.user_id):
            raise _make_unknown()
        return run

    def find_wait(self, caller: Caller, run: Run) -> tuple[Json, str | None]:
        """Return what a run's caller is asked, and the group that is asked; nothing where it waits for nobody."""
        status, approval = self.waiting.waits.find(run)
        if status is not RunStatus.AWAITING_HUMAN or approval is None:
            return {}, None
        return self.humans.build_requests(caller, approval), self.humans.find_group(caller, approval)

    def is_settled(self, run: Run) -> bool:
        """Tell whether a run has ended, or waits for a human."""
        return is_settled(self.waiting.waits.find(run)[0])

    def build_result(self, run: Run) -> Json:
        """Return what ``tools/call`` answers for a run that has ended."""
        return build_result(run, self._find_call(run))

    def read_on(self, caller: Caller, arguments: Json) -> str:
        """Return a part of the whole result of an earlier call of a served tool.

        Args:
            caller: who asks.
            arguments: those of `read_result`, and the run's id.

        Raises:
            InvalidInput: an argument is not valid.
            NotFound: the caller has no such call, or its whole result is not kept.
            StoreUnavailable: a store did not answer.
        """
        query = parse_query({name: value for name, value in arguments.items() if name != "run_id"})
        try:
            run = self.get_run(caller, arguments.get("run_id"))
        except McpFault:
            run = None
        call = None if run is None else self._find_call(run)
        if call is None or parse_handle(call.tenant_id, call.run_id, query.handle) != CallPlace(call.step, call.index):
            fix = "copy run_id and handle from where the result was cut"
            raise NotFound("no call of yours has such a result", field="handle", fix=fix)
        if self.results is None:
            raise NotFound("whole results are not kept here", field="handle")
        spec = self.catalog.tools.get(call.tool)
        clean = Cleaner(() if spec is None else spec.safe_output).clean
        return self.results.read(query, call.tenant_id, call.run_id, CallPlace(call.step, call.index), clean)

    def build_task(self, caller: Caller, run: Run, *, forms: bool) -> Json:
        """Return a run as a task.

        Args:
            caller: who asks.
            run: the run.
            forms: the client can show forms to its human.
        """
        inputs, group = self.find_wait(caller, run)
        spec = self.catalog.agents.get(run.agent) or self.catalog.workflows[run.agent]
        result = self.build_result(run) if run.status.ended else None
        return build_task(run, spec.session_days, inputs=inputs if forms else None, group=group, result=result)

    def decide(self, caller: Caller, run: Run, responses: object) -> None:
        """Take what the client's human has said; see `HumanInput.take`."""
        children = self.find.runs.list_children(run.tenant_id, run.run_id)
        self.humans.take(caller, frozenset({run.run_id, *children}), responses)

    def cancel(self, caller: Caller, run: Run) -> Run:
        """Return a run, cancelled; one that has ended is as it was."""
        try:
            return self.cancel_run(run.tenant_id, run.run_id, by=caller.name)
        except InvalidTransition:
            return self.find(run.tenant_id, run.run_id)

    def _find_call(self, run: Run) -> ToolCall | None:
        if not any(one.kind == "tool" and one.runs == run.agent for one in self.catalog.served):
            return None
        try:
            return self.find.runs.get_call(run.tenant_id, run.run_id, *_CALL)
        except NotFound:
            return None

    def _name_request(
        self, tenant_id: str, requester: Actor, asked: McpRequest, served: ServedSpec, arguments: Json, key: str | None
    ) -> str:
        """Return the key of a call, so that it runs once however often it is delivered.

        A header of the client's names it. So does an id within a session, which that revision keeps unique, and an id
        that is long enough to be random. Any other id is a count that each client begins anew: with the same tool,
        arguments and client it is the same call for a minute.
        """
        if key is not None:
            return f"mcp-{check_id('idempotency_key', key)}"[:255]
        if asked.session is not None:
            return f"mcp-{sha256_of(['session', asked.session, asked.request_id])}"
        if isinstance(asked.request_id, str) and len(asked.request_id) >= _UNIQUE_CHARACTERS:
            return f"mcp-{sha256_of(['id', asked.request_id])}"
        parts = ["count", asked.request_id, served.name, arguments, asked.client]
        window = int(self.now().timestamp()) // WINDOW_SECONDS
        before = f"mcp-{sha256_of([*parts, window - 1])}"
        if self._is_recent(tenant_id, derive_run_id(tenant_id, TRIGGER, requester, before)):
            return before
        return f"mcp-{sha256_of([*parts, window])}"

    def _is_recent(self, tenant_id: str, run_id: str) -> bool:
        try:
            found = self.find.runs.get(tenant_id, run_id)
        except NotFound:
            return False
        return self.now() - found.created_at < timedelta(seconds=WINDOW_SECONDS)


def _build_request(served: ServedSpec, arguments: Json, user_id: str | None) -> RunRequest:
    """Return the run that a call asks for.

    Raises:
        InvalidInput: an argument is missing, unknown or not well formed; its value is not told.
    """
    if served.kind == "tool":
        message = canonical_json(arguments)
        if len(message) > MESSAGE_CHARACTERS:
            raise InvalidInput(
                f"the arguments have more than {MESSAGE_CHARACTERS:,} characters", field="arguments", fix="send less"
            )
        return RunRequest(agent=served.runs, message=message, user_id=user_id)
    known = AGENT_SCHEMA["properties"]
    if not set(arguments) <= set(known):
        raise InvalidInput("there is an argument that this tool does not have", fix=f"use {', '.join(known)}")
    try:
        fields = {"message": arguments.get("message"), "session_id": arguments.get("session_id")}
        return RunRequest.model_validate({"agent": served.runs, "user_id": user_id, **fields})
    except ValidationError as error:
        raise to_invalid_input(error) from error


def _make_unknown() -> McpFault:
    return McpFault(INVALID_PARAMS, "no such task: it is another's, or is not kept any more")
