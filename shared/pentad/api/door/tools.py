"""A client's tools as the gateway's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from pentad.api.door import schemas
from pentad.api.door.faults import Fault
from pentad.api.door.names import NAME_PATTERN, ToolNames
from pentad.api.door.reading import Part, read
from pentad.domain.declarations.agents import ToolSpec

Choice = Literal["auto", "none", "required"]
MAX_TOOLS = 128
_DESCRIPTION = 4000  # of ToolSpec


class _Function(Part):
    name: str = Field(pattern=NAME_PATTERN)
    description: str = Field(default="", max_length=_DESCRIPTION)
    parameters: dict[str, Any] = Field(default_factory=dict)


class _Tool(Part):
    type: Literal["function"]
    function: _Function


class _Named(Part):
    name: str


class _Chosen(Part):
    type: Literal["function"]
    function: _Named


@dataclass(frozen=True)
class Tools:
    """The tools of a request, ours, and what of them the model is to call."""

    specs: tuple[ToolSpec, ...]
    choice: Choice
    names: ToolNames


def tools(items: Sequence[Any], choice: Any, called: Iterable[str]) -> Tools:
    """Return a request's tools.

    A choice of one function is that function alone, required.

    Args:
        items: the request's tools.
        choice: the request's ``tool_choice``; None where it has none.
        called: the names of earlier calls, which need not be among the tools.

    Raises:
        Fault: a tool is none, two have one name, or the choice is none; ``param`` says which.
    """
    if len(items) > MAX_TOOLS:
        raise Fault(f"tools: send at most {MAX_TOOLS}", param="tools")
    read_tools: dict[str, tuple[_Function, str]] = {}
    for index, item in enumerate(items):
        param = f"tools[{index}]"
        function = read(_Tool, item, param).function
        if function.name in read_tools:
            raise Fault(f"{param}.function.name: another tool has the same name", param=f"{param}.function.name")
        read_tools[function.name] = (function, f"{param}.function.parameters")
    kind, only = _choice(choice, read_tools)
    names = ToolNames([*read_tools, *called])
    specs = tuple(
        _spec(function, names, param) for name, (function, param) in read_tools.items() if only in (None, name)
    )
    return Tools(specs, kind, names)


def _choice(choice: Any, known: Mapping[str, Any]) -> tuple[Choice, str | None]:
    if choice is None or choice in ("auto", "none"):
        return choice or "auto", None
    if choice == "required":
        if not known:
            raise Fault("tool_choice: the request has no tools", param="tool_choice")
        return "required", None
    if isinstance(choice, str):
        raise Fault("tool_choice: use auto, none, required or one function", param="tool_choice")
    name = read(_Chosen, choice, "tool_choice").function.name
    if name not in known:
        raise Fault("tool_choice.function.name: the request has no such tool", param="tool_choice.function.name")
    return "required", name


def _spec(function: _Function, names: ToolNames, param: str) -> ToolSpec:
    ours = names.inner(function.name)
    schema = {"type": "object", "properties": {}, **function.parameters}
    if schema["type"] != "object":
        raise Fault(f"{param}: the type must be object", param=param)
    # A prompt may speak of the tool by the client's name, so the model is told that name too.
    also = f"(Also called {function.name}.)" if ours != function.name else ""
    words = " ".join(part for part in (function.description.strip(), also) if part) or f"The function {ours}."
    return ToolSpec(
        name=ours, description=words[:_DESCRIPTION], input_schema=schemas.check(schema, param), effects="none"
    )
