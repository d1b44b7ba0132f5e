"""``pentad breaker``: the circuits of all models, and an operator's hand on them."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pentad.api.acts.subjects import BREAKERS
from pentad.cli import operator
from pentad.cli.commands.operations.acts import record_act
from pentad.cli.console import OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.screen import Grid, build_styled
from pentad.cli.synth import find_project_root

if TYPE_CHECKING:
    from pentad.models.breaker.circuit import Circuit, Forced
    from pentad.models.breaker.shared_breaker import SharedBreaker
    from pentad.models.catalog.catalog import ModelCatalog

app = typer.Typer(
    cls=operator.ListingGroup,
    help="Circuits of models: listed, held open or closed with the operator's AWS credentials.",
)

Which = Annotated[str, typer.Argument(metavar="PROVIDER[/MODEL]", help="One model, or all models of a provider.")]
Minutes = Annotated[
    float | None, typer.Option("--minutes", min=0.1, max=525_600, help="Minutes to hold it.", show_default=False)
]
_STYLE = {"closed": "green", "half_open": "yellow", "open": "red"}


Whose = Annotated[
    str | None,
    typer.Option("--tenant", "-t", help="One tenant's own circuits, not the shared ones.", show_default=False),
]


@app.command("list")
def list_(stage: operator.Stage = None, tenant: Whose = None) -> None:
    """Show the circuit of every model."""
    with handle_errors():
        now, stored = time.time(), _make_breaker(stage).get_all(tenant)
        names = dict.fromkeys([*_list_names(_load_catalog(), tenant), *sorted(stored)])
        _print_views([_build_view(_get_circuit(stored, name), now) for name in names])


@app.command("open")
def open_(which: Which, minutes: Minutes = None, stage: operator.Stage = None, tenant: Whose = None) -> None:
    """Hold circuits open: nothing is sent to these models until the time is over, or until `close`."""
    with handle_errors():
        _set_circuits(which, "open", minutes, stage, tenant)


@app.command("close")
def close(which: Which, minutes: Minutes = None, stage: operator.Stage = None, tenant: Whose = None) -> None:
    """Close circuits now; they may open again by failures, unless they are held closed for some minutes."""
    with handle_errors():
        _set_circuits(which, "closed" if minutes else None, minutes, stage, tenant)


def _set_circuits(
    which: str, forced: "Forced | None", minutes: float | None, stage: str | None, tenant_id: str | None
) -> None:
    from pentad.models.breaker.tenant_breaker import split_circuit_name

    now, breaker = time.time(), _make_breaker(stage)
    known = dict.fromkeys([*_list_names(_load_catalog(), tenant_id), *breaker.get_all(tenant_id)])
    models = {name: split_circuit_name(name)[0] for name in known}
    names = [name for name, model in models.items() if which in (model, model.partition("/")[0])]
    if not names:
        listed = ", ".join(dict.fromkeys(models.values()))
        raise CommandError(f"'{which}' is not a model or a provider; use one of {listed}", code=2)
    until = now + minutes * 60 if minutes else None
    whose = f" of tenant '{tenant_id}'" if tenant_id else ""
    target = f"{which}{whose}" + (f" for {minutes:g} {'minute' if minutes == 1 else 'minutes'}" if minutes else "")
    opens = forced == "open"
    with record_act(stage, BREAKERS, "open_circuit" if opens else "close_circuit", target, is_stop=opens):
        circuits = [breaker.force(name, forced, until=until) for name in names]
    _print_views([_build_view(one, now) for one in circuits])


def _make_breaker(stage: str | None) -> "SharedBreaker":
    from pentad.models.breaker.adapters.breaker_dynamodb import DynamoCircuits
    from pentad.models.breaker.shared_breaker import SharedBreaker

    return SharedBreaker(DynamoCircuits(operator.open_table(stage, "TransientTable")))


def _load_catalog() -> "ModelCatalog":
    from pentad.models.catalog.catalog import OVERLAY, load

    path = find_project_root() / OVERLAY
    return load(overlay=path.read_text(encoding="utf-8") if path.is_file() else None)


def _list_names(catalog: "ModelCatalog", tenant_id: str | None) -> list[str]:
    from pentad.models.breaker.tenant_breaker import name_own_circuit

    names = [f"{model.provider}/{model.name}" for model in catalog.used_models]
    return names if tenant_id is None else [name_own_circuit(name, tenant_id) for name in names]


def _get_circuit(stored: Any, name: str) -> "Circuit":
    from pentad.models.breaker.circuit import Circuit

    return stored.get(name) or Circuit(name=name)


def _build_view(circuit: "Circuit", now: float) -> dict[str, Any]:
    from pentad.models.breaker.tenant_breaker import split_circuit_name

    provider, _, model = split_circuit_name(circuit.name)[0].partition("/")
    state, forced = circuit.get_state(now), circuit.get_forced(now)
    until = circuit.forced_until if forced else circuit.open_until
    return {
        "provider": provider,
        "model": model,
        "state": state.value,
        "forced": forced is not None,
        "until": datetime.fromtimestamp(until, UTC).isoformat() if until and until > now else None,
        "failures": circuit.failures,
        "reason": circuit.reason if state.value != "closed" else "",
    }


def _print_views(views: list[dict[str, Any]]) -> None:
    if OPTIONS.json:
        print_json(views)
        return
    grid = Grid()
    for heading in ("provider", "model", "state", "until", "failures", "reason"):
        grid.add_column(heading, no_wrap=True)
    for view in views:
        until = view["until"] or ("until `pentad breaker close`" if view["forced"] and view["state"] == "open" else "")
        state = build_styled(view["state"], _STYLE[view["state"]])
        grid.add_row(view["provider"], view["model"], state, until, str(view["failures"]), view["reason"])
    OUT.print(grid)
