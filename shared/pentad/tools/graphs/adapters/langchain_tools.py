"""A LangChain tool as a tool of ours: its name, description and arguments are kept; role, policy and audit are ours.

from langchain_community.tools import SomeTool
from pentad.tools.graphs.adapters.langchain_tools import from_langchain

some_tool = from_langchain(SomeTool(), effects="none")
"""

import asyncio
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypedDict, Unpack, get_args, get_type_hints

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, InjectedToolCallId, ToolException
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import AliasChoices, BaseModel, PydanticUserError, TypeAdapter, ValidationError

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import ConfigurationError, InvalidInput, ToolFailed
from pentad.domain.reading.json_text import read_json
from pentad.domain.schemas import check_schema_limits
from pentad.tools.declare.approval_option import ApprovalOption, check_approval, check_rates
from pentad.tools.declare.argument_faults import ArgumentFaults
from pentad.tools.declare.context import ToolContext
from pentad.tools.declare.declare import Grant, Tool
from pentad.tools.declare.options import Effects, check_grants, check_safe_output
from pentad.tools.declare.reach import FROM_SETTINGS, PUBLIC, Reach, check_egress, check_packages, refuse_reach
from pentad.tools.declare.schema_arguments import make_schema_model
from pentad.tools.declare.second_names import check_names
from pentad.tools.declare.shown_defaults import ShownDefaults
from pentad.tools.declare.signature import ToolSignature, make_declaration_error
from pentad.tools.records.grants import describe_caller

CONTEXT = "pentad_context"
"""The function's parameter for the context; no argument of a tool may be named so."""
_MAX_ID = 40
_MOST_FAULTS = 10
_LANGCHAINS_OWN = ("self", "config", "callbacks", "run_manager")
_INJECTED = "it takes what only a LangGraph node can give: {names}"


class ToolOptions(TypedDict, total=False):
    """What may be said of a wrapped tool as of any other: see `pentad.tools.declare.declare.tool`."""

    approval: ApprovalOption
    idempotent: bool
    permissions: Sequence[Grant]
    egress: Sequence[str]
    packages: Sequence[str]
    rate_limit: str
    timeout_seconds: int
    memory_mb: int
    trusted_output: bool
    safe_output: Sequence[str]


def from_langchain(
    given: BaseTool,
    *,
    effects: Effects,
    name: str | None = None,
    description: str | None = None,
    **options: Unpack[ToolOptions],
) -> Tool[..., Any]:
    """Return a LangChain tool as a declared tool of the module that calls this.

    Its output counts as text from outside, and it gets 512 MB, unless the options say otherwise.

    Args:
        given: the tool; one with only a coroutine is run to its end.
        effects: as for `pentad.tools.declare.declare.tool`; LangChain's tools do not say, so their user has to.
        name: another name: ours are lower case with underscores, and are the file's name.
        description: another description.
        options: see `Options`.

    Raises:
        ConfigurationError: the tool can't be one of ours; the message says why.
    """
    module = str(sys._getframe(1).f_globals["__name__"])
    where = f"{describe_caller()} {given.name}"
    _check_injected(where, given)
    schema = _build_schema(given)
    _check_aliases(where, given)
    _check_defaults(where, given)
    _check_hidden(where, given, schema)
    called = name or given.name
    function = _make_function(given, called, module)
    spec = build_spec(where, options, called, description or given.description, schema, effects)
    signature = ToolSignature(make_schema_model(spec.name, schema), CONTEXT, TypeAdapter(Any), undoable=False)
    rest = build_tool_options(where, options, 512)
    return Tool(function, spec=spec, signature=signature, needs=frozenset({"langchain"}), **rest)


def build_spec(
    where: str, options: ToolOptions, name: str, description: str, schema: dict[str, Any], effects: Effects
) -> ToolSpec:
    """Return what the model and the policy know of a wrapped tool.

    Raises:
        ConfigurationError: a field or a grant is not valid, or an option is not available.
    """
    check_grants(where, effects, options.get("permissions", ()))
    try:
        check_schema_limits(schema, "input_schema")
    except InvalidInput as error:
        raise make_declaration_error(where, f"{error.field}: {error.message}", error.fix or "") from error
    refuse_reach(where, list(options), known=list(ToolOptions.__annotations__))
    try:
        return ToolSpec(
            name=name,
            description=description,
            input_schema=schema,
            effects=effects,
            approval=check_approval(where, options.get("approval", "never"), schema),
            rates=check_rates(where, options.get("rate_limit")),
            idempotent=options.get("idempotent", False),
            timeout_seconds=options.get("timeout_seconds", 30),
            trusted_output=options.get("trusted_output", False),
            any_address=PUBLIC in (check_egress(where, options.get("egress")) or ()),
            safe_output=check_safe_output(where, options.get("safe_output", ())),
        )
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise make_declaration_error(
            where, f"{field} is not valid: {first['msg']}", f"give another: {field}=..."
        ) from error


def build_tool_options(where: str, options: ToolOptions, memory_mb: int) -> dict[str, Any]:
    """Return what remains for `pentad.tools.declare.declare.Tool` of the options.

    Raises:
        ConfigurationError: what ``packages`` says is no list of names.
    """
    return {
        "undo": None,
        "grants": tuple(options.get("permissions", ())),
        "memory_mb": options.get("memory_mb", memory_mb),
        "reach": Reach(
            egress=_check_hosts(where, options.get("egress")),
            packages=check_packages(where, options.get("packages", ())),
        ),
    }


def _check_hosts(where: str, egress: Sequence[str] | None) -> tuple[str, ...] | None:
    found = check_egress(where, egress)
    for name in found or ():
        if name.startswith(FROM_SETTINGS):
            raise make_declaration_error(
                where, f"egress holds '{name}', and a wrapped tool has no settings", "name the host"
            )
    return found


def _build_schema(given: BaseTool) -> dict[str, Any]:
    """Return the schema that the model is shown: closed, without references."""
    parameters = convert_to_openai_tool(given)["function"].get("parameters", {})
    schema = {"type": "object", "properties": {}, **parameters}
    schema.pop("description", None)
    return schema | {"additionalProperties": False}


def _check_defaults(where: str, given: BaseTool) -> None:
    """Refuse defaults that no approver could be shown, and second names of fields below the parameters.

    Raises:
        ConfigurationError: names the parameter.
    """
    model = given.tool_call_schema
    if not isinstance(model, type) or not issubclass(model, BaseModel):
        return
    try:
        model.model_json_schema(schema_generator=ShownDefaults)
        check_names(model, below=True)
    except PydanticUserError:
        return  # LangChain itself has another way to its schema
    except ConfigurationError as error:
        raise make_declaration_error(where, error.message, f"give the tool another args_schema: {error.fix}") from error


def _check_injected(where: str, given: BaseTool) -> None:
    """Refuse tools that want a graph's state, store or runtime: outside of a graph there is none."""
    wanted = [
        name
        for name, default in _list_parameters(given)
        if name not in given.args and default is inspect.Parameter.empty
    ]
    if wanted:
        raise make_declaration_error(
            where, _INJECTED.format(names=", ".join(wanted)), "use it inside a graph: from_langgraph(build, ...)"
        )


def _check_aliases(where: str, given: BaseTool) -> None:
    """Refuse arguments that LangChain shows by a name by which the tool does not take them.

    A call that gives one by the name that is shown would run with the default.
    """
    model = given.args_schema
    if not isinstance(model, type) or not issubclass(model, BaseModel):
        return
    if model.model_config.get("populate_by_name") or model.model_config.get("validate_by_name"):
        return
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        taken = alias.choices if isinstance(alias, AliasChoices) else [alias]
        if alias is not None and name not in taken:
            raise make_declaration_error(
                where,
                f"its schema shows '{name}', and takes it by another name only",
                "give the tool an args_schema without this alias, or with populate_by_name=True",
            )


def _check_hidden(where: str, given: BaseTool, schema: dict[str, Any]) -> None:
    """Refuse values of the function's own that run where a call can't say another, or does not, and no schema shows."""
    shown, required = schema["properties"], schema.get("required", ())
    # A model's defaults LangChain puts into the call itself; those of a schema that is JSON it does not.
    puts_in = not isinstance(given.args_schema, dict)
    for name, default in _list_parameters(given):
        if default is inspect.Parameter.empty or default is None or name in required:
            continue
        found = shown.get(name, {})
        if "default" not in found or not (puts_in or found["default"] == default):
            raise make_declaration_error(
                where,
                f"the default of '{name}' is not in its schema, so no approver could be shown it",
                "put the same into the schema, or give the default None and let the function put in the value",
            )


def _list_parameters(given: BaseTool) -> Iterator[tuple[str, Any]]:
    """Return the names and defaults of what a tool's function takes from others than LangChain."""
    for function in (getattr(given, "func", None), getattr(given, "coroutine", None), given._run):
        if function is None:
            continue
        hints = get_type_hints(function, include_extras=True)
        for name, parameter in inspect.signature(function).parameters.items():
            many = parameter.kind in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
            if not many and name not in _LANGCHAINS_OWN and InjectedToolCallId not in get_args(hints.get(name)):
                yield name, parameter.default


def _make_function(given: BaseTool, name: str, module: str) -> Callable[..., Any]:
    def run(**values: Any) -> Any:
        context: ToolContext = values.pop(CONTEXT)
        return _run(given, values, context)

    run.__name__ = run.__qualname__ = name
    run.__module__ = module
    run.__doc__ = given.description
    return run


def _run(given: BaseTool, values: dict[str, Any], context: ToolContext) -> Any:
    """Run the tool as LangChain would, and return its content.

    Raises:
        ToolFailed: the tool says so.
        InvalidInput: the tool's own schema does not take the arguments.
    """
    # In the form of a tool call, the only one that gives a tool its call id and tells failure from success.
    call = {"type": "tool_call", "name": given.name, "args": values, "id": context.effect_key[:_MAX_ID]}
    try:
        answer = asyncio.run(given.ainvoke(call)) if _is_async_only(given) else given.invoke(call)
    except ToolException as error:
        raise ToolFailed(str(error)) from error
    except ValidationError as error:
        faults = ArgumentFaults(error, values, _build_schema(given))
        told = "; ".join(f"{faults.tell_place(one)}: {faults.tell_what(one)}" for one in faults.errors[:_MOST_FAULTS])
        raise InvalidInput(f"the tool does not take these arguments: {told}", fix="correct the arguments") from error
    if not isinstance(answer, ToolMessage):
        raise ToolFailed("the tool answered with a command for a graph", fix="use it inside a graph")
    if answer.status == "error":
        raise ToolFailed(str(answer.text))
    return _decode_content(answer)


def _is_async_only(given: BaseTool) -> bool:
    return getattr(given, "coroutine", None) is not None and getattr(given, "func", None) is None


def _decode_content(answer: ToolMessage) -> Any:
    """Return the content: JSON that LangChain has written as text is JSON again, so that secrets in it are masked."""
    if not isinstance(answer.content, str):
        return answer.content
    try:
        found = read_json(answer.content)
    except ValueError:
        return answer.content
    return found if isinstance(found, dict | list) else answer.content
