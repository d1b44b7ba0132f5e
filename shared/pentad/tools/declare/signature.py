"""Read a tool's function: its arguments as a pydantic model, its context parameter, its result's type."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, PydanticUserError, TypeAdapter, create_model
from pydantic_core import SchemaError

from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.context import ToolContext, Undoable
from pentad.tools.records.grants import describe_caller

_CONTEXT_NAMES = ("context", "ctx", "tool_context")
_OF_TYPES = "correct what Field() asks for; a pattern is one of Rust's regex, without look-around and back-references"
_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class ToolSignature:
    """What the declaration needs of a function.

    Args:
        arguments: the model that validates the arguments; strict, and closed to unknown names.
        context: the name of the parameter that takes the `ToolContext`, or None.
        result: validates what the function returns.
        undoable: the function says it returns `Undoable`.
    """

    arguments: type[BaseModel]
    context: str | None
    result: TypeAdapter[Any]
    undoable: bool


def make_declaration_error(where: str, what: str, fix: str) -> ConfigurationError:
    """Return the error of a declaration: where it stands, what is wrong, what to do."""
    return ConfigurationError(f"{where}: {what}", field="tool", fix=fix)


def describe_location(function: Any) -> str:
    """Return where a function stands, for messages: file, line and name.

    What is no function, such as a class, has no line of its own: then it is where it is declared.
    """
    code = getattr(function, "__code__", None)
    name = getattr(function, "__name__", None) or repr(function)[:60]
    return f"{code.co_filename}:{code.co_firstlineno} {name}()" if code else f"{describe_caller()} {name}"


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations, resolved.

    Raises:
        ConfigurationError: one can't be resolved, such as a type that is not defined yet.
    """
    try:
        return get_type_hints(function, include_extras=True)
    except Exception as error:  # an annotation in quotes is code of the tool's author, which may raise anything
        fix = "define or import the type above the tool"
        if getattr(error, "name", None) == ToolContext.__name__:
            fix = "write: from pentad.tools.declare import ToolContext"
        raise make_declaration_error(
            describe_location(function), f"an annotation can't be resolved: {error}", fix
        ) from error


def read_signature(function: Callable[..., Any]) -> ToolSignature:
    """Return the signature of a tool's function.

    Raises:
        ConfigurationError: a parameter or the result has no annotation, or one that a schema can't be made of.
    """
    where, hints = describe_location(function), hints_of(function)
    fields: dict[str, Any] = {}
    context: str | None = None
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in _KINDS:
            raise make_declaration_error(
                where, f"the parameter '{name}' is *, ** or positional only", "name each parameter"
            )
        if name not in hints:
            wanted = "ToolContext" if name in _CONTEXT_NAMES else "str"
            raise make_declaration_error(
                where, f"the parameter '{name}' has no annotation", f"annotate it: {name}: {wanted}"
            )
        if _is_context(where, name, hints[name]):
            if context is not None:
                raise make_declaration_error(where, "two parameters take the ToolContext", "keep one of them")
            context = name
        else:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[name] = (hints[name], default)
    result, undoable = _read_result(where, hints)
    return ToolSignature(make_arguments_model(where, function.__name__, fields), context, result, undoable)


def _is_context(where: str, name: str, annotation: Any) -> bool:
    """Return whether a parameter takes the context.

    Raises:
        ConfigurationError: its annotation is made of `ToolContext`, such as ``ToolContext | None``.
    """
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if annotation is ToolContext:
        return True
    if _holds_context(annotation):
        raise make_declaration_error(
            where,
            f"the parameter '{name}' is annotated with more than ToolContext: {annotation}",
            f"annotate it: {name}: ToolContext; every call gets one, so it is never None",
        )
    return False


def _holds_context(annotation: Any) -> bool:
    own = isinstance(annotation, type) and issubclass(annotation, ToolContext)
    return own or any(_holds_context(part) for part in get_args(annotation))


def _read_result(where: str, hints: dict[str, Any]) -> tuple[TypeAdapter[Any], bool]:
    if "return" not in hints:
        raise make_declaration_error(
            where, "the result has no annotation", "annotate it: -> str, -> dict[str, int], -> a pydantic model"
        )
    returned = hints["return"]
    undoable = returned is Undoable or get_origin(returned) is Undoable
    if undoable:
        returned = next(iter(get_args(returned)), Any)
    try:
        return TypeAdapter(returned), undoable
    except PydanticUserError as error:
        raise make_declaration_error(
            where, f"the result's type can't be validated: {error.message}", "return JSON types or models"
        ) from error
    except SchemaError as error:
        raise make_declaration_error(where, f"the result's type is not valid: {_shorten(error)}", _OF_TYPES) from error


def make_arguments_model(where: str, name: str, fields: dict[str, Any]) -> type[BaseModel]:
    """Return the strict, closed model of some arguments.

    Args:
        where: for messages.
        name: of the tool.
        fields: annotation and default by name, as `pydantic.create_model` takes them.

    Raises:
        ConfigurationError: a type has no schema.
    """
    # A field named "schema" or "copy" is a tool author's right, and pydantic would warn of the shadow: fields get
    # safe names of their own and are known to the outside by alias.
    aliased: dict[str, Any] = {
        f"p{number}_{field}": (Annotated[annotation, Field(alias=field)], default)
        for number, (field, (annotation, default)) in enumerate(fields.items())
    }
    try:
        return create_model(
            f"{name}_arguments", __config__=ConfigDict(extra="forbid", strict=True, frozen=True), **aliased
        )
    except PydanticUserError as error:
        raise make_declaration_error(
            where, f"a parameter's type has no schema: {error.message}", "use JSON types or models"
        ) from error
    except SchemaError as error:
        raise make_declaration_error(where, f"a parameter's type is not valid: {_shorten(error)}", _OF_TYPES) from error


def _shorten(error: SchemaError) -> str:
    """Return the lines of pydantic's words that say which field is meant and what is wrong, in one."""
    lines = [line.strip().removeprefix("SchemaError: ") for line in str(error).splitlines()]
    told = " ".join(line for line in lines if line and not line.startswith("Error building"))
    return re.sub(r'"p\d+_', '"', told)[:300]


def bind(signature: ToolSignature, values: BaseModel) -> dict[str, Any]:
    """Return validated arguments under the function's own parameter names."""
    named = {str(field.alias): getattr(values, name) for name, field in type(values).model_fields.items()}
    # A model that is made of a JSON Schema has no fields, and all its values are extra.
    return named | (values.model_extra or {})
