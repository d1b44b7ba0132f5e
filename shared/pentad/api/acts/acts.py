"""Who did what: an entry before a request is answered, so that nothing is done unseen, and one with what came of it."""

import hashlib
from collections.abc import Callable, Container, Mapping
from datetime import datetime

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from pentad.api.acts.mcp_runs import CALL_MCP, find_mcp_change
from pentad.api.acts.ports import MAX_TARGET, Act, ActLog
from pentad.api.acts.subjects import DOCUMENTS, MEMORY, SESSIONS, USERS
from pentad.api.documents import resolve_name
from pentad.api.identity.caller import ALL_GROUPS, Caller
from pentad.api.views.lifecycle import UndoRequest
from pentad.domain.errors import InvalidInput, NotFound, PentadError
from pentad.domain.ids import check_id, hash_user, parse_approval_id, parse_review_id, parse_undo_token
from pentad.memory.sessions.ports import SessionStore
from pentad.observability.ports import Telemetry
from pentad.orchestration.runs.ports import RunStore


def _find_run_of_undo(names: Mapping[str, str], event: APIGatewayProxyEventV2) -> str:
    return parse_undo_token(UndoRequest.model_validate_json(event.decoded_body or "").undo_token)[0]


_RUN_OF: Mapping[str, Callable[[Mapping[str, str], APIGatewayProxyEventV2], str]] = {
    "cancel_run": lambda names, _: check_id("run", names["run"]),
    "fork_run": lambda names, _: check_id("run", names["run"]),
    "give_feedback": lambda names, _: check_id("run", names["run"]),
    "undo": _find_run_of_undo,
    "undo_run": lambda names, _: check_id("run", names["run"]),
    "decide_approval": lambda names, _: parse_approval_id(names["approval"])[0],
    "close_review": lambda names, _: parse_review_id(names["review"])[0],
}
_DELETE_SESSION, _DELETE_DOCUMENT = "delete_session", "delete_document"
_OF_MEMORY = frozenset({"edit_fact", "forget_fact"})
_OF_USERS = frozenset({"erase_user", "verify_erasure"})
RECORDED = frozenset({*_RUN_OF, CALL_MCP, *_OF_MEMORY, *_OF_USERS, _DELETE_SESSION, _DELETE_DOCUMENT})
"""Routes by which people change what a run does or did, or what is kept; names of `pentad.api.routes.ROUTES`."""


class Acts:
    """Records what people do.

    Args:
        log: where.
        runs: the store of runs: what names none of the caller's tenant is not recorded, so that nobody fills the log.
        sessions: the store of sessions: the same.
        telemetry: logs what could not be recorded.
        now: the clock, UTC.
        knows_fact: tells by tenant, user and fact whether there is such a fact.
        served: agents and workflows whose runs MCP clients may change.
    """

    def __init__(
        self,
        log: ActLog,
        runs: RunStore,
        sessions: SessionStore,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
        knows_fact: Callable[[str, str, str], bool],
        served: Container[str] = (),
    ) -> None:
        self._log = log
        self._runs = runs
        self._sessions = sessions
        self._telemetry = telemetry
        self._now = now
        self._knows_fact = knows_fact
        self._served = served

    def begin(self, caller: Caller, route: str, names: Mapping[str, str], event: APIGatewayProxyEventV2) -> Act | None:
        """Record that a caller asks for something, and return the entry; None where the route is none to record.

        Args:
            caller: who asks; it may reach what it names.
            route: the route's name.
            names: the parameters of the path.
            event: the request.

        Raises:
            StoreUnavailable: it could not be recorded, and so must not be done.
        """
        if route not in RECORDED:
            return None
        try:
            subject, target = self._find_subject(caller, route, names, event)
        except (InvalidInput, NotFound, ValueError, RecursionError):
            return None  # it names nothing: its function refuses it
        act = Act(
            tenant_id=caller.tenant_id,
            subject=subject,
            name=route,
            target=target[:MAX_TARGET],
            stage="asked",
            body_hash=hashlib.sha256((event.decoded_body or "").encode("utf-8", "surrogatepass")).hexdigest(),
            actor=caller.to_actor(self._now()),
            groups=(ALL_GROUPS,) if caller.groups is None else tuple(sorted(caller.groups)),
            request_id=event.request_context.request_id[:100],
        )
        self._log.append(act)
        return act

    def _find_subject(
        self, caller: Caller, route: str, names: Mapping[str, str], event: APIGatewayProxyEventV2
    ) -> tuple[str, str]:
        """Return on what a request acts, and how the log names it.

        Raises:
            InvalidInput, NotFound, ValueError: on nothing of the caller's tenant.
        """
        if route == _DELETE_DOCUMENT:
            # Also where the registry has no such document: it may be uploaded and not read yet.
            return DOCUMENTS, resolve_name(names["document"])
        if route == _DELETE_SESSION:
            session_id = check_id("session", names["session"])
            if self._sessions.get(caller.tenant_id, session_id) is None:
                raise NotFound("no such session", field="session")
            return SESSIONS, session_id
        if route in _OF_USERS:
            # Also where nobody knows of such a user: what is left of one may be in a place of its own.
            return USERS, hash_user(check_id("user", names["user"]))
        if route in _OF_MEMORY:
            user_id, fact_id = names["user"], names["fact"]
            if not self._knows_fact(caller.tenant_id, user_id, fact_id):
                raise NotFound("no such fact", field="fact")
            return MEMORY, f"{hash_user(user_id)}/{fact_id}"
        if route == CALL_MCP:
            return self._find_run_of_mcp(caller, event.decoded_body or ""), event.raw_path
        return self._runs.get(caller.tenant_id, _RUN_OF[route](names, event)).run_id, event.raw_path

    def _find_run_of_mcp(self, caller: Caller, body: str) -> str:
        """Return the run that a client's message changes.

        Raises:
            InvalidInput, NotFound, ValueError: it changes none that this caller may change; the server refuses it.
        """
        change = find_mcp_change(body)
        run = self._runs.get(caller.tenant_id, change.run_id)
        if run.agent not in self._served or not caller.may_reach(run.user_id) or change.scope not in caller.scopes:
            raise NotFound("no such call", field="run")
        return run.run_id

    def end(self, act: Act, status: int) -> None:
        """Record what came of an act. What could not be is logged: that it was asked for is in the log already."""
        actor = act.actor.model_copy(update={"at": self._now()})
        try:
            self._log.append(act.model_copy(update={"stage": "ended", "status": status, "actor": actor}))
        except PentadError as error:
            self._telemetry.log_event("act.end_unrecorded", level="ERROR", act=act.name, error=error.message)
