"""``/v1/memory``: what is remembered of a user."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import AwareDatetime, Field

from pentad.api.identity.caller import Caller
from pentad.api.routers.serve import Cursor, serve
from pentad.api.views.cursors import parse_cursor
from pentad.api.views.view import View
from pentad.domain.memories.facts import FACT_CHARACTERS, Fact, FactEvidence, FactKind, FactSource, LearnedRange
from pentad.domain.values import FrozenValue
from pentad.memory.facts.manage import ManageFacts

UserPath = Annotated[str, Path(description="the user's id")]
FactPath = Annotated[str, Path(description="the fact's id")]


class FactView(View):
    """One thing that is remembered of a user."""

    fact: str
    user: str
    kind: FactKind
    subject: str
    text: str
    current: bool = Field(description="it holds now: nothing was said in its place and it has not expired")
    doubt: str | None = Field(description="why it is kept and not used")
    evidence: tuple[FactEvidence, ...] = Field(description="where it was said; none of what was edited in by hand")
    valid_from: datetime
    invalid_from: datetime | None
    learned_at: datetime
    edited_at: datetime | None
    expires_at: datetime | None
    source: FactSource
    confidence: float
    supersedes: str | None
    superseded_by: str | None
    recipe: str = Field(description="the version of the extraction that found it")


class FactPage(View):
    """What is remembered of a user, the newest first."""

    items: tuple[FactView, ...]
    cursor: str | None
    left_out: int = Field(description="facts that the bound of facts of a user has pushed out or refused, ever")
    forgotten: int = Field(description="facts that were forgotten; their places are kept, their words are not")


class GateVerdictPage(View):
    """What was read of a user's sessions, and what the write gate said of each candidate."""

    items: tuple[LearnedRange, ...]
    cursor: str | None


class FactEdit(FrozenValue):
    """The body of ``PATCH /v1/memory/{user}/facts/{fact}``."""

    text: str | None = Field(default=None, min_length=1, max_length=FACT_CHARACTERS, description="what it is to say")
    expires_at: AwareDatetime | None = Field(default=None, description="when it is no longer of use")


class FactForgotten(View):
    """What was forgotten: the fact, and those that it took the place of."""

    facts: tuple[str, ...]


def build_fact_view(fact: Fact, now: datetime) -> FactView:
    """Return the view of a fact."""
    hidden = {"tenant_id", "user_id", "fact_id", "value", "single", "replaced_value"}
    fields = fact.model_dump(exclude=hidden, by_alias=False)
    return FactView(fact=fact.fact_id, user=fact.user_id, current=fact.is_current(now), **fields)


@dataclass(frozen=True)
class MemoryRoutes:
    """Shows, edits and forgets what is remembered of a user.

    Attributes:
        facts: reads and changes facts.
        now: the clock.
    """

    facts: ManageFacts
    now: Callable[[], datetime]

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""
        self._register_lists(app, caller)
        self._register_facts(app, caller)

    def _register_lists(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        @serve(app, summary="List what is remembered of a user, the newest first")
        def list_memory(
            user: UserPath,
            history: Annotated[bool, Query(description="with what no longer holds")] = False,
            limit: Annotated[int, Query(ge=1, le=100)] = 50,
            cursor: Cursor = None,
        ) -> FactPage:
            book, now, first = self.facts.read(caller().tenant_id, user), self.now(), parse_cursor(cursor)
            shown = [fact for fact in book.facts if history or fact.is_current(now)]
            shown.sort(key=lambda fact: (fact.valid_from, fact.fact_id), reverse=True)
            end = first + limit
            return FactPage(
                items=tuple(build_fact_view(fact, now) for fact in shown[first:end]),
                cursor=str(end) if end < len(shown) else None,
                left_out=book.left_out,
                forgotten=len(book.forgotten),
            )

        @serve(app, summary="List what the write gate kept and refused")
        def list_decisions(
            user: UserPath,
            limit: Annotated[int, Query(ge=1, le=100)] = 50,
            cursor: Cursor = None,
        ) -> GateVerdictPage:
            page = self.facts.list_learned(caller().tenant_id, user, limit=limit, cursor=cursor)
            return GateVerdictPage(items=page.items, cursor=page.cursor)

    def _register_facts(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        @serve(app, summary="Read a fact with its evidence")
        def get_fact(user: UserPath, fact: FactPath) -> FactView:
            return build_fact_view(self.facts.get(caller().tenant_id, user, fact), self.now())

        @serve(app, summary="Edit a fact")
        def edit_fact(user: UserPath, fact: FactPath, request: Annotated[FactEdit, Body()]) -> FactView:
            """What it said before stays as history. The same edit again changes nothing."""
            edited = self.facts.edit(caller().tenant_id, user, fact, text=request.text, expires_at=request.expires_at)
            return build_fact_view(edited, self.now())

        @serve(app, summary="Forget a fact")
        def forget_fact(user: UserPath, fact: FactPath) -> FactForgotten:
            """It goes with all that it took the place of, and is not learned again from the same words."""
            return FactForgotten(facts=self.facts.forget(caller().tenant_id, user, fact))
