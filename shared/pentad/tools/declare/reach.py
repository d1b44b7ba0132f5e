"""What a tool declares to need beside its code: settings, secrets, hosts, packages. And what these names come to."""

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, SecretBytes, SecretStr

from pentad.domain.secrets import is_secret_name
from pentad.tools.declare.signature import ToolSignature, make_declaration_error
from pentad.tools.outside.places import SECRET_PATTERN

FROM_SETTINGS = "settings."
"""Begins a name that is taken from a field of the tool's settings."""
PUBLIC = "public"
"""Stands for every public address."""
_MOST = 50
"""Names of one option."""
_HOST = re.compile(
    r"(?:https?://)?(?:\*\.)?(?=[^/:]{1,253}(?:[:/]|\Z))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    r"(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){0,10}(?::[0-9]{1,5})?(?:/[^\s?#@*]{0,500})?"
)
_PACKAGE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?")
_FIELD = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,60}")


@dataclass(frozen=True)
class Reach:
    """What a tool needs beside its code, as its declaration says it.

    Args:
        settings: the model of its settings; None where it has none.
        secrets: names of secrets, or ``settings.FIELD``.
        egress: hosts, addresses, ``settings.FIELD`` or ``public``; none at all holds its code to no connections, None
            (nothing is said) to no list.
        packages: names of packages of ``requirements/tools.in``.
    """

    settings: type[BaseModel] | None = None
    secrets: Sequence[str] = ()
    egress: Sequence[str] | None = None
    packages: Sequence[str] = ()


NOTHING = Reach()


def check_reach(
    where: str,
    signature: ToolSignature,
    given: Reach,
    *,
    undo: bool = False,
) -> Reach:
    """Return the options that say what a tool needs beside its code.

    Args:
        where: the tool's place, for the message.
        signature: of its function.
        given: the options as they are written; what is wrong with their types is told too.
        undo: it has an undo, which is given the context too.

    Raises:
        ConfigurationError: a value is not valid, or nothing could use it.
    """
    found = Reach(
        settings=_check_settings(where, given.settings),
        secrets=_check_names(where, "secrets", given.secrets, re.compile(SECRET_PATTERN), "smtp"),
        egress=check_egress(where, given.egress),
        packages=check_packages(where, given.packages),
    )
    for option, names in (("secrets", found.secrets), ("egress", found.egress or ())):
        for name in names:
            _check_field(where, option, name, found.settings)
    _check_secret_fields(where, found)
    # Hosts are of use without a context too: the function's own connections are held to them.
    needing = [name for name in ("settings", "secrets") if getattr(found, name)]
    if needing and signature.context is None and not undo:
        raise make_declaration_error(
            where,
            f"it declares {needing[0]}, which nothing can use: the function takes no ToolContext",
            f"add the parameter context: ToolContext, or drop {needing[0]}",
        )
    return found


def check_egress(where: str, egress: Any) -> tuple[str, ...] | None:
    """Return the option ``egress``; None where nothing is said.

    Raises:
        ConfigurationError: it is no list of hosts.
    """
    if egress is None:
        return None
    found = _check_names(where, "egress", egress, _HOST, "api.example.com")
    if PUBLIC in found and len(found) > 1:
        raise make_declaration_error(
            where, "egress has 'public' and other hosts", "write egress=['public'] alone: it has all the others"
        )
    return found


def check_packages(where: str, packages: Any) -> tuple[str, ...]:
    """Return the option ``packages``.

    Raises:
        ConfigurationError: it is no list of names of packages.
    """
    return _check_names(where, "packages", packages, _PACKAGE, "icalendar")


def refuse_reach(where: str, options: Sequence[str], *, known: Sequence[str]) -> None:
    """Refuse options that a wrapped tool can't use: its framework's code is given no context.

    Args:
        where: the tool's place, for the message.
        options: names of the options that are given.
        known: names of all options that it may be given.

    Raises:
        ConfigurationError: one of them needs a context, or is not known.
    """
    for name in options:
        if name in ("settings", "secrets"):
            raise make_declaration_error(
                where,
                f"{name}= has no effect here: the framework's code gets no ToolContext that would carry it",
                f"write a tool with @tool({name}=...) that calls it, or drop {name}",
            )
        if name not in known:
            raise make_declaration_error(where, f"no option '{name}'", f"use one of {', '.join(known)}")


def resolve_names(names: Sequence[str], settings: BaseModel | None) -> tuple[str, ...]:
    """Return the names of an option with those of the settings in the place of ``settings.FIELD``; None gives none.

    Args:
        names: `Reach.secrets` or `Reach.egress`.
        settings: the tool's settings as they are.

    Raises:
        ConfigurationError: a field holds what is no name.
    """
    found: dict[str, None] = {}
    for name in names:
        if not name.startswith(FROM_SETTINGS):
            found[name] = None
            continue
        value = getattr(settings, name.removeprefix(FROM_SETTINGS), None)
        for one in value if isinstance(value, list | tuple | set | frozenset) else [value]:
            if one is not None and str(one):
                found[str(one)] = None
    return tuple(found)


def check_resolved(reach: Reach, settings: BaseModel | None) -> tuple[str, str] | None:
    """Return a field of the settings whose value is no name of what it is for, and what is wrong, or None.

    Args:
        reach: the tool's.
        settings: its settings as they are.
    """
    wanted = (("secrets", re.compile(SECRET_PATTERN), "a secret"), ("egress", _HOST, "a host"))
    for option, pattern, what in wanted:
        for name in getattr(reach, option) or ():
            if not name.startswith(FROM_SETTINGS):
                continue
            for one in resolve_names([name], settings):
                if not pattern.fullmatch(one.lower() if option == "egress" else one):
                    return name.removeprefix(FROM_SETTINGS), f"{one!r:.60} is not a valid name of {what}"
    return None


def _check_settings(where: str, settings: Any) -> type[BaseModel] | None:
    if settings is None:
        return None
    example = "class MailSettings(BaseModel, frozen=True): host: str"
    if not (inspect.isclass(settings) and issubclass(settings, BaseModel)) or settings is BaseModel:
        raise make_declaration_error(
            where,
            f"settings={settings!r:.60} is not a pydantic model",
            f"write a class: {example}; settings=MailSettings",
        )
    if not settings.model_config.get("frozen"):
        raise make_declaration_error(
            where,
            f"settings={settings.__name__} can be changed by whoever is given it",
            f"freeze it: class {settings.__name__}(BaseModel, frozen=True)",
        )
    return settings


def _check_secret_fields(where: str, reach: Reach) -> None:
    """Refuse a field of the settings that would hold a secret's value: settings stand in a file and in an environment.

    A field whose name is one of a secret may hold the name of one, where ``secrets`` takes it from there.
    """
    if reach.settings is None:
        return
    for name, field in reach.settings.model_fields.items():
        hidden = {SecretStr, SecretBytes} & {field.annotation, *get_args(field.annotation)}
        if (hidden or is_secret_name(name)) and f"{FROM_SETTINGS}{name}" not in reach.secrets:
            raise make_declaration_error(
                where,
                f"the field '{name}' of {reach.settings.__name__} would hold a secret, and settings stand in a file",
                f'drop it, add secrets=["{name.lower().replace("_", "-")}"] and read context.secret(...)',
            )


def _check_names(where: str, option: str, names: Any, pattern: re.Pattern[str], example: str) -> tuple[str, ...]:
    fix = f'write {option}=["{example}"]'
    if isinstance(names, str | bytes) or not isinstance(names, Sequence):
        raise make_declaration_error(where, f"{option} must be a list, got {names!r:.80}", fix)
    if len(names) > _MOST:
        raise make_declaration_error(where, f"{option} has {len(names)} names", f"name at most {_MOST}")
    for name in names:
        if not isinstance(name, str):
            raise make_declaration_error(where, f"{option} holds {name!r:.80}", fix)
        taken = option != "packages" and name.startswith(FROM_SETTINGS)
        if not taken and not pattern.fullmatch(name):
            raise make_declaration_error(where, f"{option} holds {name!r:.80}: {_FORMS[option]}", fix)
    return tuple(dict.fromkeys(names))


_FORMS = {
    "secrets": "a secret's name has small letters, digits and dashes, at most 64",
    "egress": "a host is written in small letters, with https:// or without, with *. in front for all hosts below it",
    "packages": "a package's name is written in small letters, digits and dashes, without a version",
}


def _check_field(where: str, option: str, name: str, settings: type[BaseModel] | None) -> None:
    if not name.startswith(FROM_SETTINGS):
        return
    field = name.removeprefix(FROM_SETTINGS)
    if settings is None:
        raise make_declaration_error(
            where, f"{option} holds '{name}', and the tool has no settings", "add settings=<a model with that field>"
        )
    if not _FIELD.fullmatch(field) or field not in settings.model_fields:
        known = ", ".join(settings.model_fields) or "none"
        raise make_declaration_error(
            where,
            f"{option} holds '{name}', and {settings.__name__} has no such field (it has {known})",
            "name one of its fields",
        )
