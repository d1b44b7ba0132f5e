"""What a client may name as ``model``: a model of the catalog, a tier, or ``task:`` and a task."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from http import HTTPStatus
from typing import Any, Literal

from pentad.api.door.faults import DoorFault
from pentad.models.catalog.catalog import ModelCatalog, ModelEntry

TASK = "task:"
OWNER = "pentad"
Kind = Literal["chat", "embedding"]


@dataclass(frozen=True)
class ModelTarget:
    """Where a request goes.

    Args:
        first: the model that is asked first.
        select: the fields of a `pentad.domain.models.ChatRequest` that choose it.
    """

    first: ModelEntry
    select: Mapping[str, str]


def resolve_target(catalog: ModelCatalog, name: str, kind: Kind) -> ModelTarget:
    """Return where a name leads.

    Raises:
        Fault: there is none of that name (404, ``model_not_found``), or it is of the other kind.
    """
    found = _find_target(catalog, name)
    if found is None:
        raise _build_not_found()
    if found.first.kind != kind:
        raise DoorFault(f"this model does not do {'chat' if kind == 'chat' else 'embeddings'}", param="model")
    return found


def check_known(catalog: ModelCatalog, name: object) -> None:
    """Return if a name leads somewhere, or is no name at all: that a later check tells.

    Looked at before the rest of a request: what is asked of a model that is not there can't be right or wrong.

    Raises:
        Fault: there is none of that name (404, ``model_not_found``).
    """
    if isinstance(name, str) and name and _find_target(catalog, name) is None:
        raise _build_not_found()


def _find_target(catalog: ModelCatalog, name: str) -> ModelTarget | None:
    if name in catalog.models and catalog.models[name].provider in _list_providers(catalog):
        return ModelTarget(catalog.models[name], {"model": name})
    if name in catalog.tiers:
        return ModelTarget(catalog.models[catalog.tiers[name].chain[0]], {"tier": name})
    task = name.removeprefix(TASK)
    if name.startswith(TASK) and task in catalog.tasks:
        return ModelTarget(catalog.models[catalog.tiers[catalog.tasks[task].tier].chain[0]], {"task": task})
    return None


def list_names(catalog: ModelCatalog) -> list[str]:
    """Return every name that leads somewhere."""
    providers = _list_providers(catalog)
    models = [name for name, entry in catalog.models.items() if entry.provider in providers]
    return [*models, *catalog.tiers, *(f"{TASK}{task}" for task in catalog.tasks)]


def _list_providers(catalog: ModelCatalog) -> frozenset[str]:
    """Return the providers of which some chain names a model: the gateway has no adapter for others."""
    return frozenset(entry.name for entry in catalog.used_providers)


def list_models(catalog: ModelCatalog) -> dict[str, Any]:
    """Return the answer of ``GET /v1/models``."""
    return {"object": "list", "data": [_build_view(catalog, name) for name in list_names(catalog)]}


def get_model(catalog: ModelCatalog, name: str) -> dict[str, Any]:
    """Return the answer of ``GET /v1/models/{id}``.

    Raises:
        Fault: there is none of that name.
    """
    if _find_target(catalog, name) is None:
        raise _build_not_found()
    return _build_view(catalog, name)


def _build_view(catalog: ModelCatalog, name: str) -> dict[str, Any]:
    found = _find_target(catalog, name)
    assert found is not None  # noqa: S101 - a name of the catalog
    entry = found.first
    # The catalog's entries have no date of birth; that of their prices is the one they have.
    created = int(datetime.combine(entry.prices.date, time(), UTC).timestamp())
    owner = entry.provider if "model" in found.select else OWNER
    return {"id": name, "object": "model", "created": created, "owned_by": owner}


def _build_not_found() -> DoorFault:
    return DoorFault(
        "no such model: GET /v1/models lists models, tiers and tasks",
        param="model",
        code="model_not_found",
        status=HTTPStatus.NOT_FOUND,
    )
