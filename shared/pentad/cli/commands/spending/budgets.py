"""``pentad budgets``: budgets are set by an operator with AWS credentials, never through the API itself."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pentad.api.acts.subjects import BUDGETS
from pentad.cli import operator
from pentad.cli.commands.operations.acts import record_act
from pentad.cli.console import OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.screen import Grid, build_line
from pentad.domain.money import NANO, show

if TYPE_CHECKING:
    from pentad.models.budgets.adapters.budget_definitions import DynamoBudgetStore
    from pentad.models.budgets.budgets import BudgetDefinition

app = typer.Typer(
    cls=operator.ListingGroup,
    help="Budgets of a tenant: listed, set and removed with the operator's AWS credentials.",
)

Tenant = Annotated[
    str | None,
    typer.Option("--tenant", "-t", help=f"Whose budget. {operator.TENANT_DEFAULT}", show_default=False),
]
Scope = Annotated[str, typer.Option("--scope", help="run, session, user, agent or tenant.")]
Period = Annotated[
    str | None,
    typer.Option("--period", help="day, month or total. Default: day, or total for a run.", show_default=False),
]
Subject = Annotated[
    str, typer.Option("--subject", help="The run, session, user or agent. Default: each one separately.")
]


@app.command("set")
def set_(
    limit: Annotated[str, typer.Option("--limit", help="US dollars, such as 5.00.")],
    tenant: Tenant = None,
    scope: Scope = "tenant",
    period: Period = None,
    subject: Subject = "*",
    soft: Annotated[
        str, typer.Option("--soft", help="The share of the limit from which calls go to the fast tier.")
    ] = "0.8",
    stage: operator.Stage = None,
) -> None:
    """Set a budget, or change one. It counts from the first call after; a change holds within ten seconds."""
    from pentad.models.budgets.budgets import define

    with handle_errors():
        dollars = _parse_number(limit, "--limit") * NANO
        if dollars != dollars.to_integral_value() or dollars < 0:
            raise CommandError("--limit must be dollars: 0 or more, with at most nine decimals", code=2)
        share, period = _parse_number(soft, "--soft"), period or _choose_period(scope)
        tenant_id = operator.choose_tenant(stage, tenant, "budget")
        definition = define(tenant_id, scope, period, limit_nanousd=int(dollars), subject=subject, soft=share)
        target = f"{_name_budget(scope, period, subject)}: ${show(definition.limit_nanousd).lstrip('$')}, soft {soft}"
        with record_act(stage, BUDGETS, "set_budget", target, tenant_id=tenant_id):
            _make_store(stage).put(definition)
        _print_views([_build_view(definition, stage)])


@app.command("list")
def list_(tenant: Tenant = None, stage: operator.Stage = None) -> None:
    """List a tenant's budgets, the defaults too, and what is used where a budget is of one subject."""
    from pentad.models.budgets.defaults import with_defaults

    with handle_errors():
        tenant_id = operator.choose_tenant(stage, tenant, "budgets")
        found = with_defaults(tenant_id, _make_store(stage).list_for_tenant(tenant_id))
        _print_views([_build_view(each, stage) for each in found])


@app.command("remove")
def remove(
    tenant: Tenant = None,
    scope: Scope = "tenant",
    period: Period = None,
    subject: Subject = "*",
    stage: operator.Stage = None,
) -> None:
    """Remove a budget; within ten seconds calls count against it no more, and a default in its place holds again."""
    with handle_errors():
        tenant_id = operator.choose_tenant(stage, tenant, "budget")
        period = period or _choose_period(scope)
        target = _name_budget(scope, period, subject)
        with record_act(stage, BUDGETS, "remove_budget", target, tenant_id=tenant_id):
            _make_store(stage).remove(tenant_id, scope, period, subject)
        if OPTIONS.json:
            print_json({"removed": {"tenant": tenant_id, "scope": scope, "period": period, "subject": subject}})
        else:
            OUT.print(build_line("removed the budget '{budget}' of '{tenant}'", budget=target, tenant=tenant_id))


def _choose_period(scope: str) -> str:
    return "total" if scope == "run" else "day"


def _name_budget(scope: str, period: str, subject: str) -> str:
    return f"{scope} {subject} {period}"


def _parse_number(text: str, option: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise CommandError(f"{option} must be a number, got '{text}'", code=2) from error
    if not number.is_finite():
        raise CommandError(f"{option} must be a number, got '{text}'", code=2)
    return number


@app.command("rates")
def rates() -> None:
    """Show how many requests a minute each key, user and tenant may make."""
    from pentad.api.rates.kinds import KINDS
    from pentad.api.rates.rates import RateLimits

    limits = {kind: vars(rate) for kind, rate in vars(RateLimits()).items()}
    if OPTIONS.json:
        print_json([{"kind": kind, "what": what, **limits[kind]} for kind, what in KINDS.items()])
        return
    table = Grid()
    for heading in ("a minute", "key", "user", "tenant", "what"):
        table.add_column(heading, justify="right" if heading in ("key", "user", "tenant") else "left")
    for kind, what in KINDS.items():
        rate = limits[kind]
        table.add_row(kind, *(f"{rate[name]:,}" for name in ("key", "user", "tenant")), what)
    OUT.print(table)


def _make_store(stage: str | None) -> "DynamoBudgetStore":
    from pentad.models.budgets.adapters.budget_definitions import DynamoBudgetStore

    return DynamoBudgetStore(operator.open_table(stage, "StateTable"))


def _build_view(definition: "BudgetDefinition", stage: str | None) -> dict[str, Any]:
    view = definition.model_dump() | {
        "limit": show(definition.limit_nanousd),
        "soft": show(definition.soft_nanousd),
        "used_nanousd": None,
        "resets_at": None,
    }
    used = _read_usage(definition, stage)
    return view | used


def _read_usage(definition: "BudgetDefinition", stage: str | None) -> dict[str, Any]:
    """Return what is used of a budget of one subject; one for each has as many counts as there are subjects."""
    from pentad.domain.models import CallContext
    from pentad.models.budgets.adapters.budgets_dynamodb import DynamoBudget
    from pentad.models.budgets.adapters.budgets_memory import MemoryBudgetStore
    from pentad.models.budgets.budgets import EACH

    if definition.subject == EACH and definition.scope != "tenant":
        return {}
    own = {} if definition.scope == "tenant" else {definition.scope: definition.subject}
    context = CallContext.model_validate({"tenant": definition.tenant_id, **own})
    budget = DynamoBudget(operator.open_table(stage, "TransientTable"), MemoryBudgetStore([definition]))
    [standing] = budget.get_standings(context, datetime.now(UTC))
    resets = standing.applied.resets_at
    return {
        "used_nanousd": standing.used_nanousd,
        "spent_nanousd": standing.spent_nanousd,
        "used": show(standing.used_nanousd),
        "resets_at": resets.isoformat() if resets else None,
    }


def _print_views(views: list[dict[str, Any]]) -> None:
    if OPTIONS.json:
        print_json(views)
        return
    table = Grid()
    for heading in ("tenant", "scope", "period", "subject", "limit", "soft", "used", "resets", "set by"):
        table.add_column(heading, justify="right" if heading in ("limit", "soft", "used") else "left")
    for view in views:
        subject = "each" if view["subject"] == "*" and view["scope"] != "tenant" else view["subject"]
        set_by = "default" if view["is_default"] else "operator"
        names = (view["tenant"], view["scope"], view["period"], subject)
        table.add_row(*names, view["limit"], view["soft"], view.get("used", ""), view["resets_at"] or "", set_by)
    OUT.print(table)
