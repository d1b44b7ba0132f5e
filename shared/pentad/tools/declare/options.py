"""Check the options of a declaration: which there are, and which go together."""

from collections.abc import Sequence
from typing import Any, Final, Literal, get_args

from pentad.tools.declare.signature import ToolSignature, make_declaration_error
from pentad.tools.records.grants import Grant

Effects = Literal["none", "internal", "external"]
UndoWay = Literal["reverse", "compensate"]
MISSING: Final[Any] = object()
"""Stands for ``effects`` where nothing is said."""


def check_choices(where: str, effects: str, memory_mb: int) -> None:
    """Refuse values that an option does not have.

    Raises:
        ConfigurationError: names the option and its values.
    """
    if effects is MISSING:
        raise make_declaration_error(
            where, "effects is missing", f"say what it does: effects= one of {', '.join(get_args(Effects))}"
        )
    if effects not in get_args(Effects):
        choices = ", ".join(get_args(Effects))
        raise make_declaration_error(where, f"effects={effects!r} is not known", f"use one of {choices}")
    if not isinstance(memory_mb, int) or not 128 <= memory_mb <= 10_240:
        raise make_declaration_error(where, f"memory_mb={memory_mb!r} is out of bounds", "use 128 to 10240")


def check_undo_kind(where: str, kind: object, *, declared: bool) -> bool:
    """Return whether an undo makes up for the effect by another one, instead of taking it back.

    Args:
        where: the tool's place, for the message.
        kind: the option ``undo_kind``.
        declared: whether the tool has an undo.

    Raises:
        ConfigurationError: there is no such kind, or it is said of no undo.
    """
    if kind not in get_args(UndoWay):
        raise make_declaration_error(
            where, f"undo_kind={kind!r:.60} is not known", f"use one of {', '.join(get_args(UndoWay))}"
        )
    if kind == "compensate" and not declared:
        raise make_declaration_error(where, "undo_kind='compensate' needs an undo", "add undo=, or drop it")
    return kind == "compensate"


def check_order(where: str, signature: ToolSignature, parallel: object, per: object) -> None:
    """Refuse an order of calls that can't be kept.

    Raises:
        ConfigurationError: ``parallel`` is no boolean, or ``per`` names no parameter or stands alone.
    """
    if not isinstance(parallel, bool):
        raise make_declaration_error(
            where, f"parallel={parallel!r:.60} is neither True nor False", "write parallel=False"
        )
    if per is None:
        return
    if parallel:
        raise make_declaration_error(where, f"per={per!r:.60} needs parallel=False", "add parallel=False")
    names = [field.alias or name for name, field in signature.arguments.model_fields.items()]
    if per not in names:
        found = ", ".join(f"'{name}'" for name in names) or "none"
        raise make_declaration_error(
            where,
            f"per={per!r:.60} is not a parameter of the tool, which has {found}",
            "name the parameter that says which record a call is about, or drop per",
        )


def infer_idempotent(said: bool | None, effects: str, permissions: Sequence[Grant]) -> bool:
    """Return whether running a tool again is harmless, by its author's word, or else by what it can change."""
    if said is not None:
        return said
    writes = isinstance(permissions, Sequence) and any(
        isinstance(one, Grant) and one.writes and one.resource == "records" for one in permissions
    )
    return effects == "internal" and writes


def check_safe_output(where: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the fields of a tool's result that are not masked.

    Args:
        where: the tool's place, for the message.
        names: the option ``safe_output``.

    Raises:
        ConfigurationError: they are no names of fields.
    """
    fix = 'write safe_output=["download_url", "next_token"], or ["*"] for all of the result'
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise make_declaration_error(where, f"safe_output must be a list, got {names!r:.80}", fix)
    if not all(isinstance(name, str) and name for name in names):
        raise make_declaration_error(where, f"safe_output holds {list(names)!r:.80}", fix)
    return tuple(dict.fromkeys(names))


def check_grants(where: str, effects: str, permissions: Sequence[Grant]) -> tuple[Grant, ...]:
    """Return the grants of a tool.

    Args:
        where: the tool's place, for the message.
        effects: what it declares to do.
        permissions: the option ``permissions``.

    Raises:
        ConfigurationError: they are no grants, or one lets a tool without effects write.
    """
    example = 'permissions=[Grant("records", "readwrite", keys="NOTE")]'
    if isinstance(permissions, str) or not isinstance(permissions, Sequence):
        raise make_declaration_error(where, f"permissions must be a list, got {permissions!r:.80}", f"write {example}")
    for grant in permissions:
        if not isinstance(grant, Grant):
            raise make_declaration_error(where, f"permissions holds {grant!r:.80}", f"write {example}")
        if grant.writes and effects == "none":
            raise make_declaration_error(
                where,
                f"it has effects='none' but a grant to write {grant.resource} of '{grant.keys}'",
                f'say effects="internal", or write Grant("{grant.resource}", "read", keys="{grant.keys}")',
            )
    return tuple(permissions)
