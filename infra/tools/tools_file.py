"""Read ``tools.yaml``: tools' settings, rates and places of secrets; every mistake with file, line, field and fix."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from infra.tools.library import list_known
from infra.tools.limits import RATE_LIMITS, read_rates
from pentad.domain.declarations.rates import Rate
from pentad.domain.errors import ConfigurationError
from pentad.domain.ids import TenantId
from pentad.domain.secrets import is_secret_name, mask_forms
from pentad.domain.values import FrozenValue
from pentad.models.catalog.catalog_file import CatalogFile
from pentad.tools.credentials.rotate import RotationPlan
from pentad.tools.declare.discovery import AnyTool
from pentad.tools.declare.reach import FROM_SETTINGS, check_resolved, resolve_names
from pentad.tools.outside.places import SecretPlace, name_tool_secret

NAME = "tools.yaml"
SECRETS = "secrets"
"""The section that says where secrets are; no tool has its name."""
_MOST_BYTES = 2_500
"""Of one tool's settings and places of secrets. Lambda's environment has 4 KB for all variables of a function."""
_MOST_ROTATED = 20
_MOST_ODOO_DAYS = 60
_MOST_FAULTS = 10


class RotationEntry(RotationPlan, extra="forbid"):
    """What ``tools.yaml`` says of a secret's rotation."""

    days: int = Field(default=30, ge=1, le=1_000, description="between two rotations")
    own: bool = Field(
        default=False, description="the listed tenants' own secrets may be rotated too, when an operator says so"
    )


class SecretEntry(FrozenValue, extra="forbid"):
    """What ``tools.yaml`` says of one secret."""

    name: str | None = Field(
        default=None, min_length=1, max_length=400, description="its name in Secrets Manager, or its ARN"
    )
    key: str | None = Field(
        default=None, pattern=r"^arn:[^\s*?]+:kms:[^\s*?]+$", description="ARN of the KMS key of a secret with a name"
    )
    tenants: bool | tuple[TenantId, ...] = False
    renewed: bool = Field(default=False, description="the tool stores new refresh tokens of OAuth in it")
    rotate: RotationEntry | None = None


@dataclass(frozen=True)
class DeclaredSecret:
    """A secret that a tool declares.

    Args:
        place: where it is.
        made: the stack makes it; else it is there already.
        key: ARN of the key that encrypts one that the stack does not make, where it is a customer's.
        rotation: how it is rotated; None where it is not.
    """

    place: SecretPlace
    made: bool
    key: str | None = None
    rotation: RotationEntry | None = None

    @property
    def by_tenant(self) -> bool:
        """Tenants have their own, all or some."""
        return bool(self.place.tenants)

    @property
    def rotated(self) -> tuple[str, ...]:
        """The names of what the function for rotations may rotate: the shared one, and tenants' own if it says so."""
        if self.rotation is None:
            return ()
        tenants = self.place.tenants if self.rotation.own and isinstance(self.place.tenants, tuple) else ()
        return (self.place.secret, *(f"{self.place.secret}/{tenant}" for tenant in tenants))

    @property
    def shared(self) -> bool:
        """There is one for tenants that have none of their own."""
        return self.place.tenants is not True


@dataclass(frozen=True)
class ToolsFile:
    """What a deployment says of its tools.

    Args:
        settings: of each tool that declares any.
        secrets: every declared secret by name.
        used: the names of the secrets that each tool declares.
        rates: of tools that are to have others than they declare.
    """

    settings: Mapping[str, BaseModel] = field(default_factory=dict)
    secrets: Mapping[str, DeclaredSecret] = field(default_factory=dict)
    used: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rates: Mapping[str, tuple[Rate, ...]] = field(default_factory=dict)

    @property
    def made(self) -> list[str]:
        """The names of the secrets that the stack makes."""
        return sorted(name for name, one in self.secrets.items() if one.made and one.shared)

    def list_secrets(self, tool: str) -> list[DeclaredSecret]:
        """Return the secrets of a tool."""
        return [self.secrets[name] for name in self.used.get(tool, ())]

    def has_own_secrets(self, tool: str) -> bool:
        """Tell whether tenants have secrets of their own for a tool."""
        return any(one.by_tenant for one in self.list_secrets(tool))

    def build_environment(self, tool: str) -> dict[str, str]:
        """Return the variables by which a tool's function knows its settings and where its secrets are."""
        found: dict[str, str] = {}
        if tool in self.settings:
            found["TOOL_SETTINGS"] = self.settings[tool].model_dump_json(by_alias=True)
        if names := self.used.get(tool):
            places = {name: _dump_place(self.secrets[name].place) for name in names}
            found["TOOL_SECRETS"] = json.dumps(places, separators=(",", ":"))
        return found


def read_tools_file(root: Path, tools: Mapping[str, AnyTool], *, prefix: str) -> ToolsFile:
    """Return what a project says of its tools; a project without ``tools.yaml`` says nothing.

    Args:
        root: the project's folder.
        tools: those that are deployed, by name. What is said of another one that ships is not looked at.
        prefix: of the stage: the secrets that the stack makes have names that begin with it.

    Raises:
        ConfigurationError: something in it is wrong, or something is missing.
    """
    path = root / NAME
    file = CatalogFile(NAME, path.read_bytes() if path.is_file() else "", unique=True)
    _check_names(file, tools)
    settings = {name: _read_settings(file, tool) for name, tool in sorted(tools.items()) if tool.settings is not None}
    used = {name: resolve_names(tool.secrets, settings.get(name)) for name, tool in sorted(tools.items())}
    secrets = _read_secrets(file, {one for names in used.values() for one in names}, prefix)
    rates = read_rates(file, tools, list_known(tools))
    found = ToolsFile(settings, secrets, {name: names for name, names in used.items() if names}, rates)
    for name in tools:
        size = sum(len(value.encode()) for value in found.build_environment(name).values())
        if size > _MOST_BYTES:
            raise file.make_error(
                (name,), f"{size:,} bytes of settings are over the limit of {_MOST_BYTES:,} bytes", "shorten them"
            )
    return found


def _check_names(file: CatalogFile, tools: Mapping[str, AnyTool]) -> None:
    """Refuse sections of no tool, of one without settings, and values that look like secrets."""
    for section in (SECRETS, RATE_LIMITS):
        if section in tools:
            raise ConfigurationError(
                f"functions/tools/{section}.py has the name of a section of {NAME}", fix="rename the tool"
            )
    known = list_known(tools)
    for name, values in file.data.items():
        if name in (SECRETS, RATE_LIMITS):
            continue
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            raise file.make_error(
                (name,),
                f"no tool '{name}'",
                f"write {near[0]}" if near else "remove it, or write functions/tools/<name>.py",
            )
        if name in tools and tools[name].settings is None:
            raise file.make_error((name,), "the tool declares no settings", "remove it, or add settings= to @tool")
        if values is not None and not isinstance(values, dict):
            raise file.make_error((name,), "these are not fields", f"write them under {name}: as 'field: value'")
        named = _list_name_fields(tools[name]) if name in tools else None
        _check_secret_values(file, (name,), values, named)


def _list_name_fields(tool: AnyTool) -> set[str]:
    """Return the fields of a tool's settings that hold names of secrets."""
    return {one.removeprefix(FROM_SETTINGS) for one in tool.secrets if one.startswith(FROM_SETTINGS)}


def _check_secret_values(file: CatalogFile, path: tuple[Any, ...], value: Any, named: set[str] | None) -> None:
    """Refuse a value that looks like a secret: the file is in the repository.

    Args:
        file: the file.
        path: of the value.
        value: a part of it.
        named: fields that hold names of secrets; None where they are not known.
    """
    for place, text in _iter_texts(path, value):
        key = str(place[-1])
        if named is not None and len(place) == 2 and key in named:
            continue
        hidden = named is not None and is_secret_name(key)
        if hidden or mask_forms(text) != text or mask_forms(f'{key}: "{text}"') != f'{key}: "{text}"':
            raise file.make_error(
                place,
                f"the value looks like a secret, and {NAME} is in the repository",
                'take it out and renew it, declare secrets=["a-name"], and store it in Secrets Manager',
            )


def _iter_texts(path: tuple[Any, ...], value: Any) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _iter_texts((*path, name), one)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _iter_texts((*path, number), one)
    elif value is not None and not isinstance(value, bool):
        yield path, str(value)


def _read_settings(file: CatalogFile, tool: AnyTool) -> BaseModel:
    """Return a tool's settings, its model's defaults where the file says nothing."""
    model, values = tool.settings, file.data.get(tool.name)
    assert model is not None  # noqa: S101  (the caller asks for tools with settings only)
    try:
        found = model.model_validate(values or {}, extra="forbid")
    except ValidationError as error:
        raise _make_fault(file, tool.name, model, error, said=tool.name in file.data) from error
    wrong = check_resolved(tool.reach, found)
    if wrong is not None:
        raise file.make_error((tool.name, wrong[0]), wrong[1], "correct it")
    try:
        again = model.model_validate_json(found.model_dump_json(by_alias=True))
    except (ValidationError, ValueError) as error:
        again = None
        cause: Exception | None = error
    else:
        cause = None
    if again != found:
        raise ConfigurationError(
            f"the settings {model.__name__} of the tool '{tool.name}' are not the same when read back from JSON",
            field="settings",
            fix="use JSON types, and the same alias for reading and writing",
        ) from cause
    return found


def _make_fault(
    file: CatalogFile, tool: str, model: type[BaseModel], error: ValidationError, *, said: bool
) -> ConfigurationError:
    """Return the error of all that is wrong with a tool's settings."""
    told = [_describe_fault(file, tool, model, one) for one in error.errors(include_url=False, include_input=False)][
        :_MOST_FAULTS
    ]
    if not said:
        needed = ", ".join(name for name, one in model.model_fields.items() if one.is_required())
        return ConfigurationError(
            f"{NAME} says nothing of the tool '{tool}', which needs {needed or 'settings'}",
            field=tool,
            fix=f"write {tool}: with these fields into {NAME} at the project's root",
        )
    return ConfigurationError("; ".join(one[0] for one in told), field=f"{tool}.{told[0][1]}", fix=told[0][2])


def _describe_fault(file: CatalogFile, tool: str, model: type[BaseModel], found: Any) -> tuple[str, str, str]:
    """Return what is wrong with a field, its place, and the fix."""
    path = tuple(found["loc"])
    place = ".".join(map(str, path)) or tool
    fix = f"correct {place}"
    said = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "extra_forbidden":
        near = get_close_matches(str(path[-1]), model.model_fields, n=1) if len(path) == 1 else []
        said, fix = "no such field", f"write {near[0]}" if near else f"remove {place}"
    elif found["type"] == "missing":
        said, fix = "the field is missing", f"write {place}:"
    elif found["type"] == "string_type":
        fix = f"put the value of {place} in quotes: YAML reads it as something else"
    return f"{file.name}:{file.find_line((tool, *path))}: {tool}.{place}: {said}", place, fix


def _read_secrets(file: CatalogFile, declared: set[str], prefix: str) -> dict[str, DeclaredSecret]:
    section = file.get_section(SECRETS)
    _check_secret_values(file, (SECRETS,), section, None)
    entries: dict[str, SecretEntry] = {}
    for name, values in section.items():
        if name not in declared:
            known = ", ".join(sorted(declared)) or "none"
            raise file.make_error(
                (SECRETS, name),
                f"no deployed tool declares '{name}' (there are: {known})",
                "remove it",
            )
        try:
            entries[name] = SecretEntry.model_validate(values if values is not None else {})
        except ValidationError as error:
            told = error.errors(include_url=False, include_input=False)[0]
            raise file.make_error(
                (SECRETS, name, *told["loc"]), str(told["msg"]), f"use {', '.join(SecretEntry.model_fields)}"
            ) from error
        if entries[name].tenants and (entries[name].name or "").startswith("arn:"):
            raise file.make_error(
                (SECRETS, name, "name"), "a secret with 'tenants' needs a name, and this is an ARN", "write its name"
            )
        _check_rotation(file, name, entries[name])
        if entries[name].key is not None and entries[name].name is None:
            raise file.make_error((SECRETS, name, "key"), "'key' needs 'name'", "add name:, or remove key")
    return {name: _make_secret(name, entries.get(name, SecretEntry()), prefix) for name in sorted(declared)}


def _check_rotation(file: CatalogFile, name: str, entry: SecretEntry) -> None:
    if entry.rotate is None:
        return
    if entry.tenants is True or entry.renewed:
        raise file.make_error(
            (SECRETS, name, "rotate"),
            "only a shared secret can be rotated: the tool has none, or renews it itself",
            "list the tenants that have their own, or remove rotate or renewed",
        )
    if entry.rotate.kind == "odoo" and entry.rotate.days > _MOST_ODOO_DAYS:
        raise file.make_error(
            (SECRETS, name, "rotate", "days"),
            f"a key of Odoo ends after 90 days, and is rotated every {entry.rotate.days}",
            f"say {_MOST_ODOO_DAYS} days at most: a rotation that failed is tried again before it ends",
        )
    listed = len(entry.tenants or ())
    if entry.rotate.own and not 1 <= listed <= _MOST_ROTATED:
        raise file.make_error(
            (SECRETS, name, "rotate", "own"),
            f"the secrets of 1 to {_MOST_ROTATED} listed tenants may be rotated, and {listed} are listed",
            f"list the tenants: tenants: [acme], at most {_MOST_ROTATED}, or remove own",
        )


def _dump_place(place: SecretPlace) -> dict[str, Any]:
    """Return a place as short as it can be said: the environment has little room."""
    return place.model_dump(mode="json", exclude=set() if place.renewed else {"renewed"})


def _make_secret(name: str, entry: SecretEntry, prefix: str) -> DeclaredSecret:
    place = SecretPlace(
        secret=entry.name or name_tool_secret(prefix, name), tenants=entry.tenants, renewed=entry.renewed
    )
    return DeclaredSecret(place, made=entry.name is None, key=entry.key, rotation=entry.rotate)
