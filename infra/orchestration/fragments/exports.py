"""The fields of results that branches and loops may look at, and the arguments that tools take. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pentad.domain.declarations.workflows import EXPORTS, AnyStep, ModelStep
from pentad.orchestration.workflows.templates import STATUS

Known = Mapping[str, frozenset[str] | None]
"""The results that a template may refer to, with their fields; None for words only."""
_SMALL = frozenset({"boolean", "integer", "number"})


def select_small_fields(schema: dict[str, Any] | None) -> tuple[str, ...]:
    """Return the fields of a schema that are exported unless others are named: those that are small by their type."""
    properties = (schema or {}).get("properties", {})
    small = [name for name, one in properties.items() if one.get("type") in _SMALL or "enum" in one or "const" in one]
    return tuple(small[:EXPORTS])


def find_export_problems(
    spec: AnyStep | None,
    step: str,
    name: str,
    known: Known,
    values: Sequence[str | int | bool],
    *,
    number: bool,
) -> Iterator[str]:
    """Yield what is wrong with looking at a field of a result, a sentence each.

    Args:
        spec: the step, where it is one: loops have results as well.
        step: its name.
        name: the field.
        known: the results there are, with their fields.
        values: those that the field is compared with.
        number: it has to be a number.
    """
    if step not in known:
        before = ", ".join(sorted(known)) or "none"
        yield f"no step '{step}' comes before this one: use one that does ({before})"
    elif name == STATUS:
        return
    elif isinstance(spec, ModelStep):
        yield from _find_model_problems(spec, name, values, number=number)
    elif spec is not None or name not in (known[step] or ()):
        yield f"the state machine carries no field '{name}' of the result of '{step}'"


def _find_model_problems(
    spec: ModelStep, name: str, values: Sequence[str | int | bool], *, number: bool
) -> Iterator[str]:
    if name not in spec.exports:
        there = ", ".join(sorted({STATUS, *spec.exports}))
        yield f"'{spec.name}' does not export the field '{name}': use one of {there}, or name it in exports"
        return
    shape = (spec.output_schema or {}).get("properties", {}).get(name, {})
    if number and shape.get("type") not in ("integer", "number"):
        yield f"the field '{spec.name}.{name}' is not a number: use one that is"
    for value in values:
        if "enum" in shape and value not in shape["enum"]:
            yield f"'{spec.name}.{name}' is never {value!r}: use one of {shape['enum']}"


def find_argument_problems(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the names of a tool's arguments; their values are templates, checked when it runs."""
    there = schema.get("properties", {})
    for name in arguments:
        if name not in there:
            yield f"the tool has no argument '{name}': it has {', '.join(sorted(there)) or 'none'}"
    for name in schema.get("required", ()):
        if name not in arguments:
            yield f"the tool's argument '{name}' is missing: give it"
