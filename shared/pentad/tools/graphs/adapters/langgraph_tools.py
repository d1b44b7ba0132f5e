"""The tools that a graph itself may call: LangChain's as they are, ours as LangChain has tools, and `read_result`.

With that a graph's model reads on in a result that was too large to be shown whole. The whole stands in the graph's own
state, as the message of the tool that gave it, so it is where the checkpoint is: it is there in the next try too, and
is erased with the run.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Annotated, Any, Final

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.prebuilt import InjectedState
from pydantic import BaseModel, Field

from pentad.domain.errors import ConfigurationError, InvalidInput, PentadError
from pentad.tools.declare.context import ToolContext
from pentad.tools.declare.declare import Tool
from pentad.tools.graphs.equipment import Reach, reach_nothing
from pentad.tools.outside.ports import HttpClient
from pentad.tools.results.handles import CallPlace
from pentad.tools.results.read import READ_RESULT, SPEC, ReadResults, parse_query
from pentad.tools.results.shape import MAX_SHOWN_BYTES, Fit, shape_text
from pentad.tools.runtime.arguments import validate_arguments
from pentad.tools.runtime.outcome import call_function, make_rejected
from pentad.tools.runtime.sanitise import clean_text

MAX_WHOLE_BYTES: Final = 2_000_000
"""Of the result of a tool of ours that is kept in the state; of a larger one, its head and its tail."""
_BLOCK: Final = 65_536
_PLACE: Final = CallPlace(0, 0)
_OWN: Final = "graph"
_DESCRIBED: Final = {name: str(one["description"]) for name, one in SPEC.input_schema["properties"].items()}


def check_inner_tools(
    tools: Sequence[BaseTool | Tool[..., Any]], *, egress: Sequence[str], packages: Sequence[str], trusted: bool
) -> None:
    """Refuse tools that a graph can't call, whose hosts or packages it does not have, or whose text it calls its own.

    Args:
        tools: what the graph may call itself.
        egress: the hosts that the graph declares: its function reaches these.
        packages: the packages that the graph declares.
        trusted: the graph's output counts as text of our own.

    Raises:
        ConfigurationError: names the tool, the option and what to do.
    """
    for given in tools:
        to_langchain_tool(given, None)
        if not isinstance(given, Tool):
            continue
        if trusted and not given.spec.trusted_output:
            raise ConfigurationError(
                f"the graph declares trusted_output=True, and '{given.name}' inside it brings text from outside",
                field="trusted_output",
                fix="leave it out of the graph's declaration, so that its output counts as text from outside too",
            )
        for field, wanted, had in (("egress", given.egress, egress), ("packages", given.packages, packages)):
            missing = [one for one in wanted if one not in had]
            if missing:
                raise ConfigurationError(
                    f"the tool '{given.name}' inside the graph declares {field} that the graph does not: "
                    f"{', '.join(missing)}",
                    field=field,
                    fix=f"add to the graph's declaration: {field}={[*had, *missing]!r}",
                )


def _list_unkept(tool: Tool[..., Any]) -> list[tuple[str, str]]:
    """Return what a tool declares that policy, approval, the ledger and its own function keep, each with its option."""
    spec = tool.spec
    found = (
        ("effects", "it has effects", spec.effects != "none"),
        ("permissions", "it has grants", bool(tool.grants or tool.file_grants)),
        ("needs", "it is a graph, or a wrapped tool", bool(tool.needs)),
        ("approval", "it may need approval", spec.approval != "never"),
        ("rate_limit", "it has a rate", bool(spec.rates)),
        ("parallel", "its calls run one after the other", not spec.parallel),
        ("secrets", "it reads secrets", bool(tool.secrets)),
        ("settings", "it has settings", tool.settings is not None),
        ("egress", "it reaches any address, which the policy looks at", spec.any_address),
    )
    return [(field, why) for field, why, holds in found if holds]


def to_langchain_tool(
    given: BaseTool | Tool[..., Any],
    context: ToolContext | None,
    reach: Reach = reach_nothing,
    fit: Fit = shape_text,
) -> BaseTool:
    """Return a tool as a graph calls it: one of ours reaches what it declares, whatever its graph does.

    Args:
        given: a tool of LangChain, or one of ours.
        context: on whose behalf; None to check only.
        reach: narrows the network to a tool's hosts while it runs.
        fit: makes a large result fit for the graph's state.

    Raises:
        ConfigurationError: ours declares what is kept where an agent calls a tool, and not inside a graph.
    """
    if isinstance(given, BaseTool):
        return given
    for field, why in _list_unkept(given):
        raise ConfigurationError(
            f"the tool '{given.name}' can't be called inside a graph: {why} ({field}), which nothing keeps there",
            field=field,
            fix="let the agent call it, and give its result to the graph",
        )
    tool, spec = given, given.spec

    def run(**arguments: Any) -> str:
        if context is None:
            raise ConfigurationError("the tool has no context here", fix="run it as part of a graph's call")
        try:
            values = validate_arguments(tool, arguments)
            with _narrow(tool, reach) as outside:
                # Grants, files, secrets and settings are the graph's own: a tool that declares some is refused above.
                own = replace(context, outside=outside, tables={}, kept=None, secrets={}, settings=None)
                outcome = call_function(tool, values, own, fit)
        except InvalidInput as error:
            outcome = make_rejected(error)
        if outcome.is_error:
            raise ToolException(outcome.text)
        return outcome.text

    return StructuredTool(
        name=spec.name,
        description=spec.description,
        args_schema=spec.input_schema,
        func=run,
        handle_tool_error=True,
    )


def _narrow(tool: Tool[..., Any], reach: Reach) -> AbstractContextManager[HttpClient | None]:
    """Return what holds a tool to its hosts; one that says nothing of them has no client, as elsewhere."""
    return reach(tool.name, tool.egress) if tool.holds_connections else nullcontext()


class ReadArguments(BaseModel):
    """The arguments of `read_result`, and the graph's state, which LangGraph puts in."""

    handle: str = Field(description=_DESCRIBED["handle"])
    from_line: int | None = Field(default=None, description=_DESCRIBED["from_line"])
    lines: int | None = Field(default=None, description=_DESCRIBED["lines"])
    from_byte: int | None = Field(default=None, description=_DESCRIBED["from_byte"])
    bytes: int | None = Field(default=None, description=_DESCRIBED["bytes"])
    search: str | None = Field(default=None, description=_DESCRIBED["search"])
    pattern: bool = Field(default=False, description=_DESCRIBED["pattern"])
    context: int = Field(default=0, description=_DESCRIBED["context"])
    state: Annotated[Any, InjectedState] = None


def make_reader() -> BaseTool:
    """Return the tool, for a graph whose tools run in LangGraph's `ToolNode` and whose state has ``messages``."""
    return StructuredTool(
        name=READ_RESULT,
        description=SPEC.description,
        args_schema=ReadArguments,
        func=_read_on,
        handle_tool_error=True,
    )


def show_result(message: ToolMessage) -> str:
    """Return what a model is shown of a tool's result: all of it, or its ends and how to read on."""
    return shape_text(clean_text(str(message.text)), MAX_SHOWN_BYTES, handle=_name_handle(message.tool_call_id))


def keep_whole(text: str, limit: int, value: Any = None) -> str:
    """Return the result of a tool of ours as the state keeps it; see `Fit`."""
    return shape_text(text, max(limit, MAX_WHOLE_BYTES), value)


def _read_on(state: Any = None, **given: Any) -> str:
    handle = given.get("handle")
    found = next((one for one in reversed(_list_results(state)) if _name_handle(one.tool_call_id) == handle), None)
    try:
        query = parse_query({name: value for name, value in given.items() if value is not None})
        if found is None:
            raise ToolException("NotFound: no result of this graph has this handle. Fix: copy it from the cut")
        whole = _OneText(clean_text(str(found.text)).encode())
        return ReadResults(whole).read(query, _OWN, _OWN, _PLACE, str)
    except PentadError as error:
        raise ToolException(f"{type(error).__name__}: {error.message} Fix: {error.fix}") from error


def _list_results(state: Any) -> Sequence[ToolMessage]:
    messages = state.get("messages") if isinstance(state, Mapping) else getattr(state, "messages", None)
    return [one for one in messages or () if isinstance(one, ToolMessage)]


def _name_handle(call_id: str | None) -> str:
    return f"res_g_{hashlib.sha256((call_id or '').encode()).hexdigest()[:12]}"


class _OneText:
    """`WholeResults` with one result."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def put(self, key: str, data: bytes) -> None:
        """See `WholeResults`."""
        self._data = data

    def get_size(self, key: str) -> int | None:
        """See `WholeResults`."""
        return len(self._data)

    def iter_blocks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `WholeResults`."""
        data = self._data[start:end]
        yield from (data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK))

    def sign_put(self, key: str, *, seconds: float) -> str:
        """See `WholeResults`; nobody puts anything here from elsewhere."""
        return ""
