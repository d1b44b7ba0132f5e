"""Watches the nodes of a graph: each is a span of the log, and an entry of what the run's trace shows of the call."""

import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import LLMResult
from langgraph.errors import GraphBubbleUp, GraphInterrupt

from pentad.domain.errors import PentadError
from pentad.domain.tracing import find_node_place, get_open_place
from pentad.observability.ports import Span
from pentad.tools.declare.context import ToolContext
from pentad.tools.graphs.equipment import Equipment
from pentad.tools.graphs.node_spans import build_cut_off_spans, name_node_span
from pentad.tools.graphs.nodes import ATTEMPTS, MADE, NAME_CHARACTERS, NODES, GraphNodes, NodeRun

_NODE = "graph:step:"
"""Begins a tag of the run of a node, and of nothing else."""


@dataclass
class _Open:
    """A node that runs."""

    place: int
    namespace: str
    log: AbstractContextManager[Span]
    span: Span
    started: float


class WatchedNodes(BaseCallbackHandler):
    """Told by LangChain of the nodes of one try of one call of a graph, those of graphs within it included.

    What is kept is written as each node begins and as the try ends: a process that dies leaves the node that it died
    in. A store that does not answer keeps no graph from its work.

    Args:
        equipment: the store, the log and the clock.
        context: of the graph's call.
    """

    raise_error = True
    run_inline = True

    def __init__(self, equipment: Equipment, context: ToolContext) -> None:
        self._equipment = equipment
        self._context = context
        self._place = get_open_place()
        self._nodes: list[NodeRun] = []
        self._omitted = 0
        self._named = 0
        self._open: dict[UUID, _Open] = {}
        self._asked: dict[UUID, str] = {}
        self._lock = threading.Lock()  # nodes of one step run side by side

    def resume(self) -> None:
        """Go on after an earlier try: what ran when it ended was cut off.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        context = self._context
        before = self._equipment.nodes.get(context.tenant, context.run, context.step, context.index)
        if before is not None:
            for span in build_cut_off_spans(before, self._place) if self._place is not None else []:
                self._equipment.telemetry.record_span(span)
            cut = {"status": "cut_off"}
            self._nodes = [one.model_copy(update=cut) if one.status == "running" else one for one in before.nodes]
            self._omitted = before.omitted
            self._named = sum(len(one.attempts) for one in before.nodes)

    def close(self) -> None:
        """Write down what the try came to."""
        with self._lock:
            if self._nodes:
                self._save_nodes()
            if self._omitted:
                self._equipment.telemetry.log_event("graph.nodes_omitted", omitted=self._omitted, kept=NODES)

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: Any,
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Note a node's name, its step and the time."""
        if not any(tag.startswith(_NODE) for tag in tags or ()):
            return
        known = metadata or {}
        namespace = str(known.get("langgraph_checkpoint_ns", ""))
        name = _format_path(namespace) or str(known.get("langgraph_node", "node"))
        step = int(known.get("langgraph_step", 0))
        with self._lock:
            if len(self._nodes) >= NODES:
                self._omitted += 1
                return
            number, within = len(self._nodes), self._find_outer(namespace)
            self._nodes.append(
                NodeRun(name=name[-NAME_CHARACTERS:], step=step, started_at=self._equipment.now(), within=within),
            )
            # Opened and closed by the node's own thread, in one context: what the node calls is below it.
            log = self._open_span(name, step, number)
            self._open[run_id] = _Open(number, namespace, log, log.__enter__(), time.monotonic())
            self._save_nodes()

    def _find_outer(self, namespace: str) -> int | None:
        """Return the place of the node around the one of this namespace, `a:id|b:id`."""
        outer = namespace.rpartition("|")[0]
        return next((one.place for one in self._open.values() if outer and one.namespace == outer), None)

    def _open_span(self, name: str, step: int, number: int) -> AbstractContextManager[Span]:
        """Open a node's span. Each run of a node has its own, whatever comes of it: no other try writes it."""
        place = None if self._place is None else find_node_place(self._place, number)
        told = {"pentad.graph.step": step}
        return self._equipment.telemetry.span(name_node_span(name), told, place=place, final=(BaseException,))

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Note that a node has ended."""
        self._record_end(run_id, None)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Note that a node has raised."""
        self._record_end(run_id, error)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: Sequence[Any],
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Note which node asks a model."""
        with self._lock:
            self._asked[run_id] = str((metadata or {}).get("langgraph_checkpoint_ns", ""))

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Note the attempts of a model's answer with its node; without an answer the trace goes by the time."""
        with self._lock:
            namespace = self._asked.pop(run_id, None)
            made = tuple((response.llm_output or {}).get(MADE, ()))[: ATTEMPTS - self._named]
            place = next((one.place for one in self._open.values() if one.namespace == namespace), None)
            if place is not None and made:
                self._named += len(made)
                self._nodes[place] = _update_node(self._nodes[place], attempts=(*self._nodes[place].attempts, *made))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Forget which node asked."""
        with self._lock:
            self._asked.pop(run_id, None)

    def _record_end(self, run_id: UUID, error: BaseException | None) -> None:
        with self._lock:
            found = self._open.pop(run_id, None)
            if found is None:
                return
            # A graph is led by exceptions too: a jump, and a question, are none that failed.
            failed = None if isinstance(error, GraphBubbleUp) else error
            status = "asked" if isinstance(error, GraphInterrupt) else "ok" if failed is None else "error"
            self._nodes[found.place] = _update_node(
                self._nodes[found.place],
                status=status,
                duration_ms=round((time.monotonic() - found.started) * 1000),
                error=None if failed is None else type(failed).__name__,
            )
        found.span.set("pentad.graph.status", status)
        found.log.__exit__(None if failed is None else type(failed), failed, None)

    def _save_nodes(self) -> None:
        context = self._context
        try:
            self._equipment.nodes.put(
                GraphNodes(
                    tenant_id=context.tenant,
                    run_id=context.run,
                    step=context.step,
                    index=context.index,
                    nodes=tuple(self._nodes),
                    omitted=self._omitted,
                )
            )
        except PentadError as error:
            self._equipment.telemetry.log_event("graph.nodes_not_kept", level="WARNING", error=type(error).__name__)


def _update_node(one: NodeRun, **values: Any) -> NodeRun:
    return one.model_copy(update=values)


def _format_path(namespace: str) -> str:
    """Return the nodes' names of a namespace, ``a:id|b:id``, as ``a/b``."""
    return "/".join(part.partition(":")[0] for part in namespace.split("|"))
