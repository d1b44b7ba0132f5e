"""Models, prices and routing as data: ``catalog.yaml`` and ``routing.yaml``, read once and checked whole.

A mistake is reported with the file, the line and the fix. A model without prices is a mistake: what can't be priced
can't be put on the ledger. Reading both files takes about 6 ms of a cold start (libyaml's parser and pydantic,
measured on a laptop core), so there is no compiled copy of them to keep in step. Line numbers are looked up only
after an error.
"""

import datetime
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pentad.domain.errors import ConfigurationError, InvalidInput
from pentad.domain.models import CascadeSpec, PromptCache
from pentad.domain.money import nanousd

Effort = Literal["low", "medium", "high"]


def _price(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError('write a price as a string, such as "2.50": a float is not exact')
    try:
        amount = nanousd(value)
    except ArithmeticError as error:
        raise ValueError(f"{value!r} is not an amount of USD") from error
    if amount < 0:
        raise ValueError("a price is not negative")
    return amount


Price = Annotated[int, BeforeValidator(_price)]


class Entry(BaseModel):
    """Base of what the files hold; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rates(Entry):
    """Nano-dollars per million tokens."""

    input: Price
    output: Price = 0
    cache_read: Price = 0
    cache_write_5m: Price = 0
    cache_write_1h: Price = 0


class LongContextRates(Rates):
    """Rates of a request whose input is above a size."""

    above_tokens: int = Field(ge=1)


class Prices(Rates):
    """What a model costs, where that was read, and when."""

    source: str = Field(min_length=1)
    date: datetime.date
    long_context: LongContextRates | None = None


class Capabilities(Entry):
    """What a model can be asked for."""

    tools: bool = False
    forced_tools: bool = Field(default=False, description="tool_choice required is accepted")
    images: bool = False
    documents: bool = False
    structured_output: bool = False
    thinking: bool = False
    prompt_cache: bool = False


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
    token_factor: float = Field(default=1.0, gt=0, le=4)
    capabilities: Capabilities = Capabilities()
    prices: Prices

    @model_validator(mode="before")
    @classmethod
    def _wire_id(cls, data: Any) -> Any:
        if isinstance(data, dict):
            return {"id": data.get("name"), **data}
        return data

    @model_validator(mode="after")
    def _complete(self) -> "ModelEntry":
        if self.kind == "chat" and not (self.output_tokens and self.prices.output):
            raise ValueError("a chat model needs output_tokens and an output price")
        if self.kind == "embedding" and self.dimensions is None:
            raise ValueError("an embedding model needs dimensions")
        return self


class TierEntry(Entry):
    """A chain of models."""

    chain: tuple[str, ...] = Field(min_length=1, max_length=8)
    attempt_seconds: float = Field(default=60, gt=0, le=900)
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
    attempt_seconds: float
    output_tokens: int | None = Field(default=None, description="the task's cap")
    effort: Effort | None = None
    dimensions: int | None = None
    prompt_cache: PromptCache = "5m"
    response_cache_seconds: int | None = Field(default=None, description="how long an exact reply may be given again")
    cascade: CascadeSpec | None = Field(default=None, description="the task's; not where a tier or a model is named")


_TIER_NAMES = ("primary", "fast", "embeddings")
_SPECIALISED = "specialised."


class ModelCatalog(Entry):
    """Every model, tier and task."""

    models: Mapping[str, ModelEntry]
    tiers: Mapping[str, TierEntry]
    tasks: Mapping[str, TaskEntry]

    def route(self, *, task: str, tier: str | None = None, model: str | None = None) -> Route:
        """Return where a request goes: a named model alone, else a named tier, else the task's tier.

        Args:
            task: gives the output cap and effort, and the tier where neither of the others is given.
            tier: a tier's name.
            model: a model's name.

        Raises:
            InvalidInput: there is none of that name.
        """
        chosen = self._pick(self.tasks, "task", task)
        links: tuple[ModelEntry, ...]
        if model is not None:
            entry = self._pick(self.models, "model", model)
            name, links, seconds, dimensions = f"model:{model}", (entry,), 120.0, entry.dimensions
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

    @staticmethod
    def _pick(entries: Mapping[str, "_E"], field: str, name: str) -> "_E":
        if name not in entries:
            raise InvalidInput(f"there is no {field} of that name", field=field, fix=f"use one of {', '.join(entries)}")
        return entries[name]


_E = TypeVar("_E", bound=Entry)


class _File:
    """A parsed file that can say on which line a value stands."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._text = text
        try:
            self.data: Any = yaml.load(text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ConfigurationError(f"{name}:{line}: {error.problem}", fix="correct the YAML") from error
        if not isinstance(self.data, dict):
            raise ConfigurationError(f"{name}:1: the file is not a mapping", fix="begin with its sections")

    def line(self, path: tuple[Any, ...]) -> int:
        """Return the line of the deepest part of ``path`` that is there."""
        node: Any = yaml.compose(self._text, Loader=yaml.CSafeLoader)
        line = 1
        for step in path:
            found = next(_children(node, step), None)
            if found is None:
                break
            mark, node = found
            line = mark.line + 1
        return line

    def error(self, path: tuple[Any, ...], message: str, fix: str) -> ConfigurationError:
        """Return the error of a place in the file."""
        where = ".".join(str(part) for part in path)
        return ConfigurationError(f"{self.name}:{self.line(path)}: {where}: {message}", field=where, fix=fix)


def _children(node: Any, step: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((key.start_mark, value) for key, value in node.value if key.value == str(step))
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        yield node.value[step].start_mark, node.value[step]


def _section(file: _File, section: str, entry: type[_E], **extra: str) -> dict[str, _E]:
    items = file.data.get(section)
    if not isinstance(items, dict) or not items:
        raise file.error((section,), "the section is missing or empty", f"add {section}:")
    built = {}
    for name, value in items.items():
        names = dict.fromkeys(extra, name)
        try:
            built[str(name)] = entry.model_validate({**names, **value} if isinstance(value, dict) else value)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            # A misspelt field is also a missing one; the line of the misspelling is the one to show.
            first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
            raise file.error((section, name, *first["loc"]), first["msg"], "see the comment at the top") from error
    return built


def _check_unknown(file: _File, known: tuple[str, ...]) -> None:
    for section in file.data:
        if section not in known:
            raise file.error((section,), "the section is not known", f"use {', '.join(known)}")


def _check_routing(file: _File, catalog: ModelCatalog) -> None:
    for name, tier in catalog.tiers.items():
        if name not in _TIER_NAMES and not name.startswith(_SPECIALISED):
            raise file.error(("tiers", name), "no such tier", f"use {', '.join(_TIER_NAMES)} or {_SPECIALISED}<name>")
        kind = "embedding" if name == "embeddings" else "chat"
        for position, model in enumerate(tier.chain):
            place = ("tiers", name, "chain", position)
            if model not in catalog.models:
                raise file.error(place, f"no model {model}", "add it to catalog.yaml, or use one of its models")
            if catalog.models[model].kind != kind:
                raise file.error(place, f"{model} is no {kind} model", f"use a model of kind {kind}")
    for name, task in catalog.tasks.items():
        if task.tier not in catalog.tiers:
            raise file.error(("tasks", name, "tier"), f"no tier {task.tier}", "add it under tiers:")
        _check_cascade(file, catalog, name, task)


def _check_cascade(file: _File, catalog: ModelCatalog, name: str, task: TaskEntry) -> None:
    if task.cascade is None:
        return
    place, first = ("tasks", name, "cascade", "first"), task.cascade.first
    if first not in catalog.tiers:
        raise file.error(place, f"no tier {first}", "add it under tiers:")
    if first in (task.tier, "embeddings"):
        raise file.error(place, f"{first} is not a tier below {task.tier}", "name a cheaper tier of chat models")


def parse(catalog_text: str, routing_text: str) -> ModelCatalog:
    """Return the catalog that the two files' texts describe.

    Raises:
        ConfigurationError: a mistake; the message names file and line, ``fix`` what to do.
    """
    models_file, routing_file = _File("catalog.yaml", catalog_text), _File("routing.yaml", routing_text)
    _check_unknown(models_file, ("models",))
    _check_unknown(routing_file, ("tasks", "tiers"))
    catalog = ModelCatalog(
        models=_section(models_file, "models", ModelEntry, name=""),
        tiers=_section(routing_file, "tiers", TierEntry),
        tasks=_section(routing_file, "tasks", TaskEntry),
    )
    _check_routing(routing_file, catalog)
    return catalog


@cache
def load(folder: Path | None = None) -> ModelCatalog:
    """Return the catalog of this package, or of a folder that holds both files.

    Raises:
        ConfigurationError: a mistake in them.
    """
    source = resources.files("pentad.models") if folder is None else folder
    texts = [source.joinpath(name).read_text(encoding="utf-8") for name in ("catalog.yaml", "routing.yaml")]
    return parse(*texts)
