"""An entry in the audit log for every tool that runs inside a graph, whoever wrote it."""

import threading
import time
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from pentad.domain.canonical import sha256_of
from pentad.tools.declare.context import ToolContext
from pentad.tools.graphs.equipment import Equipment
from pentad.tools.runtime.ports import AuditEntry


class AuditedTools(BaseCallbackHandler):
    """Told by LangChain of the tools of one call of one graph.

    Args:
        equipment: the audit log and the clock.
        context: of the graph's call, under which the entries stand.
        agent: the run's agent.
    """

    raise_error = True  # a tool whose entry can't be stored must not pass for one that was audited
    run_inline = True

    def __init__(self, equipment: Equipment, context: ToolContext, agent: str) -> None:
        self._equipment = equipment
        self._context = context
        self._agent = agent
        self._open: dict[UUID, tuple[str, str, float]] = {}
        self._lock = threading.Lock()  # nodes of one step run side by side

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Note the tool's name, its arguments by hash, and the time."""
        name = str(serialized.get("name") or kwargs.get("name") or "tool")
        with self._lock:
            self._open[run_id] = (name, sha256_of(input_str), time.monotonic())

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Append the entry of a tool that has answered."""
        failed = getattr(output, "status", "success") == "error"
        self._append(run_id, "ToolException" if failed else None)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Append the entry of a tool that raised."""
        self._append(run_id, type(error).__name__)

    def _append(self, run_id: UUID, error: str | None) -> None:
        with self._lock:
            begun = self._open.pop(run_id, None)
        if begun is None:
            return
        name, digest, started = begun
        context = self._context
        self._equipment.audit.append(
            AuditEntry(
                tenant_id=context.tenant,
                run_id=context.run,
                step=context.step,
                index=context.index,
                agent=self._agent,
                tool=name,
                action="executed",
                arguments_hash=digest,
                outcome="error" if error else "ok",
                error_type=error,
                at=self._equipment.now(),
                duration_ms=round((time.monotonic() - started) * 1000),
                request_id=f"graph-{run_id.hex}",
            )
        )
