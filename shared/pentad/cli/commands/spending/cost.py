"""``pentad cost``: what model calls cost, by day, agent, model and so on."""

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from pentad.cli import operator, target
from pentad.cli.console import OPTIONS, OUT, handle_errors, print_json, refuse_options
from pentad.cli.screen import Grid, build_line, build_styled
from pentad.domain.money import show


def show_cost(
    by: Annotated[str, typer.Option("--by", help="day, tenant, agent, provider, model, user, session or run.")] = "day",
    first: Annotated[
        str | None, typer.Option("--from", help="First day, YYYY-MM-DD (UTC). Default: the first of the month.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, included. Default: today.")] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=1000, help="Maximum number of rows, the most expensive first.")
    ] = 100,
    tenant_id: Annotated[
        str | None, typer.Option("--tenant", "-t", help="Any tenant, with AWS credentials. Default: the API key's.")
    ] = None,
    stage: operator.Stage = None,
) -> None:
    """Show what model calls cost; the total is the ledger's, to the nano-dollar."""
    with handle_errors():
        if tenant_id is None and stage is None:
            query = {"by": by, "from": first, "to": last, "limit": limit}
            given = urlencode({name: value for name, value in query.items() if value is not None})
            view = target.create_api_client().call("GET", f"/v1/cost?{given}")
        else:
            given_api = {"url": bool(target.TARGET.url), "key": bool(target.TARGET.key)}
            refuse_options("with --tenant or --stage, which read with AWS credentials", **given_api)
            view = _read_cost(operator.choose_tenant(stage, tenant_id, "costs"), stage, by, first, last, limit)
        if OPTIONS.json:
            print_json(view)
        else:
            OUT.print(_build_table(view))
            estimated = view["total"]["estimated_nanousd"]
            if estimated:
                told = "{amount} of it is estimated: compare with the providers' invoices (docs/models/cost.md)."
                OUT.print(build_line(told, amount=show(estimated)))


def _read_cost(
    tenant_id: str, stage: str | None, by: str, first: str | None, last: str | None, limit: int
) -> dict[str, Any]:
    from pentad.api.routers.cost import build_cost_view, parse_day
    from pentad.models.ledger.adapters.spend_dynamodb import DynamoSpend
    from pentad.models.ledger.spend import resolve_span

    asked = resolve_span(by, parse_day(first, "from"), parse_day(last, "to"), datetime.now(UTC).date())
    reader = DynamoSpend(operator.open_table(stage, "StateTable"))
    spending = reader.read(tenant_id, *asked, user_id=None, limit=limit)
    return build_cost_view(tenant_id, spending).model_dump(mode="json")


def _build_table(view: dict[str, Any]) -> Grid:
    table = Grid(title=f"{view['tenant']}, {view['first']} to {view['last']}")
    table.add_column(view["by"], overflow="fold")
    for heading in ("attempts", "tokens", "cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in [*view["rows"], *([view["others"]] if view["others"] else [])]:
        table.add_row(row["key"], f"{row['attempts']:,}", f"{row['tokens']:,}", row["cost"])
    total = view["total"]
    counts = (f"{total['attempts']:,}", f"{total['tokens']:,}")
    table.add_row(build_styled("total", "bold"), *counts, build_styled(total["cost"], "bold"))
    return table
