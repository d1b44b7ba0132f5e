"""The tools' functions in this process: for tests and for replaying a run without AWS."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.declare import Tool
from pentad.tools.files.ports import FileStore
from pentad.tools.outside.ports import HttpClient, ToolSecrets
from pentad.tools.records.ports import RecordTable
from pentad.tools.results.ports import PutWhole
from pentad.tools.runtime.handed import HandedCall, ToolAnswer
from pentad.tools.runtime.serve import ServeTool


class MemoryFunctions:
    """Tools' functions as they are deployed, but for the wire: calls and answers go through their JSON.

    Args:
        tools: the declared tools by name.
        records: makes the record store of a tenant.
        now: the clock, UTC.
        remaining_seconds: what a function has left.
        settings: of each tool that declares any.
        secrets: reads what tools declare.
        outside: speaks HTTP to the hosts that tools declare.
        files: makes the files of a tenant.
        upload: takes whole results that are too large for an answer.
    """

    def __init__(
        self,
        tools: Mapping[str, Tool[Any, Any]],
        *,
        records: Callable[[str], RecordTable],
        now: Callable[[], datetime],
        remaining_seconds: Callable[[], float] = lambda: 30.0,
        settings: Mapping[str, BaseModel] | None = None,
        secrets: ToolSecrets | None = None,
        outside: HttpClient | None = None,
        files: Callable[[str], FileStore] | None = None,
        upload: PutWhole | None = None,
    ) -> None:
        self._tools = tools
        self._records = records
        self._now = now
        self._remaining_seconds = remaining_seconds
        self._settings = settings or {}
        self._secrets = secrets
        self._outside = outside
        self._files = files
        self._upload = upload

    def call(self, tool: str, handed: HandedCall, *, function: str | None) -> ToolAnswer:
        """See `ToolFunctions`."""
        if tool not in self._tools:
            raise ConfigurationError(f"the tool '{tool}' has no function")
        serve = ServeTool(
            self._tools[tool],
            records=lambda given: self._records(given.tenant_id),
            now=self._now,
            settings=self._settings.get(tool),
            secrets=self._secrets,
            outside=self._outside,
            files=self._make_files,
            upload=self._upload,
        )
        given = HandedCall.model_validate_json(handed.model_dump_json(by_alias=True))
        answer = serve(given, remaining_seconds=self._remaining_seconds)
        return ToolAnswer.model_validate_json(answer.model_dump_json(by_alias=True))

    def _make_files(self, handed: HandedCall) -> FileStore:
        if self._files is None:
            raise ConfigurationError("there are no files here", fix="give MemoryFunctions files=...")
        return self._files(handed.tenant_id)
