"""``/v1/sessions``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from pentad.api.identity.caller import Caller
from pentad.api.routers.serve import Cursor, serve
from pentad.api.views.cursors import collect_page, parse_cursor
from pentad.api.views.views import (
    MessagePage,
    SessionDeleted,
    SessionPage,
    SessionView,
    build_message_view,
    build_session_view,
)
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.errors import InvalidInput, NotFound
from pentad.domain.ids import check_id
from pentad.memory.remember.ports import Progress
from pentad.memory.sessions.ports import Session, SessionStore
from pentad.memory.turns.ports import Owner
from pentad.memory.turns.said import Said
from pentad.orchestration.runs.ports import RunStore

SessionPath = Annotated[str, Path(description="the session's id")]


@dataclass(frozen=True)
class SessionRoutes:
    """Lists, shows and deletes sessions.

    Attributes:
        sessions: the store of sessions.
        runs: the store of runs, which hold sessions.
        said: what was said in the sessions of users.
        progress: which sessions were deleted, with what was said in them left.
        policy: says which links of agents' words may lead elsewhere; the default one where None.
    """

    sessions: SessionStore
    runs: RunStore
    said: Said
    progress: Progress
    policy: PolicySpec | None = None

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""
        self._register_list(app, caller)
        self._register_one(app, caller)

    def _register_list(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        @serve(app, summary="List sessions, the last used first")
        def list_sessions(
            limit: Annotated[int, Query(ge=1, le=100)] = 50,
            cursor: Cursor = None,
        ) -> SessionPage:
            who = caller()
            page = collect_page(
                lambda count, place: self.sessions.list_page(who.tenant_id, limit=count, cursor=place),
                lambda session: who.may_reach(session.user_id),
                limit=limit,
                cursor=cursor,
            )
            return SessionPage(items=tuple(build_session_view(session) for session in page.items), cursor=page.cursor)

    def _register_one(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        @serve(app, summary="Read a session")
        def get_session(session: SessionPath) -> SessionView:
            return build_session_view(self._find(caller().tenant_id, session))

        @serve(app, summary="Delete a session")
        def delete_session(session: SessionPath) -> SessionDeleted:
            """Its messages go, and what was said in it is recalled no more. A busy session is 409.

            Its runs stay, with their steps, answers and costs; so do facts that were learned from it.
            """
            who = caller()
            try:
                head = self._find(who.tenant_id, session)
                user_id = head.user_id
                self.runs.remove_session(head.tenant_id, head.session_id)
            except NotFound:
                # Deleted before, by a call that was cut off before what was said in it went.
                deleted = self.progress.find_deleted(who.tenant_id, session)
                if deleted is None or not who.may_reach(deleted.user_id):
                    raise
                user_id = deleted.user_id
            if user_id is not None:
                self.said.forget_session(Owner(who.tenant_id, user_id, session), session)
            self.progress.remove(who.tenant_id, session)
            return SessionDeleted(session=session)

        @serve(app, summary="Read a session's messages in order")
        def get_messages(
            session: SessionPath,
            limit: Annotated[int, Query(ge=1, le=100)] = 50,
            cursor: Cursor = None,
        ) -> MessagePage:
            head = self._find(caller().tenant_id, session)
            first = parse_cursor(cursor)
            stored = self.sessions.read(head.tenant_id, session, first, min(first + limit, head.length) - 1)
            end = first + limit
            own = tuple(one.message.text for one in stored if one.message.role == "user" and not one.message.step)
            items = tuple(build_message_view(one, self.policy, own) for one in stored)
            return MessagePage(items=items, cursor=str(end) if end < head.length else None)

    def _find(self, tenant_id: str, session_id: str) -> Session:
        try:
            found = self.sessions.get(tenant_id, check_id("session", session_id))
        except InvalidInput as error:
            raise NotFound("no such session", field="session", fix=error.fix) from error
        if found is None:
            raise NotFound("no such session", field="session")
        return found
