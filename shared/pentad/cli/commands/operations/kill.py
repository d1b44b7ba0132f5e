"""``pentad kill``: switch agents, tools, tenants or everything off, within one step of every run; and look at it."""

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pentad.api.acts.subjects import SWITCHES
from pentad.cli import operator
from pentad.cli.commands.operations.acts import record_act
from pentad.cli.console import ERR, EXIT_USAGE, OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.screen import Grid, build_line
from pentad.cli.synth import find_project_root
from pentad.domain.ids import check_id

if TYPE_CHECKING:
    from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches
    from pentad.orchestration.switches.ports import Scope, Switch, ToolHealth

app = typer.Typer(
    cls=operator.ListingGroup, help="Kill switches, listed and thrown with the operator's AWS credentials."
)

Agents = Annotated[list[str], typer.Option("--agent", help="An agent or a workflow; repeat for several.")]
Tools = Annotated[list[str], typer.Option("--tool", help="A tool, of all agents.")]
Tenants = Annotated[list[str], typer.Option("--tenant", help="A tenant, with all that it runs.")]
All = Annotated[bool, typer.Option("--all", help="Everything of the deployment.")]


@app.command("on")
def set_switches(
    agent: Agents = [],  # noqa: B006 - typer copies it
    tool: Tools = [],  # noqa: B006
    tenant: Tenants = [],  # noqa: B006
    everything: All = False,
    reason: Annotated[str, typer.Option(help="Why; callers and models see it.")] = "",
    stage: operator.Stage = None,
) -> None:
    """Switch off: no new run starts, runs stop before their next turn, tools refuse before their effect."""
    from pentad.orchestration.switches.ports import REASON_CHARACTERS, Switch

    with handle_errors():
        if len(reason) > REASON_CHARACTERS:
            raise CommandError(f"--reason may have at most {REASON_CHARACTERS} characters", code=EXIT_USAGE)
        store, at = _make_store(stage), datetime.now(UTC)
        why = f": {reason}" if reason else ""
        for scope, subject in _collect_subjects(agent, tool, tenant, everything):
            with record_act(stage, SWITCHES, "kill_on", f"{scope} {subject}{why}", is_stop=True):
                store.put(Switch(scope=scope, subject=subject, reason=reason, by=getpass.getuser(), at=at))
            _warn(scope, subject)
        _print_switches(store.get_all(), [])


@app.command("off")
def remove_switches(
    agent: Agents = [],  # noqa: B006
    tool: Tools = [],  # noqa: B006
    tenant: Tenants = [],  # noqa: B006
    everything: All = False,
    stage: operator.Stage = None,
) -> None:
    """Take switches back. Runs that were stopped stay so; what waits in queues goes on."""
    with handle_errors():
        store = _make_store(stage)
        missing = []
        for scope, subject in _collect_subjects(agent, tool, tenant, everything):
            with record_act(stage, SWITCHES, "kill_off", f"{scope} {subject}"):
                missing += [] if store.remove(scope, subject) else [(scope, subject)]
        _print_switches(store.get_all(), [])
        if missing:
            named = ", ".join(scope if scope == "all" else f"{scope} '{subject}'" for scope, subject in missing)
            raise CommandError(f"no switch is on for {named}")


@app.command("list")
def list_(
    tenant: Annotated[
        str | None,
        typer.Option(
            "--tenant",
            help="The tenant whose tools are out of order. Default: the twin's own; of a deployed stage, nobody's.",
            show_default=False,
        ),
    ] = None,
    stage: operator.Stage = None,
) -> None:
    """Show what is switched off, and a tenant's tools that have failed since their last success."""
    with handle_errors():
        store = _make_store(stage)
        asked = None if tenant is None and stage else operator.choose_tenant(stage, tenant, "tools")
        _print_switches(store.get_all(), None if asked is None else store.list_failing(asked))


def _make_store(stage: str | None) -> "DynamoSwitches":
    from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches

    return DynamoSwitches(operator.open_table(stage, "TransientTable"))


def _collect_subjects(
    agents: list[str], tools: list[str], tenants: list[str], everything: bool
) -> "list[tuple[Scope, str]]":
    from pentad.orchestration.switches.ports import EVERYTHING

    found: list[tuple[Scope, str]] = [("agent", check_id("agent", one)) for one in agents]
    found += [("tool", check_id("tool", one)) for one in tools]
    found += [("tenant", check_id("tenant", one)) for one in tenants]
    found += [("all", EVERYTHING)] if everything else []
    if not found:
        raise CommandError("name at least one of --agent, --tool, --tenant, --all", code=EXIT_USAGE)
    return found


def _warn(scope: "Scope", subject: str) -> None:
    """Say where a name that was switched off is none of this folder's project: a slip of the pen stops nothing."""
    try:
        root = find_project_root()
    except CommandError:
        return  # An operator may throw switches from anywhere.
    module = f"{subject.replace('-', '_')}.py"
    places = {
        "agent": (root / "agents" / subject / "agent.yaml", root / "infra" / "workflows" / module),
        "tool": (root / "functions" / "tools" / module,),
    }.get(scope, ())
    if places and not any(place.is_file() for place in places):
        note = "[yellow]note:[/] this project has no {scope} '{subject}'; the switch is on anyway"
        ERR.print(build_line(note, scope=scope, subject=subject))


def _print_switches(switches: "list[Switch]", ailing: "list[ToolHealth] | None") -> None:
    """Print what is switched off, and tools that fail; None where no tenant was asked about."""
    now = datetime.now(UTC)
    if OPTIONS.json:
        print_json(
            {
                "switches": [one.model_dump(mode="json") for one in switches],
                "tools": None if ailing is None else [_build_health_view(one, now) for one in ailing],
            }
        )
        return
    if not switches:
        OUT.print("Nothing is switched off.")
    else:
        OUT.print(
            _build_grid(
                ("off", "", "since", "by", "reason"),
                [(one.scope, one.subject, f"{one.at:%Y-%m-%d %H:%M}", one.by, one.reason) for one in switches],
            )
        )
    if ailing is None:
        ERR.print("Tools that are out of order are a tenant's: add --tenant TENANT to see them.")
    elif ailing:
        views = [_build_health_view(one, now) for one in ailing]
        rows = [(one["tool"], one["state"], str(one["failures"]), one["until"] or "", one["error"]) for one in views]
        OUT.print(_build_grid(("tool", "state", "failures", "until", "last error"), rows))


def _build_health_view(one: "ToolHealth", now: datetime) -> dict[str, Any]:
    state = "failing" if one.until is None else "out of order" if one.is_out_of_order(now) else "half-open"
    values = one.model_dump(mode="json", include={"tool", "failures", "error", "failed_at", "until"})
    return values | {"state": state}


def _build_grid(headings: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> Grid:
    grid = Grid()
    for heading in headings:
        grid.add_column(heading, no_wrap=True)
    for row in rows:
        grid.add_row(*(str(cell) for cell in row))
    return grid
