"""Answer one message: the methods of both eras, over the same runs."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from pentad.api.identity.caller import Caller
from pentad.api.mcp.calls import McpCalls
from pentad.api.mcp.listing import TTL_MS, Listing
from pentad.api.mcp.protocol import (
    DENIED,
    HANDSHAKE,
    INTERNAL,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    MISSING_CAPABILITY,
    NOT_YET,
    SESSION,
    SUPPORTED,
    TASKS,
    THROTTLED,
    McpFault,
    McpRequest,
    decode_body,
    find_request_id,
    parse_request,
)
from pentad.api.mcp.states import RELATED, build_pending_result, build_session_task, build_text_result
from pentad.domain.declarations.serving import CHECK_RUN
from pentad.domain.errors import (
    IdempotencyConflict,
    InvalidInput,
    ModelThrottled,
    NotAuthenticated,
    NotFound,
    PentadError,
    PolicyDenied,
    SessionBusy,
    TransientError,
)
from pentad.domain.runs import Run
from pentad.tools.results.read import READ_RESULT

Json = dict[str, Any]
SERVER = {"name": "pentad", "title": "Pentad", "version": "1"}
_SERVER_INFO = "io.modelcontextprotocol/serverInfo"
_INSTRUCTIONS = (
    "Each tool is an agent, a workflow or a tool of this deployment. A call that takes long is a task, or names a "
    f"run_id with which {CHECK_RUN} tells what came of it. In a result that was cut, {READ_RESULT} reads on."
)
_TASK_SECONDS = 5.0
"""A client that takes tasks is given one as soon as a call takes longer than this."""
_ROUNDS = 6
"""So often a client that knows no tasks is asked to come again at once: each time it waits as long as a request may."""


@dataclass(frozen=True)
class McpAnswer:
    """An HTTP answer: JSON-RPC, or nothing for a notification."""

    status: int
    body: Json | None
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Terms:
    """What holds for one request.

    Attributes:
        caller: who asks.
        seconds: how long the answer may take.
        key: the header Idempotency-Key.
        traceparent: the caller's span.
    """

    caller: Caller
    seconds: float
    key: str | None = None
    traceparent: str | None = None


class McpService:
    """The server.

    Args:
        listing: what is served.
        calls: runs of calls.
        admit: lets a caller start something now, or raises `ModelThrottled`.
        origins: pages that may ask from a browser; others are refused.
    """

    def __init__(
        self, listing: Listing, calls: McpCalls, admit: Callable[[Caller], None], origins: frozenset[str] = frozenset()
    ) -> None:
        self._listing = listing
        self._calls = calls
        self._admit = admit
        self._origins = origins
        self._own = {CHECK_RUN: self._check_run, READ_RESULT: self._read_on}
        self._modern: dict[str, Callable[[McpRequest, Terms], Json]] = {
            "server/discover": self._discover,
            "tools/list": self._list_tools,
            "tools/call": self._call,
            "tasks/get": self._get_task,
            "tasks/update": self._update_task,
            "tasks/cancel": self._cancel_task,
        }
        self._sessions: dict[str, Callable[[McpRequest, Terms], Json]] = {
            "initialize": self._initialize,
            "ping": lambda asked, terms: {},
            "tools/list": self._list_tools,
            "tools/call": self._call,
            "tasks/get": self._get_session_task,
            "tasks/result": self._get_task_result,
            "tasks/cancel": self._cancel_session_task,
        }

    def __call__(self, body: str | None, headers: Mapping[str, str], terms: Terms) -> McpAnswer:
        """Return the answer to a message.

        Args:
            body: of the request.
            headers: by their names in lower case.
            terms: who asks, and how long it may take.
        """
        modern, request_id = True, None
        try:
            self._check_origin(headers.get("origin"))
            message = decode_body(body)
            request_id = find_request_id(message)
            asked = parse_request(message, headers)
            modern = asked.modern
            if asked.request_id is None:
                return McpAnswer(HTTPStatus.ACCEPTED, None, {})
            result = self._dispatch(asked, terms)
        except McpFault as fault:
            return _to_answer(fault, request_id, modern=modern)
        except PentadError as error:
            return _to_answer(to_fault(error), request_id, modern=modern)
        given = {SESSION: secrets.token_hex(16)} if asked.method == "initialize" else {}
        return McpAnswer(HTTPStatus.OK, {"jsonrpc": "2.0", "id": request_id, "result": result}, given)

    def _check_origin(self, origin: str | None) -> None:
        if origin is not None and origin not in self._origins:
            raise McpFault(DENIED, "this origin is not allowed: add it to the stage's cors_origins")

    def _dispatch(self, asked: McpRequest, terms: Terms) -> Json:
        found = (self._modern if asked.modern else self._sessions).get(asked.method)
        if found is None:
            raise McpFault(METHOD_NOT_FOUND, "this server does not have this method")
        result = found(asked, terms)
        if not asked.modern:
            return result
        meta = {**result.get("_meta", {}), _SERVER_INFO: SERVER}
        return {"resultType": "complete", **result, "_meta": meta}

    def _discover(self, asked: McpRequest, terms: Terms) -> Json:
        return {
            "supportedVersions": list(SUPPORTED),
            "capabilities": {"tools": {}, "extensions": {TASKS: {}}},
            "instructions": _INSTRUCTIONS,
            "ttlMs": TTL_MS,
            "cacheScope": "private",
        }

    def _initialize(self, asked: McpRequest, terms: Terms) -> Json:
        wanted = asked.params.get("protocolVersion")
        if not isinstance(wanted, str):
            raise McpFault(INVALID_PARAMS, "protocolVersion must be a text")
        return {
            "protocolVersion": wanted if wanted in HANDSHAKE else HANDSHAKE[0],
            "capabilities": {"tools": {}, "tasks": {"cancel": {}, "requests": {"tools": {"call": {}}}}},
            "serverInfo": SERVER,
            "instructions": _INSTRUCTIONS,
        }

    def _list_tools(self, asked: McpRequest, terms: Terms) -> Json:
        page = self._listing.list_page(asked.params.get("cursor"), tasks=not asked.modern)
        return page | {"ttlMs": TTL_MS, "cacheScope": "private"} if asked.modern else page

    def _call(self, asked: McpRequest, terms: Terms) -> Json:
        own = self._own.get(str(asked.params.get("name")))
        if own is not None:
            return own(asked, terms)
        state, rounds = _read_state(asked.params.get("requestState")) if asked.modern else (None, 0)
        if state is not None:
            run = self._resume(asked, terms, state)
        else:
            self._admit(terms.caller)
            try:
                run = self._calls.begin(terms.caller, asked, key=terms.key, traceparent=terms.traceparent)
            except IdempotencyConflict as error:
                raise McpFault(INVALID_REQUEST, "this id or key was used for another request: use a new one") from error
            except (InvalidInput, SessionBusy, PolicyDenied) as error:
                return build_text_result(_describe(error), is_error=True)
        if not asked.modern and isinstance(asked.params.get("task"), dict):
            return {"task": build_session_task(self._calls.build_task(terms.caller, run, forms=False))}
        run = self._calls.wait(run, min(terms.seconds, _TASK_SECONDS) if asked.takes_tasks else terms.seconds)
        return self._tell(asked, terms, run, rounds)

    def _tell(self, asked: McpRequest, terms: Terms, run: Run, rounds: int) -> Json:
        """Return what a call is answered once its run has ended, waits for a human, or takes too long."""
        if run.status.ended:
            return self._calls.build_result(run)
        if asked.takes_tasks:
            return {"resultType": "task", **_seed(self._calls.build_task(terms.caller, run, forms=asked.takes_forms))}
        inputs, group = self._calls.find_wait(terms.caller, run)
        if asked.modern and inputs and asked.takes_forms:
            return {"resultType": "input_required", "inputRequests": inputs, "requestState": f"{run.run_id}.0"}
        if asked.modern and group is None and rounds < _ROUNDS:
            return {"resultType": "input_required", "requestState": f"{run.run_id}.{rounds + 1}"}
        return build_pending_result(run, group, CHECK_RUN)

    def _resume(self, asked: McpRequest, terms: Terms, run_id: str) -> Run:
        run = self._calls.get_run(terms.caller, run_id)
        if self._listing.get(asked.params.get("name")).runs != run.agent:
            raise McpFault(INVALID_PARAMS, "requestState is that of another tool")
        if "inputResponses" in asked.params and not run.status.ended:
            self._calls.decide(terms.caller, run, asked.params["inputResponses"])
            run = self._calls.get_run(terms.caller, run_id)
        return run

    def _check_run(self, asked: McpRequest, terms: Terms) -> Json:
        arguments = asked.params.get("arguments")
        run_id = arguments.get("run_id") if isinstance(arguments, dict) else None
        try:
            run = self._calls.get_run(terms.caller, run_id)
        except McpFault:
            return build_text_result("run_id: no such call of yours", is_error=True)
        run = self._calls.wait(run, terms.seconds)
        if run.status.ended:
            return self._calls.build_result(run)
        return build_pending_result(run, self._calls.find_wait(terms.caller, run)[1], CHECK_RUN)

    def _read_on(self, asked: McpRequest, terms: Terms) -> Json:
        arguments = asked.params.get("arguments")
        if not isinstance(arguments, dict):
            raise McpFault(INVALID_PARAMS, "arguments must be an object")
        try:
            return build_text_result(self._calls.read_on(terms.caller, arguments))
        except (InvalidInput, NotFound) as error:
            return build_text_result(_describe(error), is_error=True)

    def _get_task(self, asked: McpRequest, terms: Terms) -> Json:
        _check_tasks(asked)
        run = self._calls.get_run(terms.caller, asked.params.get("taskId"))
        return self._calls.build_task(terms.caller, run, forms=asked.takes_forms)

    def _update_task(self, asked: McpRequest, terms: Terms) -> Json:
        _check_tasks(asked)
        run = self._calls.get_run(terms.caller, asked.params.get("taskId"))
        if not run.status.ended:
            self._calls.decide(terms.caller, run, asked.params.get("inputResponses"))
        return {}

    def _cancel_task(self, asked: McpRequest, terms: Terms) -> Json:
        _check_tasks(asked)
        terms.caller.check_scope("runs:write")
        self._calls.cancel(terms.caller, self._calls.get_run(terms.caller, asked.params.get("taskId")))
        return {}

    def _get_session_task(self, asked: McpRequest, terms: Terms) -> Json:
        run = self._calls.get_run(terms.caller, asked.params.get("taskId"))
        return build_session_task(self._calls.build_task(terms.caller, run, forms=False))

    def _get_task_result(self, asked: McpRequest, terms: Terms) -> Json:
        run = self._calls.wait(self._calls.get_run(terms.caller, asked.params.get("taskId")), terms.seconds)
        if not run.status.ended:
            raise McpFault(NOT_YET, "the task has not ended: ask again")
        result = self._calls.build_result(run)
        return result | {"_meta": {**result.get("_meta", {}), RELATED: {"taskId": run.run_id}}}

    def _cancel_session_task(self, asked: McpRequest, terms: Terms) -> Json:
        terms.caller.check_scope("runs:write")
        run = self._calls.get_run(terms.caller, asked.params.get("taskId"))
        if run.status.ended:
            raise McpFault(INVALID_PARAMS, "the task has ended: it can't be cancelled any more")
        ended = self._calls.cancel(terms.caller, run)
        return build_session_task(self._calls.build_task(terms.caller, ended, forms=False))


def _check_tasks(asked: McpRequest) -> None:
    if not asked.takes_tasks:
        needs: Json = {"requiredCapabilities": {"extensions": {TASKS: {}}}}
        raise McpFault(MISSING_CAPABILITY, "this method needs the tasks extension in the client's capabilities", needs)


def _seed(task: Json) -> Json:
    """Return the task that a call is answered with: what is asked follows with ``tasks/get``."""
    shown = {name: value for name, value in task.items() if name != "inputRequests"}
    return shown | {"status": "working"} if task["status"] == "input_required" else shown


def _read_state(state: object) -> tuple[str | None, int]:
    """Return the run that a client goes on with, and how often it has; the run's owner is checked where it is read."""
    if state is None:
        return None, 0
    run_id, _, rounds = str(state).partition(".")
    if not rounds.isdecimal() or len(rounds) > 2:
        raise McpFault(INVALID_PARAMS, "unknown requestState: send the one from the last answer")
    return run_id, int(rounds)


def _describe(error: PentadError) -> str:
    return f"{error.message}. Fix: {error.fix}" if error.fix else error.message


def to_fault(error: PentadError) -> McpFault:
    """Return one of our errors as the protocol's; one of the deployment tells nothing but where to look."""
    if isinstance(error, ModelThrottled):
        seconds = max(1, round(error.retry_after or 1))
        data = {"retryAfterSeconds": seconds}
        return McpFault(THROTTLED, _describe(error), data, headers={"Retry-After": str(seconds)})
    if isinstance(error, PolicyDenied | NotAuthenticated):
        return McpFault(DENIED, _describe(error))
    if isinstance(error, InvalidInput):
        return McpFault(INVALID_PARAMS, _describe(error))
    if isinstance(error, TransientError):
        return McpFault(INTERNAL, "a part of the service did not answer: the same request again is safe")
    return McpFault(INTERNAL, "internal error; the log has the details under the request's id")


def _to_answer(fault: McpFault, request_id: int | str | None, *, modern: bool) -> McpAnswer:
    return McpAnswer(fault.get_status(modern=modern), fault.to_body(request_id), fault.headers)


def with_no_store(answer: McpAnswer) -> McpAnswer:
    """Return an answer that no cache keeps."""
    return replace(answer, headers={"Cache-Control": "no-store", **answer.headers})


def dump_answer(body: Json | None) -> str:
    """Return the text of an answer's body."""
    return "" if body is None else json.dumps(body, separators=(",", ":"), ensure_ascii=False)
