"""Faults: models and functions that go wrong, for the test's own tenant."""

from typing import Any

from pentad.models.providers.request_names import name_part
from pentad.testing.stack.world import CHAT_PATHS, Stack, until

OVERLOADED = 529


class KitFaults:
    """Lets things go wrong until the test ends.

    Args:
        stack: where.
        tenant_id: whose calls to models fail; others' go on.
    """

    def __init__(self, stack: Stack, tenant_id: str) -> None:
        self._stack = stack
        self._name = name_part("tenant", tenant_id, tenant_id)

    def fail_models(
        self,
        kind: str = "status",
        *,
        provider: str = "",
        status: int = OVERLOADED,
        times: int | None = None,
        **more: Any,
    ) -> None:
        """Let calls to chat models fail; embeddings go on.

        Args:
            kind: ``status``, ``timeout``, ``delay``, ``reset``, ``cut_stream``, ``half_json``, ``html``, ``refusal``,
                ``malformed_tool_args``, ``truncated_tool_args``, ``context_overflow``, ``no_usage``.
            provider: ``anthropic`` or ``openai``; both where it is empty.
            status: the HTTP status of the kind ``status``.
            times: how many calls to each of a provider's APIs; all until the test ends where it is None.
            more: what else the fault takes: ``seconds``, ``model``, ``text``, ``headers``, ``body``.

        Raises:
            ControlError: there is no such kind or field; the message lists them.
            ValueError: there is no such provider.
        """
        fault: dict[str, Any] = {"kind": kind, "name": self._name, "times": times, **more}
        if kind == "status":
            fault["status"] = status
        paths = [path for name, paths in CHAT_PATHS.items() if provider in ("", name) for path in paths]
        if not paths:
            raise ValueError(f"no provider '{provider}' on the twin: {', '.join(CHAT_PATHS)}")
        self._stack.simulator.add_faults(*(fault | {"path": path} for path in paths))

    def clear(self) -> None:
        """Let the models answer again."""
        self._stack.simulator.clear_faults(name=self._name)

    def kill_tool(self, tool: str) -> None:
        """Kill the processes of a tool's function as soon as there is one, as a crash of its host would.

        They are everybody's on this twin: a test next to this one sees a retry, as on AWS.

        Raises:
            AssertionError: there is no such tool, or no run has called it in time.
        """
        name = f"tool-{tool.replace('_', '-')}"
        if not self._stack.has_function(name):
            raise AssertionError(f"no tool '{tool}' is deployed: one is where an agent or a workflow names it")
        for process in until(lambda: self._stack.processes(name), f"a process of the tool '{tool}'"):
            process.kill()
