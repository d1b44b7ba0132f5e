"""A LangGraph graph as a tool: a step of an agent or of a workflow, with a checkpoint after each of its own steps.

    from functions.graphs.research import build
    from pentad.tools.graphs.adapters.langgraph_tool import from_langgraph

    research = from_langgraph(build, name="research", description="Research a question.", effects="none")

``build(model, tools)`` returns the graph. The model it is given asks the gateway. A retry of the call (time ran
out, the process died, a model was down) goes on at the last checkpoint and repeats no node that has finished.
"""

import copy
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Unpack

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.errors import GraphRecursionError
from langgraph.graph import StateGraph
from langgraph.types import Command
from pydantic import BaseModel, Field, TypeAdapter

from pentad.domain.errors import ConfigurationError, InvalidInput, ToolFailed, ToolUnavailable
from pentad.domain.models import CallContext
from pentad.tools.declare.context import ToolContext
from pentad.tools.declare.declare import Need, Tool
from pentad.tools.declare.options import Effects
from pentad.tools.declare.schema import build_input_schema
from pentad.tools.declare.signature import ToolSignature, make_arguments_model
from pentad.tools.graphs.adapters.langchain_tools import CONTEXT, ToolOptions, build_spec, build_tool_options
from pentad.tools.graphs.adapters.langgraph_audit import AuditedTools
from pentad.tools.graphs.adapters.langgraph_model import PentadChatModel
from pentad.tools.graphs.adapters.langgraph_nodes import WatchedNodes
from pentad.tools.graphs.adapters.langgraph_tools import (
    check_inner_tools,
    keep_whole,
    make_reader,
    to_langchain_tool,
)
from pentad.tools.graphs.equipment import PURPOSE, SPARE_SECONDS, Equipment, is_thread_of, thread_of
from pentad.tools.records.grants import describe_caller
from pentad.tools.results.read import READ_RESULT
from pentad.tools.results.shape import shape_text

Build = Callable[[BaseChatModel, list[BaseTool]], Any]
NEEDS: frozenset[Need] = frozenset({"langchain", "models", "checkpoints"})
_ASKS = (
    "\n\nIt may stop and ask something. Then find the answer out, and call it again with the thread that it named and "
    "with the answer; the other arguments do not matter then."
)


class GraphRequest(BaseModel):
    """What a graph is asked, where its author says nothing else."""

    request: str = Field(min_length=1, max_length=20_000, description="what is wanted, with all that has to be known")


def to_messages(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input of a graph over messages: the request as the user's message."""
    return {"messages": [{"role": "user", "content": str(arguments["request"])}]}


def extract_answer(values: Any) -> Any:
    """Return the answer of a graph: the text of its last message, or all of its state where it has no messages."""
    messages = values.get("messages") if isinstance(values, Mapping) else None
    if messages and isinstance(messages[-1], BaseMessage):
        return str(messages[-1].text)
    return values


@dataclass(frozen=True)
class Graph:
    """How a graph is built, fed and read.

    Args:
        build: takes a model and tools, returns a `StateGraph` or a compiled graph.
        tools: what the graph may call itself.
        enter: arguments of the call to the graph's input.
        leave: the graph's last state to the call's result.
        task: the gateway's task of its model calls.
        steps: the most steps of one call.
        asks: whether an interrupt may be answered by a second call.
        reads_on: whether its model gets a tool to read on in results that are shown in part.
    """

    build: Build
    tools: tuple[BaseTool | Tool[..., Any], ...]
    enter: Callable[[Mapping[str, Any]], Any]
    leave: Callable[[Any], Any]
    task: str
    steps: int
    asks: bool
    reads_on: bool = False


class GraphTool(Tool[..., Any]):
    """A tool that runs a graph.

    Args:
        graph: the graph.
        options: of `pentad.tools.declare.declare.Tool`.
    """

    def __init__(self, graph: Graph, **options: Any) -> None:
        super().__init__(**options)
        self.graph = graph

    @property
    def modules(self) -> tuple[str, ...]:
        """Its own module, and those of the project's tools that it calls."""
        return (self.module, *(tool.module for tool in self.graph.tools if isinstance(tool, Tool)))

    def with_equipment(self, equipment: Equipment) -> "GraphTool":
        """Return the tool with what it needs at run time."""
        made = copy.copy(self)
        made.function = _make_function(self.graph, self.name, self.module, self.spec.description, equipment)
        return made


def from_langgraph(
    build: Build,
    *,
    name: str,
    description: str,
    effects: Effects,
    arguments: type[BaseModel] = GraphRequest,
    enter: Callable[[Mapping[str, Any]], Any] = to_messages,
    leave: Callable[[Any], Any] = extract_answer,
    tools: Sequence[BaseTool | Tool[..., Any]] = (),
    task: str = "reason",
    steps: int = 25,
    asks: bool = False,
    reads_on: bool = False,
    **options: Unpack[ToolOptions],
) -> GraphTool:
    """Return a graph as a declared tool of the module that calls this.

    One try gets 300 seconds and 1,024 MB unless the options say otherwise; a graph that takes longer goes on in the
    next try. Its output counts as text from outside.

    Args:
        build: returns the graph, made anew for each call; see `Graph`.
        name: the tool's name, which is the file's.
        description: what the model reads.
        effects: of all that the graph does. Where it is not ``none``, a call that was cut off goes on only if the
            tool is ``idempotent``: the node in which it was cut off runs again.
        arguments: a model of the arguments.
        enter: see `Graph`; for other arguments than `Request`.
        leave: see `Graph`.
        tools: LangChain's, or ours that declare nothing that is kept where an agent calls a tool (effects, grants,
            approval, rates, order, secrets, settings, any address), and no host or package beyond the graph's.
        task: see `Graph`.
        steps: see `Graph`.
        asks: see `Graph`.
        reads_on: see `Graph`: the last of ``tools`` is `read_result` then. The graph's tools run in LangGraph's
            ``ToolNode``, and its state has ``messages``.
        options: see `Options`.

    Raises:
        ConfigurationError: the declaration is wrong; the message says why.
    """
    module = str(sys._getframe(1).f_globals["__name__"])
    where = f"{describe_caller()} {name}"
    check_inner_tools(
        tools,
        egress=options.get("egress") or (),
        packages=options.get("packages", ()),
        trusted=options.get("trusted_output", False),
    )
    if reads_on and any(one.name == READ_RESULT for one in tools):
        raise ConfigurationError(
            f"the graph '{name}' reads on, and has a tool '{READ_RESULT}'", field="reads_on", fix="rename the tool"
        )
    graph = Graph(build, tuple(tools), enter, leave, task, steps, asks, reads_on)
    described = description + (_ASKS if asks else "")
    model = _build_arguments_model(name, arguments, asks=asks)
    spec = build_spec(
        where, ToolOptions(timeout_seconds=300) | options, name, described, build_input_schema(model), effects
    )
    signature = ToolSignature(model, CONTEXT, TypeAdapter(Any), undoable=False)
    function = _make_function(graph, name, module, described, None)
    rest = build_tool_options(where, options, 1024)
    return GraphTool(graph, function=function, spec=spec, signature=signature, needs=NEEDS, **rest)


class _Resumed(BaseModel):
    """What a second call adds, where a graph asks."""

    thread: str | None = Field(default=None, max_length=100, description="the thread that it named when it asked")
    answer: str | None = Field(default=None, max_length=20_000, description="the answer to what it asked")


def _build_arguments_model(name: str, arguments: type[BaseModel], *, asks: bool) -> type[BaseModel]:
    models = (arguments, _Resumed) if asks else (arguments,)
    fields: dict[str, Any] = {
        key: (Annotated[field.annotation, field], ... if field.is_required() else field.get_default())
        for model in models
        for key, field in model.model_fields.items()
    }
    return make_arguments_model(name, name, fields)


def _make_function(
    graph: Graph, name: str, module: str, description: str, equipment: Equipment | None
) -> Callable[..., Any]:
    def run(**values: Any) -> Any:
        context: ToolContext = values.pop(CONTEXT)
        if equipment is None:
            raise ConfigurationError(f"the graph '{name}' has no gateway here", fix="run it as a tool of a deployment")
        return _GraphCall(graph, equipment, context, values).run()

    run.__name__ = run.__qualname__ = name
    run.__module__ = module
    run.__doc__ = description
    return run


class _GraphCall:
    """One try of one call.

    Args:
        graph: the graph.
        equipment: what it needs.
        context: on whose behalf.
        values: the call's arguments.
    """

    def __init__(self, graph: Graph, equipment: Equipment, context: ToolContext, values: dict[str, Any]) -> None:
        self._graph, self._equipment, self._context = graph, equipment, context
        asked = {"thread", "answer"} if graph.asks else set()
        self._values = {name: value for name, value in values.items() if name not in asked}
        self._answer = values.get("answer") if graph.asks else None
        self._thread = (values.get("thread") if graph.asks else None) or thread_of(context)
        if not is_thread_of(context, self._thread):
            raise InvalidInput("no such thread in this run", field="thread", fix="name the one that it gave")

    def run(self) -> Any:
        """Run the graph to its end and return its result.

        Raises:
            ToolUnavailable: time is short; the next try goes on.
            ToolFailed: it stopped to ask, or took too many steps.
        """
        agent = self._equipment.agent
        compiled = self._build_graph(agent)
        watched = WatchedNodes(self._equipment, self._context)
        config: RunnableConfig = {
            "configurable": {"thread_id": self._thread},
            "recursion_limit": self._graph.steps,
            "callbacks": [AuditedTools(self._equipment, self._context, agent), watched],
        }
        before = compiled.get_state(config)
        begun = before.created_at is not None
        if begun:
            watched.resume()
        if not begun or before.next:
            given = self._resolve_input(before, begun=begun)
            try:
                self._advance(compiled, config, given)
            finally:
                watched.close()
        state = compiled.get_state(config)
        if state.interrupts:
            raise self._make_question_error(state.interrupts[0].value)
        return self._graph.leave(state.values)

    def _resolve_input(self, before: Any, *, begun: bool) -> Any:
        """Return what the graph goes on with: its input, an answer to what it asked, or nothing: the checkpoint."""
        if begun and before.interrupts:
            if self._answer is None:
                raise self._make_question_error(before.interrupts[0].value)
            return Command(resume=self._answer)
        if self._answer is not None and not begun:
            raise InvalidInput("nothing was asked in this thread", field="thread", fix="leave out thread and answer")
        return None if begun else self._graph.enter(self._values)

    def _advance(self, compiled: Any, config: RunnableConfig, given: Any) -> None:
        try:
            # Each step's checkpoint is stored before the next step begins: what has finished is not repeated.
            for _ in compiled.stream(given, config, stream_mode="updates", durability="sync"):
                if self._context.remaining_seconds() < SPARE_SECONDS and compiled.get_state(config).next:
                    raise ToolUnavailable("the graph ran out of time; it continues from its last checkpoint")
        except GraphRecursionError as error:
            raise ToolFailed(
                f"the graph took more than {self._graph.steps} steps", fix="ask for less at once"
            ) from error

    def _build_graph(self, agent: str) -> Any:
        context = self._context
        model = PentadChatModel(
            gateway=self._equipment.gateway,
            context=CallContext(
                tenant_id=context.tenant,
                agent=agent,
                user_id=context.user,
                session_id=context.session,
                run_id=context.run,
                step=context.step,
                purpose=PURPOSE,
            ),
            deadline=lambda: time.time() + context.remaining_seconds() - SPARE_SECONDS / 2,
            task=self._graph.task,
        )
        reach, reads_on = self._equipment.reach, self._graph.reads_on
        fit = keep_whole if reads_on else shape_text
        tools = [to_langchain_tool(tool, context, reach, fit) for tool in self._graph.tools]
        built = self._graph.build(model, [*tools, make_reader()] if reads_on else tools)
        saver = self._equipment.checkpoints(context.tenant)
        if isinstance(built, StateGraph):
            return built.compile(checkpointer=saver)
        built.checkpointer = saver
        return built

    def _make_question_error(self, question: Any) -> ToolFailed:
        fix = f"call it again with thread={self._thread} and the answer" if self._graph.asks else "it can't be answered"
        return ToolFailed(f"the graph stopped to ask: {question}", fix=fix)
