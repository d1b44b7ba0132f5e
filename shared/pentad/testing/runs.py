"""A run as a test sees it."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pentad.testing.stack.world import Tenant

Json = dict[str, Any]


@dataclass(frozen=True)
class KitCall:
    """A tool call of a run.

    Attributes:
        tool: its name.
        arguments: what it was called with.
        status: ``succeeded``, ``failed``, ``rejected``, ...
        result: the text that the model was told; None before it ended.
        error_type: the class of its error, if it failed.
    """

    tool: str
    arguments: Json
    status: str
    result: str | None
    error_type: str | None

    @property
    def value(self) -> Any:
        """The result as JSON; its text where it is none."""
        try:
            return json.loads(self.result or "null")
        except (ValueError, RecursionError):
            return self.result


class KitRun:
    """A run as it stood when it was read: ended, or waiting for a human.

    Args:
        tenant: whose.
        view: what ``GET /v1/runs/{run}`` answered; every field of it is in `view`.
    """

    def __init__(self, tenant: Tenant, view: Json) -> None:
        self._tenant = tenant
        self.view = view
        self.run_id: str = view["run_id"]
        self.session_id: str = view["session"]
        self.agent: str = view["agent"]
        self.status: str = view["status"]
        self.answer: str | None = view["answer"]
        self.error: str | None = view["error"]
        self.stop_reason: str | None = view["stop_reason"]
        self.approval_id: str | None = view["pending_approval"]
        self.cost_nanousd: int = view["cost_nanousd"]

    @cached_property
    def citations(self) -> list[str]:
        """The names of the documents that the answer cites, each once, in order."""
        return list(dict.fromkeys(one["document"] for one in self.view["citations"]))

    @cached_property
    def events(self) -> list[Json]:
        """What happened, in time order: as ``GET /v1/runs/{run}/events`` tells it."""
        return list(self._tenant.get(f"/v1/runs/{self.run_id}/events")["events"])

    @cached_property
    def calls(self) -> list[KitCall]:
        """Its tool calls, in the order in which the model asked for them."""
        found = [one["detail"] for one in self.events if one["type"] == "tool_call"]
        ordered = sorted(found, key=lambda one: (one["step"], one["index"]))
        names = ("tool", "arguments", "status", "result", "error_type")
        return [KitCall(**{name: one[name] for name in names}) for one in ordered]

    @property
    def approval(self) -> Json | None:
        """What it waits for, with exactly the arguments that would run; None where it waits for nobody."""
        return None if self.approval_id is None else self._tenant.get(f"/v1/approvals/{self.approval_id}")

    def __repr__(self) -> str:
        """Say what a failed assertion should show."""
        parts = {"answer": self.answer, "error": self.error, "stop_reason": self.stop_reason}
        told = "".join(f", {name}={value!r}" for name, value in parts.items() if value is not None)
        return f"<run of {self.agent}: {self.status}{told}>"
