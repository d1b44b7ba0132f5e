"""Providers, models, prices and routing as data: ``catalog.yaml`` and ``routing.yaml``, read once and checked whole.

A project's own ``models.yaml`` has any of their sections; an entry there stands in for the packaged one of its name.

A mistake is reported with the file, the line and the fix. A model without prices is a mistake: what can't be priced
can't be put on the ledger. Reading both files takes about 6 ms of a cold start (libyaml's parser and pydantic,
measured on a laptop core), so there is no compiled copy of them to keep in step. Line numbers are looked up only
after an error.
"""

import datetime
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from pentad.domain.errors import InvalidInput
from pentad.domain.models import CascadeSpec, PromptCache
from pentad.domain.money import to_nanousd
from pentad.domain.values import FrozenValue
from pentad.models.catalog.catalog_file import CatalogFile
from pentad.models.catalog.provider_entries import Dialect, ProviderEntry

Effort = Literal["low", "medium", "high"]


def _parse_price(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError('write a price as a string, such as "2.50": a float is not exact')
    try:
        amount = to_nanousd(value)
    except ArithmeticError as error:
        raise ValueError(f"{value!r} is not an amount of USD") from error
    if amount < 0:
        raise ValueError("a price is not negative")
    return amount


Price = Annotated[int, BeforeValidator(_parse_price)]


class Entry(FrozenValue):
    """Base of what the files hold; an unknown field is an error."""


class Rates(Entry):
    """Nano-dollars per million tokens."""

    input: Price
    output: Price = 0
    cache_read: Price = 0
    cache_write_5m: Price = 0
    cache_write_1h: Price = 0
    thinking: Price | None = Field(default=None, description="of thinking tokens; unset: billed as output")


class LongContextRates(Rates):
    """Rates of a request whose input is above a size."""

    above_tokens: int = Field(ge=1)


class BatchRates(Rates):
    """Rates of a provider's batch API, which answers within a day."""

    long_context: LongContextRates | None = None


class Prices(Rates):
    """What a model costs, where that was read, and when."""

    source: str = Field(min_length=1)
    date: datetime.date
    long_context: LongContextRates | None = None
    batch: BatchRates | None = Field(default=None, description="unset: the provider has no batch price for it")


class Capabilities(Entry):
    """What a model can be asked for."""

    tools: bool = False
    forced_tools: bool = Field(default=False, description="tool_choice required is accepted")
    images: bool = False
    documents: bool = False
    structured_output: bool = False
    thinking: bool = False
    prompt_cache: bool = False
    citations: bool = Field(default=False, description="Claude: it cites search results that it is given by itself")


class ModelEntry(Entry):
    """One model. ``name`` is its key in the file and, where ``id`` is not set, its name on the wire."""

    name: str
    id: str
    label: str
    provider: str
    kind: Literal["chat", "embedding"]
    context_tokens: int = Field(ge=1, description="input and output together")
    output_tokens: int = Field(default=0, ge=0, description="the most it writes in one reply")
    dimensions: int | None = Field(default=None, ge=1)
    shortens: bool = Field(default=False, description="of an embedding model: vectors of any fewer dimensions too")
    token_factor: float = Field(default=1.0, gt=0, le=4)
    tokens_per_second: float | None = Field(default=None, gt=0, le=100_000, description="it writes, until measured")
    capabilities: Capabilities = Capabilities()
    dialect: Dialect | None = Field(default=None, description="in place of its provider's")
    prices: Prices

    def can_make(self, dimensions: int | None) -> bool:
        """Tell whether an embedding model makes vectors of so many numbers."""
        if self.dimensions is None or dimensions is None:
            return False
        return dimensions == self.dimensions or (self.shortens and 1 <= dimensions <= self.dimensions)

    @model_validator(mode="before")
    @classmethod
    def _set_default_id(cls, data: Any) -> Any:
        if isinstance(data, dict):
            return {"id": data.get("name"), **data}
        return data

    @model_validator(mode="after")
    def _check_complete(self) -> "ModelEntry":
        if self.kind == "chat" and not (self.output_tokens and "output" in self.prices.model_fields_set):
            raise ValueError("a chat model needs output_tokens and an output price")
        if self.kind == "embedding" and self.dimensions is None:
            raise ValueError("an embedding model needs dimensions")
        return self


class TierEntry(Entry):
    """A chain of models."""

    chain: tuple[str, ...] = Field(min_length=1, max_length=8)
    attempt_seconds: float | None = Field(
        default=None, gt=0, le=900, description="what one request may take; unset: what its longest reply needs"
    )
    dimensions: int | None = Field(default=None, ge=1)


class TaskEntry(Entry):
    """What a task is routed to."""

    tier: str
    output_tokens: int | None = Field(default=None, ge=1)
    effort: Effort | None = None
    prompt_cache: PromptCache = "5m"
    response_cache_seconds: int | None = Field(default=None, ge=1, le=2_592_000)
    cascade: CascadeSpec | None = None


class Link(Entry):
    """One model at its place in a chain."""

    position: int = Field(ge=0, description="0 is the primary")
    model: ModelEntry


class Route(Entry):
    """Where a request may go, the primary first."""

    tier: str
    links: tuple[Link, ...]
    attempt_seconds: float | None
    output_tokens: int | None = Field(default=None, description="the task's cap")
    effort: Effort | None = None
    dimensions: int | None = None
    prompt_cache: PromptCache = "5m"
    response_cache_seconds: int | None = Field(default=None, description="how long an exact reply may be given again")
    cascade: CascadeSpec | None = Field(default=None, description="the task's; not where a tier or a model is named")


_TIER_NAMES = ("primary", "fast", "embeddings")
_SPECIALISED = "specialised."


class ModelCatalog(Entry):
    """Every provider, model, tier and task."""

    providers: Mapping[str, ProviderEntry]
    models: Mapping[str, ModelEntry]
    tiers: Mapping[str, TierEntry]
    tasks: Mapping[str, TaskEntry]

    @cached_property
    def routes(self) -> dict[tuple[str, str | None, str | None], Route]:
        """The routes that were asked for so far."""
        return {}

    def route(self, *, task: str, tier: str | None = None, model: str | None = None) -> Route:
        """Return where a request goes: a named model alone, else a named tier, else the task's tier.

        Args:
            task: gives the output cap and effort, and the tier where neither of the others is given.
            tier: a tier's name.
            model: a model's name.

        Raises:
            InvalidInput: there is none of that name.
        """
        key = (task, tier if model is None else None, model)
        # Only what the catalog has gets here, so there are no more than its tasks, tiers and models make.
        if key not in self.routes:
            self.routes[key] = self._route(*key)
        return self.routes[key]

    def _route(self, task: str, tier: str | None, model: str | None) -> Route:
        chosen = self._pick(self.tasks, "task", task)
        links: tuple[ModelEntry, ...]
        if model is not None:
            entry = self._pick(self.models, "model", model)
            name, links, seconds, dimensions = f"model:{model}", (entry,), None, entry.dimensions
        else:
            name = tier or chosen.tier
            found = self._pick(self.tiers, "tier", name)
            links = tuple(self.models[each] for each in found.chain)
            seconds, dimensions = found.attempt_seconds, found.dimensions
        return Route(
            tier=name,
            links=tuple(Link(position=position, model=entry) for position, entry in enumerate(links)),
            attempt_seconds=seconds,
            output_tokens=chosen.output_tokens,
            effort=chosen.effort,
            dimensions=dimensions,
            prompt_cache=chosen.prompt_cache,
            response_cache_seconds=chosen.response_cache_seconds,
            cascade=chosen.cascade if tier is None and model is None else None,
        )

    @property
    def used_providers(self) -> tuple[ProviderEntry, ...]:
        """The providers that some chain names a model of: these get an adapter, a secret and a grant."""
        named = {self.models[model].provider for tier in self.tiers.values() for model in tier.chain}
        return tuple(entry for name, entry in self.providers.items() if name in named)

    @property
    def used_models(self) -> tuple[ModelEntry, ...]:
        """The models of all chains, each once."""
        return tuple(self.models[name] for name in dict.fromkeys(m for t in self.tiers.values() for m in t.chain))

    @staticmethod
    def _pick(entries: Mapping[str, "_E"], field: str, name: str) -> "_E":
        if name not in entries:
            raise InvalidInput(f"no {field} '{name[:64]}'", field=field, fix=f"use one of {', '.join(entries)}")
        return entries[name]


_E = TypeVar("_E", bound=Entry)
_B = TypeVar("_B", bound=BaseModel)


Origins = dict[tuple[str, str], CatalogFile]
"""The file that each entry is from, by section and name."""


def _build_section(
    files: Sequence[CatalogFile], section: str, entry: type[_B], origins: Origins, **extra: str
) -> dict[str, _B]:
    built: dict[str, _B] = {}
    for file in files:
        for name, value in file.get_section(section).items():
            names = dict.fromkeys(extra, name)
            try:
                built[name] = entry.model_validate({**names, **value} if isinstance(value, dict) else value)
            except ValidationError as error:
                found = error.errors(include_url=False, include_input=False)
                # A misspelt field is also a missing one; the line of the misspelling is the one to show.
                first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
                raise file.make_error(
                    (section, name, *first["loc"]), first["msg"], "see the comment at the top"
                ) from error
            origins[section, name] = file
    if not built:
        raise files[0].make_error((section,), "the section is missing or empty", f"add {section}:")
    return built


_EMBED_KINDS = ("openai", "openai_compatible")


def _check_models(origins: Origins, catalog: "ModelCatalog") -> None:
    for name, model in catalog.models.items():
        file = origins["models", name]
        provider = catalog.providers.get(model.provider)
        if provider is None:
            known = ", ".join(catalog.providers)
            raise file.make_error(
                ("models", name, "provider"), f"no provider '{model.provider}'", f"use one of {known}"
            )
        if model.kind == "embedding" and provider.kind not in _EMBED_KINDS:
            raise file.make_error(
                ("models", name, "provider"), f"{provider.name} has no embeddings", f"use kind {_EMBED_KINDS}"
            )
        if model.dialect is not None and provider.kind != "openai_compatible":
            raise file.make_error(
                ("models", name, "dialect"), f"{provider.name} has no dialects", "leave it out, or change the provider"
            )


def _check_routing(origins: Origins, catalog: ModelCatalog) -> None:
    for name, tier in catalog.tiers.items():
        file = origins["tiers", name]
        if name not in _TIER_NAMES and not name.startswith(_SPECIALISED):
            raise file.make_error(
                ("tiers", name), "no such tier", f"use {', '.join(_TIER_NAMES)} or {_SPECIALISED}<name>"
            )
        kind = "embedding" if name == "embeddings" else "chat"
        for position, model in enumerate(tier.chain):
            place = ("tiers", name, "chain", position)
            if model not in catalog.models:
                raise file.make_error(place, f"no model '{model}'", "add it to 'models', or use one that is there")
            if catalog.models[model].kind != kind:
                raise file.make_error(place, f"'{model}' is not of kind '{kind}'", f"use a model of kind {kind}")
    for name, task in catalog.tasks.items():
        file = origins["tasks", name]
        if task.tier not in catalog.tiers:
            raise file.make_error(("tasks", name, "tier"), f"no tier '{task.tier}'", "add it under tiers:")
        _check_cascade(file, catalog, name, task)


def _check_cascade(file: CatalogFile, catalog: ModelCatalog, name: str, task: TaskEntry) -> None:
    if task.cascade is None:
        return
    place, first = ("tasks", name, "cascade", "first"), task.cascade.first
    if first not in catalog.tiers:
        raise file.make_error(place, f"no tier '{first}'", "add it under tiers:")
    if first in (task.tier, "embeddings"):
        raise file.make_error(
            place, f"'{first}' is not a tier below '{task.tier}'", "name a cheaper tier of chat models"
        )


CATALOG, ROUTING, OVERLAY = "catalog.yaml", "routing.yaml", "models.yaml"


def parse(
    catalog_text: str, routing_text: str, overlay_text: str | None = None, *, strict: bool = False
) -> ModelCatalog:
    """Return the catalog that the files' texts describe.

    Args:
        catalog_text: of ``catalog.yaml``: providers and models.
        routing_text: of ``routing.yaml``: tasks and tiers.
        overlay_text: of a project's own ``models.yaml``: any of the four.
        strict: look for keys that stand twice too; synthesis does, a cold start has no time for it.

    Raises:
        ConfigurationError: a mistake; the message names file and line, ``fix`` what to do.
    """
    models_file, routing_file = CatalogFile(CATALOG, catalog_text), CatalogFile(ROUTING, routing_text)
    models_file.check_sections(("providers", "models"))
    routing_file.check_sections(("tasks", "tiers"))
    overlay = [] if overlay_text is None else [CatalogFile(OVERLAY, overlay_text)]
    for file in overlay:
        file.check_sections(("providers", "models", "tasks", "tiers"))
    for file in (models_file, routing_file, *overlay) if strict else ():
        file.check_duplicates()
    models, routing, origins = [models_file, *overlay], [routing_file, *overlay], Origins()
    catalog = ModelCatalog(
        providers=_build_section(models, "providers", ProviderEntry, origins, name=""),
        models=_build_section(models, "models", ModelEntry, origins, name=""),
        tiers=_build_section(routing, "tiers", TierEntry, origins),
        tasks=_build_section(routing, "tasks", TaskEntry, origins),
    )
    _check_models(origins, catalog)
    _check_routing(origins, catalog)
    return catalog


@cache
def load(folder: Path | None = None, *, overlay: str | None = None, strict: bool = False) -> ModelCatalog:
    """Return the catalog of this package, or of a folder that holds both files.

    Args:
        folder: where both files are; this package where None.
        overlay: the text of a project's own ``models.yaml``.
        strict: see `parse`.

    Raises:
        ConfigurationError: a mistake in them.
    """
    source = resources.files("pentad.models.catalog") if folder is None else folder
    texts = [source.joinpath(name).read_text(encoding="utf-8") for name in (CATALOG, ROUTING)]
    return parse(texts[0], texts[1], overlay, strict=strict)
