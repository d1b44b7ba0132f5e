"""``/v1/cost``: what the tenant's model calls cost."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from pentad.api.identity.caller import Caller
from pentad.api.routers.serve import serve
from pentad.api.views.view import View
from pentad.domain.errors import InvalidInput, PolicyDenied
from pentad.domain.money import show
from pentad.models.ledger.ports import SpendReader
from pentad.models.ledger.spend import MAX_ROWS, OF_ONE_USER, By, Row, Spending, resolve_span

_DAY = {"format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
"""For the document: what does not fit is told in our words."""


class CostRow(View):
    """What one value of the dimension cost."""

    key: str
    attempts: int = Field(description="requests on the wire, failed ones included")
    tokens: int = Field(description="all tokens in and out")
    cost_nanousd: int = Field(description="nano-dollars: 1 USD is 1,000,000,000")
    estimated_nanousd: int = Field(description="of it estimated, since the provider did not say what was used")
    cost: str = Field(description="dollars for a reader")


class CostView(View):
    """What model calls cost over some days (UTC). The rows and ``others`` make up ``total``, which is the ledger's."""

    tenant: str
    by: str
    first: date
    last: date
    rows: tuple[CostRow, ...]
    others: CostRow | None = Field(description="what is in no row, where there are more than the limit")
    total: CostRow


@dataclass(frozen=True)
class CostRoutes:
    """Shows what model calls cost.

    Attributes:
        spend: reads the counters.
        now: the clock.
    """

    spend: SpendReader
    now: Callable[[], datetime]

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""

        @serve(app, summary="Read what model calls cost")
        def read_cost(
            by: Annotated[By, Query(description="what is added up")] = "day",
            first: Annotated[
                str | None, Query(alias="from", json_schema_extra=_DAY, description="the month's first day by default")
            ] = None,
            last: Annotated[
                str | None, Query(alias="to", json_schema_extra=_DAY, description="included; today by default")
            ] = None,
            limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
        ) -> CostView:
            who = caller()
            asked = resolve_span(by, parse_day(first, "from"), parse_day(last, "to"), self.now().date())
            _check_reach(who, asked[0])
            return build_cost_view(
                who.tenant_id, self.spend.read(who.tenant_id, *asked, user_id=who.reach, limit=limit)
            )


def _check_reach(who: Caller, by: By) -> None:
    if who.reach is not None and by not in OF_ONE_USER:
        raise PolicyDenied(
            "the credential is one user's, and the tenant's costs are not that user's",
            field="by",
            fix=f"ask by {' or by '.join(OF_ONE_USER)}",
        )


def parse_day(text: str | None, field: str) -> date | None:
    """Return a day that a caller gave; none where none was given.

    Raises:
        InvalidInput: it is no day.
    """
    if text is None:
        return None
    try:
        if not re.fullmatch(_DAY["pattern"], text):  # Python reads weeks and days without dashes too
            raise ValueError("another way to write a day")
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"'{field}' must be a date", field=field, fix="write it as YYYY-MM-DD") from error


def build_cost_view(tenant_id: str, spending: Spending) -> CostView:
    """Return what a caller is shown."""
    return CostView(
        tenant=tenant_id,
        by=spending.by,
        first=spending.first,
        last=spending.last,
        rows=tuple(_build_row(row) for row in spending.rows),
        others=_build_row(spending.others) if spending.others else None,
        total=_build_row(spending.total),
    )


def _build_row(row: Row) -> CostRow:
    return CostRow(**row.model_dump(), cost=show(row.cost_nanousd))
