"""The tools' functions in this process: for tests and for replaying a run without AWS."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.declare import Tool
from pentad.tools.records.ports import RecordTable
from pentad.tools.runtime.handed import HandedCall, ToolAnswer
from pentad.tools.runtime.serve import ServeTool


class MemoryFunctions:
    """Tools' functions as they are deployed, but for the wire: calls and answers go through their JSON.

    Args:
        tools: the declared tools by name.
        records: makes the record store of a tenant.
        now: the clock, UTC.
        remaining_seconds: what a function has left.
    """

    def __init__(
        self,
        tools: Mapping[str, Tool[Any, Any]],
        *,
        records: Callable[[str], RecordTable],
        now: Callable[[], datetime],
        remaining_seconds: Callable[[], float] = lambda: 30.0,
    ) -> None:
        self._tools = tools
        self._records = records
        self._now = now
        self._remaining_seconds = remaining_seconds

    def call(self, tool: str, handed: HandedCall, *, function: str | None) -> ToolAnswer:
        """See `ToolFunctions`."""
        if tool not in self._tools:
            raise ConfigurationError(f"the tool '{tool}' has no function")
        serve = ServeTool(self._tools[tool], records=lambda given: self._records(given.tenant_id), now=self._now)
        given = HandedCall.model_validate_json(handed.model_dump_json(by_alias=True))
        answer = serve(given, remaining_seconds=self._remaining_seconds)
        return ToolAnswer.model_validate_json(answer.model_dump_json(by_alias=True))
