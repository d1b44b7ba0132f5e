"""A client's tools as the gateway's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from pentad.api.door import forms, schemas
from pentad.api.door.faults import DoorFault
from pentad.api.door.names import NAME_PATTERN, ToolNames
from pentad.api.door.reading import LeftOut, Part, parse_model
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.schemas import MAX_REQUEST_PARTS

Choice = Literal["auto", "none", "required"]
MAX_TOOLS = 128
_DESCRIPTION = 16_000
"""Characters of a description; `ToolSpec` has room for the note on the client's name behind it."""


class _FunctionSpec(Part):
    # Arguments are held against the schema, strict or not.
    quiet: ClassVar[frozenset[str]] = frozenset({"strict"})

    name: str = Field(pattern=NAME_PATTERN)
    description: str = Field(default="", max_length=_DESCRIPTION)
    parameters: Annotated[dict[str, Any], AfterValidator(schemas.drop_null_keywords)] = Field(default_factory=dict)


class _Tool(Part):
    type: Literal["function"]
    function: _FunctionSpec


class _Named(Part):
    name: str


class _Chosen(Part):
    type: Literal["function"]
    function: _Named


class _AllowedTools(Part):
    mode: Literal["auto", "required"]
    tools: tuple[_Chosen, ...] = Field(min_length=1, max_length=MAX_TOOLS)


class _Allowed(Part):
    type: Literal["allowed_tools"]
    allowed_tools: _AllowedTools


@dataclass(frozen=True)
class Tools:
    """The tools of a request, ours, and what of them the model is to call."""

    specs: tuple[ToolSpec, ...]
    choice: Choice
    names: ToolNames


def parse_tools(items: Sequence[Any], choice: Any, called: Iterable[str], left_out: LeftOut) -> Tools:
    """Return a request's tools.

    A choice of one function is that function alone, required; one of allowed tools is those alone.

    Args:
        items: the request's tools.
        choice: the request's ``tool_choice``; None where it has none.
        called: the names of earlier calls, which need not be among the tools.
        left_out: is told of the fields that are not followed.

    Raises:
        Fault: a tool is none, two have one name, or the choice is none; ``param`` says which.
    """
    if len(items) > MAX_TOOLS:
        raise DoorFault(f"tools: send at most {MAX_TOOLS}", param="tools")
    read_tools: dict[str, tuple[_FunctionSpec, str]] = {}
    for index, item in enumerate(items):
        param = f"tools[{index}]"
        function = parse_model(_Tool, forms.shape_tool(item), param, left_out).function
        if function.name in read_tools:
            raise DoorFault(f"{param}.function.name: another tool has the same name", param=f"{param}.function.name")
        read_tools[function.name] = (function, f"{param}.function.parameters")
    _check_size_of_all(read_tools.values())
    kind, only = _parse_choice(_shape_choice(choice, left_out), read_tools, left_out)
    names = ToolNames([*read_tools, *called])
    specs = tuple(
        _build_spec(function, names, param)
        for name, (function, param) in read_tools.items()
        if only is None or name in only
    )
    return Tools(specs, kind, names)


def _check_size_of_all(given: Iterable[tuple[_FunctionSpec, str]]) -> None:
    parts = 0
    for function, param in given:
        parts += schemas.count_parts(function.parameters, param)
        if parts > MAX_REQUEST_PARTS:
            raise DoorFault(f"tools: their schemas have more than {MAX_REQUEST_PARTS:,} parts in all", param="tools")


def _shape_choice(given: Any, left_out: LeftOut) -> Any:
    """Return a choice in OpenAI's form; what stands beside a word has no place in it, and is told."""
    choice = forms.shape_choice(given)
    if isinstance(given, dict) and isinstance(choice, str):
        for name in given.keys() - {"type"}:
            left_out.note(name, "tool_choice")
    return choice


def _parse_choice(choice: Any, known: Mapping[str, Any], left_out: LeftOut) -> tuple[Choice, frozenset[str] | None]:
    if choice is None or choice in ("auto", "none"):
        return choice or "auto", None
    if choice == "required":
        if not known:
            raise DoorFault("'tool_choice' needs 'tools'", param="tool_choice")
        return "required", None
    if isinstance(choice, str):
        raise DoorFault("tool_choice: use auto, none, required, one function or allowed_tools", param="tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        allowed = parse_model(_Allowed, choice, "tool_choice", left_out).allowed_tools
        for index, one in enumerate(allowed.tools):
            _check_known(one.function.name, known, f"tool_choice.allowed_tools.tools[{index}].function.name")
        return allowed.mode, frozenset(one.function.name for one in allowed.tools)
    name = parse_model(_Chosen, choice, "tool_choice", left_out).function.name
    _check_known(name, known, "tool_choice.function.name")
    return "required", frozenset({name})


def _check_known(name: str, known: Mapping[str, Any], param: str) -> None:
    if name not in known:
        raise DoorFault(f"{param}: the request has no such tool", param=param)


def _build_spec(function: _FunctionSpec, names: ToolNames, param: str) -> ToolSpec:
    ours = names.to_inner(function.name)
    schema = forms.shape_parameters(function.parameters)
    if schema["type"] != "object":
        raise DoorFault(f"{param}: the type must be object", param=param)
    # A prompt may speak of the tool by the client's name, so the model is told that name too.
    also = f"(Also called {function.name}.)" if ours != function.name else ""
    words = " ".join(part for part in (function.description.strip(), also) if part) or f"The function {ours}."
    return ToolSpec(name=ours, description=words, input_schema=schemas.check_schema(schema, param), effects="none")
