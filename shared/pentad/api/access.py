"""What a caller may reach: one rule for each kind of thing, applied before a route's function runs (docs/security.md).

Every route of `pentad.api.routes.ROUTES` says what it names, and so which rule holds for it. What a caller may not
reach does not exist for it: the answer is that of an unknown id.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from pydantic import ValidationError

from pentad.api.documents import DocumentRequest, check_upload
from pentad.api.identity.caller import REPLACE, Caller
from pentad.api.routes import Access
from pentad.api.views.lifecycle import UndoRequest
from pentad.domain.declarations.agents import Catalog
from pentad.domain.errors import InvalidInput, NotFound, PolicyDenied
from pentad.domain.ids import approval_id, check_id, parse_approval_id, parse_review_id, parse_undo_token
from pentad.domain.knowledge import find_owner
from pentad.domain.reading.json_text import read_json
from pentad.domain.runs import Run
from pentad.domain.values import FrozenValue
from pentad.memory.remember.ports import Progress
from pentad.memory.sessions.ports import SessionStore
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.lifecycle.start import RunRequest, to_invalid_input
from pentad.orchestration.runs.ports import RunStore
from pentad.orchestration.timetravel.fork_request import ForkRequest
from pentad.orchestration.unwinding.effects import RunEffect

B = TypeVar("B", bound=FrozenValue)


class Asked(NamedTuple):
    """What a request names: the parameters of its path, and the request itself for its body."""

    names: Mapping[str, str]
    event: APIGatewayProxyEventV2


@dataclass(frozen=True)
class AccessRules:
    """The rules.

    Attributes:
        catalog: says which group an agent asks.
        runs: the store of runs.
        sessions: the store of sessions.
        progress: which sessions were deleted, with something of them left.
        approvals: the store of approvals.
    """

    catalog: Catalog
    runs: RunStore
    sessions: SessionStore
    progress: Progress
    approvals: ApprovalStore

    def check(self, caller: Caller, access: Access, names: Mapping[str, str], event: APIGatewayProxyEventV2) -> None:
        """Return if the caller may reach what a request names.

        Args:
            caller: who asks.
            access: what the route names.
            names: the parameters of the path.
            event: the request; its body is read as the route's function will read it.

        Raises:
            NotFound: there is no such thing for this caller.
            PolicyDenied: the caller may see it, and not do this.
            InvalidInput: the body names nothing that can be looked for.
            StoreUnavailable: a store did not answer.
        """
        _RULES[access](self, caller, Asked(names, event))

    def _check_run(self, caller: Caller, asked: Asked) -> None:
        if caller.reach is not None and not caller.may_reach(self._get_run(caller, asked.names["run"], "run").user_id):
            raise _make_unknown("run")

    def _check_fork(self, caller: Caller, asked: Asked) -> None:
        self._check_run(caller, asked)
        wanted = _read(ForkRequest, asked)
        if wanted.prompt is not None or wanted.tool_results:
            # What the model is told that a tool said, it believes: to say it is a right of its own.
            caller.check_scope(REPLACE)

    def _check_session(self, caller: Caller, asked: Asked) -> None:
        if caller.reach is None:
            return
        try:
            session_id = check_id("session", asked.names["session"])
        except InvalidInput as error:
            raise _make_unknown("session") from error
        # Of one that was deleted there may be something left, which its user may delete.
        head = self.sessions.get(caller.tenant_id, session_id) or self.progress.find_deleted(
            caller.tenant_id, session_id
        )
        if head is None or not caller.may_reach(head.user_id):
            raise _make_unknown("session")

    def _check_start(self, caller: Caller, asked: Asked) -> None:
        if caller.reach is None:
            return
        session_id = _read(RunRequest, asked).session_id
        head = None if session_id is None else self.sessions.get(caller.tenant_id, session_id)
        if head is not None and not caller.may_reach(head.user_id):
            raise _make_unknown("session")

    def _check_approval(self, caller: Caller, asked: Asked) -> None:
        if caller.reach is None:
            return
        name = asked.names["approval"]
        try:
            run_id, _ = parse_approval_id(name)
        except InvalidInput as error:
            raise _make_unknown("approval") from error
        if caller.may_reach(self._get_run(caller, run_id, "approval").user_id):
            return
        try:
            group = self.approvals.get(caller.tenant_id, name).group
        except NotFound as error:
            raise _make_unknown("approval") from error
        if not caller.is_in(group):
            raise _make_unknown("approval")

    def _check_review(self, caller: Caller, asked: Asked) -> None:
        if caller.reach is not None:
            self._find_group_of_review(caller, asked)

    def _check_verdict(self, caller: Caller, asked: Asked) -> None:
        _check_group(caller, self._find_group_of_review(caller, asked))

    def _find_group_of_review(self, caller: Caller, asked: Asked) -> str:
        """Return the group that answers for what is reviewed.

        Raises:
            NotFound: there is no such review for this caller.
        """
        try:
            run_id, _, _ = parse_review_id(asked.names["review"])
        except InvalidInput as error:
            raise _make_unknown("review") from error
        run = self._get_run(caller, run_id, "review")
        group = self.catalog.find_group(run.agent)
        if not caller.may_reach(run.user_id) and not caller.is_in(group):
            raise _make_unknown("review")
        return group

    def _check_call(self, caller: Caller, asked: Asked) -> None:
        run_id, step, _ = parse_undo_token(_read(UndoRequest, asked).undo_token)
        run = self._get_run(caller, run_id, "undo_token")
        group = self.find_group_of_call(caller.tenant_id, run.agent, run_id, step)
        if not caller.may_reach(run.user_id) and not caller.is_in(group):
            raise _make_unknown("undo_token")
        _check_group(caller, group)

    def find_group_of_call(self, tenant_id: str, agent: str, run_id: str, step: int) -> str:
        """Return the group that decides of a call: the one that its approval asks, else its step's or its agent's.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        try:
            return self.approvals.get(tenant_id, approval_id(run_id, step)).group
        except NotFound:
            return self.catalog.find_group_of_call(agent, step)  # It needed no approval.

    def _check_effects(self, caller: Caller, asked: Asked) -> None:
        self._find_group_of_run(caller, asked)

    def _check_unwind(self, caller: Caller, asked: Asked) -> None:
        """Ask for the run's own group. Of each call its own is asked, by `explain_group`."""
        _check_group(caller, self._find_group_of_run(caller, asked))

    def _find_group_of_run(self, caller: Caller, asked: Asked) -> str:
        """Return the group that answers for a run.

        Raises:
            NotFound: there is no such run for this caller.
        """
        run = self._get_run(caller, asked.names["run"], "run")
        group = self.catalog.find_group(run.agent)
        if not caller.may_reach(run.user_id) and not caller.is_in(group):
            raise _make_unknown("run")
        return group

    def explain_group(self, caller: Caller, effect: RunEffect) -> str | None:
        """Return why a caller may not undo one effect of a run that it may undo, or None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        group = self.find_group_of_call(caller.tenant_id, effect.agent, effect.run_id, effect.step)
        return (
            None
            if caller.is_in(group)
            else f"only the group '{group}' can undo it, and your credential does not belong to it"
        )

    def _get_run(self, caller: Caller, run_id: str, field: str) -> Run:
        try:
            return self.runs.get(caller.tenant_id, check_id("run", run_id))
        except (NotFound, InvalidInput) as error:
            raise _make_unknown(field) from error

    def _check_document(self, caller: Caller, asked: Asked) -> None:
        name = unicodedata.normalize("NFC", asked.names["document"])
        if caller.reach is not None and find_owner(name) != caller.reach:
            raise _make_unknown("document")

    def _check_upload(self, caller: Caller, asked: Asked) -> None:
        if caller.reach is not None:
            check_upload(caller, _read(DocumentRequest, asked).name)

    def _check_memory(self, caller: Caller, asked: Asked) -> None:
        try:
            user_id = check_id("user", asked.names["user"])
        except InvalidInput as error:
            raise _make_unknown("user") from error
        if not caller.may_reach(user_id):
            raise _make_unknown("user")

    def _check_nothing(self, caller: Caller, asked: Asked) -> None:
        """Let it through: it names nothing."""


_RULES: Mapping[Access, Callable[[AccessRules, Caller, Asked], None]] = {
    Access.RUN: AccessRules._check_run,
    Access.FORK: AccessRules._check_fork,
    Access.SESSION: AccessRules._check_session,
    Access.START: AccessRules._check_start,
    Access.APPROVAL: AccessRules._check_approval,
    Access.REVIEW: AccessRules._check_review,
    Access.VERDICT: AccessRules._check_verdict,
    Access.CALL: AccessRules._check_call,
    Access.EFFECTS: AccessRules._check_effects,
    Access.UNWIND: AccessRules._check_unwind,
    Access.DOCUMENT: AccessRules._check_document,
    Access.UPLOAD: AccessRules._check_upload,
    Access.MEMORY: AccessRules._check_memory,
    Access.OWN: AccessRules._check_nothing,
    Access.DEPLOYMENT: AccessRules._check_nothing,
}
"""One rule for each kind: a kind without one lets nothing through (KeyError)."""


def _check_group(caller: Caller, group: str) -> None:
    if not caller.is_in(group):
        raise PolicyDenied(
            f"only the group '{group}' can do this, and your credential does not belong to it",
            field="group",
            fix=f"use a credential of the group '{group}'",
        )


def _make_unknown(kind: str) -> NotFound:
    return NotFound(f"no such {kind.replace('_', ' ')}", field=kind)


def _read(kind: type[B], asked: Asked) -> B:
    """Return the body as the route's function will read it: Powertools reads the text in the same way.

    Raises:
        InvalidInput: it is not one.
    """
    try:
        return kind.model_validate(read_json(asked.event.body or ""))
    except ValidationError as error:
        raise to_invalid_input(error) from error
    except ValueError as error:
        raise InvalidInput("the body is not valid JSON", field="body", fix="send one JSON object") from error
